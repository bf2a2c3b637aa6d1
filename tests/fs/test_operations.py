"""Callbacks, called as the bindings call them."""

import errno
import json
import os
from types import SimpleNamespace
from typing import Any

import pytest

from casfs.errors import (
    AccessDeniedError,
    BadHandleError,
    CasfsError,
    NoAttributeError,
    NotFoundError,
    ProtocolError,
    ReadOnlyError,
)
from casfs.fs.attrs import View
from casfs.fs.errnos import errno_of
from casfs.fs.operations import Operations
from casfs.models import PROBE_NAME
from casfs.stats import Stats
from tests.fs.stands import Behaviour, StandInOutputs, StandInTree, job, whole

SIZE = 5000
OUTPUT = "/vault/plain/output"


class Mount:
    """Operations over stand-ins."""

    def __init__(self) -> None:
        self.tree = StandInTree([job("plain", SIZE), job("other", 7), job("unknown", None)])
        self.outputs = StandInOutputs()
        self.operations = Operations(self.tree, self.outputs, Stats(), View(0, 0, 0o400, 0o700))

    def open(self, path: str = OUTPUT, flags: int = os.O_RDONLY) -> Any:
        """Return the file info of an open file."""
        file_info = SimpleNamespace(flags=flags, fh=0, keep_cache=0, direct_io=0)
        self.operations.open(path, file_info)
        return file_info

    def read(self, fh: int, offset: int, length: int) -> bytes:
        """Return what a read answers."""
        buffer = bytearray(length)
        return bytes(buffer[: self.operations.read(fh, offset, memoryview(buffer))])


@pytest.fixture
def mount() -> Mount:
    return Mount()


def test_probe_is_read_past_the_pages_of_the_kernel_and_is_no_read_of_an_output(mount: Mount) -> None:
    info = mount.open(f"/{PROBE_NAME}")
    assert info.direct_io
    assert mount.read(info.fh, 0, 100) == mount.outputs.probe.text
    assert mount.operations.answered == 0
    assert mount.operations.getattr(f"/{PROBE_NAME}")["st_size"] == len(mount.outputs.probe.text)
    mount.operations.release("", info)


def test_reads_of_outputs_that_are_answered_are_counted(mount: Mount) -> None:
    mount.read(mount.open().fh, 0, 10)
    assert mount.operations.answered == 1
    mount.outputs.behaviours = {"other": Behaviour(failure=lambda: CasfsError("no"))}
    with pytest.raises(CasfsError):
        mount.read(mount.open("/vault/other/output").fh, 0, 7)
    assert mount.operations.answered == 1


def test_init_starts_the_threads_and_destroy_stops_them(mount: Mount) -> None:
    assert (mount.tree.started, mount.outputs.started) == (0, 0)
    mount.operations.init("/")
    assert (mount.tree.started, mount.outputs.started) == (1, 1)
    mount.operations.destroy("/")
    assert mount.tree.stopped == 1
    assert mount.outputs.never_done.done()


def test_an_open_output_is_read_by_its_handle_until_it_is_released(mount: Mount) -> None:
    file_info = mount.open()
    assert mount.read(file_info.fh, 10, 20) == whole(SIZE)[10:30]
    assert mount.read(file_info.fh, SIZE - 5, 20) == whole(SIZE)[-5:]
    assert mount.read(file_info.fh, SIZE, 20) == b""
    mount.operations.release(OUTPUT, file_info)
    assert mount.outputs.readers[0].closed
    with pytest.raises(BadHandleError):
        mount.read(file_info.fh, 0, 1)


@pytest.mark.parametrize("keep", [True, False])
def test_the_kernel_keeps_its_pages_if_the_reader_says_so(mount: Mount, keep: bool) -> None:  # noqa: FBT001 - a parameter
    mount.outputs.behaviours["plain"] = Behaviour(keep_pages=keep)
    assert mount.open().keep_cache == keep


@pytest.mark.parametrize("uses", [True, False])
def test_reads_go_past_the_kernels_pages_if_the_reader_says_so(mount: Mount, uses: bool) -> None:  # noqa: FBT001 - a parameter
    mount.outputs.behaviours["plain"] = Behaviour(uses_pages=uses)
    assert mount.open().direct_io == (not uses)


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC])
def test_an_open_that_would_change_something_is_refused(mount: Mount, flags: int) -> None:
    with pytest.raises(ReadOnlyError):
        mount.open(flags=flags)
    assert mount.outputs.readers == []


def test_flags_that_change_nothing_are_taken(mount: Mount) -> None:
    assert mount.open(flags=os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_DIRECT).fh


def test_a_directory_is_not_opened_as_a_file(mount: Mount) -> None:
    with pytest.raises(CasfsError):
        mount.open("/vault/plain")


@pytest.mark.parametrize("short", [1, 19, 20])
def test_an_answer_that_is_short_before_the_end_is_an_error(mount: Mount, short: int) -> None:
    mount.outputs.behaviours["plain"] = Behaviour(short=short)
    fh = mount.open().fh
    with pytest.raises(ProtocolError):
        mount.read(fh, 0, 20)


