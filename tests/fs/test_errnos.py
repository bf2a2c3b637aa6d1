"""The one table from errors to errno values."""

import errno
from collections.abc import Iterator

import pytest

from casfs.errors import CasfsError, GoneError, NotFoundError
from casfs.fs.errnos import ERRNOS, errno_of


def descendants(kind: type[CasfsError]) -> Iterator[type[CasfsError]]:
    for child in kind.__subclasses__():
        if child.__module__ == "casfs.errors":
            yield child
            yield from descendants(child)


def test_every_error_has_a_row_of_its_own() -> None:
    assert set(ERRNOS) == set(descendants(CasfsError))


def test_every_errno_is_positive() -> None:
    assert all(number > 0 for number in ERRNOS.values())


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (NotFoundError("x"), errno.ENOENT),
        (GoneError("x"), errno.ESTALE),
        (CasfsError("none of the known ones"), errno.EIO),
        (ValueError("a bug"), errno.EIO),
        (OSError("of a library, without an errno"), errno.EIO),
        (FileNotFoundError(errno.ENOENT, "not a file of ours"), errno.EIO),
        (SystemExit(0), errno.EIO),
        (KeyboardInterrupt(), errno.EIO),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_casfs_names_has_an_errno_other_than_eio(error: BaseException, number: int) -> None:
    assert errno_of(error) == number


def test_a_refinement_of_an_error_has_its_errno() -> None:
    class JobGoneError(GoneError):
        pass

    assert errno_of(JobGoneError("x")) == errno.ESTALE
