"""What libfuse is told."""

import pytest

from casfs.fs.attrs import View
from casfs.fs.options import BACKGROUND_REQUESTS, THREADS_MAX, Options, is_open_to_all, libfuse_options
from casfs.tree.threads import MAX_LISTINGS, MAX_LOOK_UPS

OWN = View(0, 0, 0o400, 0o700)
PUBLIC = View(0, 0, 0o444, 0o755)


def options(
    view: View = OWN, *, allow_other: bool = False, libfuse: tuple[int, int] = (3, 14), source: str = "s"
) -> Options:
    return libfuse_options(source, view, allow_other=allow_other, libfuse=libfuse)


def test_the_kernel_is_told_that_nothing_can_be_written_run_as_another_or_be_a_device() -> None:
    assert options().items() >= {"ro": True, "nosuid": True, "nodev": True}.items()


@pytest.mark.parametrize("libfuse", [(2, 9), (3, 14)])
def test_names_are_forgotten_unless_they_are_to_be_remembered(libfuse: tuple[int, int]) -> None:
    assert "noforget" not in options(libfuse=libfuse)
    assert libfuse_options("s", OWN, allow_other=False, libfuse=libfuse, remember=True)["noforget"] is True


def test_no_size_is_remembered_by_the_kernel() -> None:
    assert options()["attr_timeout"] == 0


@pytest.mark.parametrize(
    ("view", "allow_other", "checks"),
    [(OWN, False, None), (PUBLIC, False, None), (OWN, True, True), (PUBLIC, True, False)],
)
def test_modes_are_checked_where_they_keep_somebody_out(view: View, allow_other: bool, checks: bool | None) -> None:  # noqa: FBT001 - parameters
    found = options(view, allow_other=allow_other)
    assert found.get("default_permissions") is checks
    assert ("allow_other" in found) == allow_other


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o040])
def test_a_mode_that_keeps_anybody_out_is_not_open_to_all(mode: int) -> None:
    assert not is_open_to_all(View(0, 0, mode, 0o755))
    assert not is_open_to_all(View(0, 0, 0o444, mode | 0o111))


def test_a_source_with_commas_is_one_option() -> None:
    assert options(source="a,b\\c")["fsname"] == "a\\,b\\\\c"


def test_no_thread_of_libfuse_3_ends_that_could_leave_its_state_behind() -> None:
    found = options(libfuse=(3, 14))
    assert found["max_idle_threads"] == found["max_threads"]


@pytest.mark.parametrize(
    ("libfuse", "there"),
    [
        ((3, 10), {"max_idle_threads"}),
        ((3, 12), {"max_idle_threads", "max_threads"}),
        ((3, 17), {"max_idle_threads", "max_threads"}),
        ((2, 9), {"max_readahead", "max_background", "congestion_threshold"}),
    ],
    ids=["3.10", "3.12", "3.17", "2.9"],
)
def test_each_libfuse_is_given_options_that_it_knows(libfuse: tuple[int, int], there: set[str]) -> None:
    every = {"max_idle_threads", "max_threads", "max_readahead", "max_background", "congestion_threshold"}
    assert every & set(options(libfuse=libfuse)) == there


def test_names_and_reads_that_stall_leave_threads_to_others() -> None:
    assert THREADS_MAX >= BACKGROUND_REQUESTS + MAX_LOOK_UPS + MAX_LISTINGS + 32