def test_stat_of_a_path_and_of_an_open_file_are_the_same(mount: Mount) -> None:
    file_info = mount.open()
    assert mount.operations.getattr(OUTPUT, file_info) == mount.operations.getattr(OUTPUT)


def test_stat_of_an_open_file_does_not_need_its_path(mount: Mount) -> None:
    file_info = mount.open()
    del mount.tree.jobs["plain"]
    assert mount.operations.getattr(OUTPUT, file_info)["st_size"] == SIZE
    with pytest.raises(NotFoundError):
        mount.operations.getattr(OUTPUT)


def test_a_size_that_was_learnt_at_open_is_the_size(mount: Mount) -> None:
    mount.outputs.behaviours["other"] = Behaviour(size=77)
    path = "/vault/other/output"
    assert mount.operations.getattr(path)["st_size"] == 7
    mount.open(path)
    assert mount.operations.getattr(path)["st_size"] == 77


def test_a_size_that_no_document_tells_is_asked_for(mount: Mount) -> None:
    mount.outputs.behaviours["unknown"] = Behaviour(size=77)
    assert mount.operations.getattr("/vault/unknown/output")["st_size"] == 77


def test_a_directory_lists_itself_and_what_it_holds(mount: Mount) -> None:
    entries = list(mount.operations.readdir("/vault", 0))
    assert [name for name, _, _ in entries] == [".", "..", "plain", "other", "unknown"]
    assert all(offset == 0 for _, _, offset in entries)
    assert all(set(attrs) == {"st_mode", "st_ino"} and attrs["st_ino"] for _, attrs, _ in entries)


@pytest.mark.parametrize("path", ["/", "/vault", "/vault/plain"])
def test_every_directory_may_be_entered_and_every_output_be_read(mount: Mount, path: str) -> None:
    mount.operations.access(path, os.R_OK | os.X_OK)
    mount.operations.access(OUTPUT, os.R_OK)


def test_an_output_may_be_run_if_its_mode_says_so(mount: Mount) -> None:
    for mode in (os.X_OK, os.R_OK | os.X_OK):
        with pytest.raises(AccessDeniedError):
            mount.operations.access(OUTPUT, mode)
    executable = Operations(mount.tree, mount.outputs, Stats(), View(0, 0, 0o500, 0o700))
    executable.access(OUTPUT, os.X_OK)


def test_whether_a_directory_may_be_entered_costs_no_look_at_the_tree(mount: Mount) -> None:
    mount.operations.access("/no/such/directory", os.X_OK)
    mount.operations.access("/no/such/output", os.R_OK)
    with pytest.raises(NotFoundError):
        mount.operations.access("/vault/nothing/output", os.X_OK)


def test_the_root_has_the_counters_even_where_it_is_a_vault(mount: Mount) -> None:
    assert mount.operations.listxattr("/") == ["user.cas.stats"]
    assert mount.operations.getxattr("/", "user.cas.options") == b"{}"
    with pytest.raises(NoAttributeError):
        mount.operations.getxattr("/vault", "user.cas.options")
    mount.tree.root = "/vault"
    assert "user.cas.describe" in mount.operations.listxattr("/")
    assert mount.operations.getxattr("/", "user.cas.stats").startswith(b'{"uptime_s":')


def test_figures_have_one_length_while_they_are_counted_up() -> None:
    stats = Stats()
    operations = Operations(StandInTree([]), StandInOutputs(), stats, View(0, 0, 0o400, 0o700))
    lines: list[bytes] = []
    for _ in range(15):
        stats.count("bytes_read", 10 ** len(lines))
        lines.append(operations.getxattr("/", "user.cas.stats"))
    assert len({len(line) for line in lines}) == 1
    assert json.loads(lines[-1])["bytes_read"] == 111_111_111_111_111


def test_an_attribute_outside_of_the_namespace_needs_no_look_at_the_tree(mount: Mount) -> None:
    with pytest.raises(NoAttributeError):
        mount.operations.getxattr("/nowhere", "security.capability")
    with pytest.raises(NotFoundError):
        mount.operations.getxattr("/nowhere", "user.cas.describe")


@pytest.mark.parametrize(
    "name",
    [
        *("mknod", "mkdir", "unlink", "rmdir", "symlink", "rename", "link", "chmod", "chown", "truncate", "utimens"),
        *("setxattr", "removexattr", "create", "write", "fallocate"),
    ],
)
def test_every_change_is_refused_as_on_a_read_only_file_system(mount: Mount, name: str) -> None:
    with pytest.raises(ReadOnlyError) as caught:
        getattr(mount.operations, name)("/x", 1, 2, 3)
    assert errno_of(caught.value) == errno.EROFS


def test_what_the_kernel_does_better_by_itself_is_not_there(mount: Mount) -> None:
    absent = ("fsync", "lock", "flock", "lseek", "ioctl", "poll", "bmap", "read_buf", "opendir")
    assert [name for name in absent if hasattr(mount.operations, name)] == []
