"""The one table from errors to errno values."""

import errno
import re
from collections.abc import Iterator

import pytest

import casfs.errors
from casfs.errnos import ERRNOS
from casfs.errors import CasfsError, GoneError, NoAttributeError, NotFoundError
from casfs.fs.errnos import errno_of


def descendants(kind: type[CasfsError]) -> Iterator[type[CasfsError]]:
    for child in kind.__subclasses__():
        if child.__module__ == "casfs.errors":
            yield child
            yield from descendants(child)


def test_every_error_has_a_row_of_its_own() -> None:
    assert set(ERRNOS) == set(descendants(CasfsError))


def test_every_error_is_drawn_in_the_tree_and_has_its_name_at_the_front_door() -> None:
    named = {kind.__name__ for kind in descendants(CasfsError)}
    assert named <= set(casfs.__all__)
    assert (
        set(re.findall(r"\w+Error\b", (casfs.errors.__doc__ or "").partition("No class derives")[0])) - {"CasfsError"}
        == named
    )


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


FORGIVEN = {errno.ENOENT, errno.ENODATA, errno.ENOTSUP, errno.ENOSYS, errno.EAGAIN, errno.ENOTDIR, errno.EOVERFLOW}
"""What some of ls, cp, rsync, find, tar and the C library take for an answer, in one call or another."""

ASKED_FOR_A_NAME = {"getattr", "open", "getxattr", "listxattr"}
OPERATIONS = ASKED_FOR_A_NAME | {"readdir", "opendir", "read", "release", "statfs", "init", "destroy"}


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_what_programs_forgive_is_said_only_by_who_is_asked_for_a_name(operation: str) -> None:
    said = {kind: errno_of(kind.__new__(kind), operation) for kind in ERRNOS}
    forgiven = {kind: number for kind, number in said.items() if number in FORGIVEN}
    allowed: dict[type[CasfsError], int] = {NotFoundError: errno.ENOENT} if operation in ASKED_FOR_A_NAME else {}
    allowed |= {NoAttributeError: errno.ENODATA} if operation == "getxattr" else {}
    assert forgiven == allowed
    assert {number for kind, number in said.items() if kind not in allowed} <= {
        errno.EACCES, errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.EINTR, errno.EHOSTUNREACH, errno.EROFS,
        errno.EBADF, errno.ENAMETOOLONG,
    }  # fmt: skip


def test_a_directory_that_is_gone_while_it_is_read_is_stale() -> None:
    assert errno_of(NotFoundError("x"), "readdir") == errno.ESTALE
