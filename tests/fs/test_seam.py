"""Whatever happens in a callback, the kernel gets an errno."""

import ctypes
import errno
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from casfs.errors import DeadlineError, NotFoundError
from casfs.fs.interrupts import Interrupts
from casfs.fs.seam import Seam
from tests.conftest import Announce


class Bare(Seam):
    """A seam without a binding below it."""

    def __init__(self) -> None:
        self.interrupts = Interrupts(lambda: 0, lambda: 0)
        self.are_threads_lasting = True

    def answer(self, function: Callable[..., Any], *arguments: Any) -> int:
        """Call as a binding does."""
        return self._wrapper(function, *arguments)


def raiser(error: BaseException) -> Callable[..., int]:
    def getattr_(*_: object) -> int:
        raise error

    getattr_.__name__ = "getattr"
    return getattr_


def deep(*arguments: object) -> int:
    return deep(*arguments)  # CPython 3.13.5 lets deep() without them recurse until memory is used up


@pytest.mark.parametrize(
    "error",
    [
        OSError("no errno"),
        OSError(-5, "a negative one"),
        ValueError("a bug"),
        SystemExit(0),
        KeyboardInterrupt(),
        GeneratorExit(),
        RecursionError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "not of a path"),
        BaseException("anything"),
    ],
    ids=repr,
)
def test_what_nobody_foresaw_is_eio_with_a_traceback_in_the_log(
    error: BaseException, caplog: pytest.LogCaptureFixture, announce: Announce
) -> None:
    announce("nobody foresaw")
    assert Bare().answer(raiser(error)) == -errno.EIO
    assert caplog.records[-1].exc_info == (type(error), error, error.__traceback__)


def test_no_memory_is_eio_and_one_line(caplog: pytest.LogCaptureFixture, announce: Announce) -> None:
    announce("no more memory")
    assert Bare().answer(raiser(MemoryError())) == -errno.EIO
    (record,) = caplog.records
    assert (record.message, record.exc_info) == ("getattr: the system gives no more memory", None)


def test_endless_recursion_is_eio(announce: Announce) -> None:
    announce("nobody foresaw")
    assert Bare().answer(deep) == -errno.EIO


@pytest.mark.parametrize(
    ("error", "number"), [(NotFoundError("x"), errno.ENOENT), (DeadlineError("x"), errno.ETIMEDOUT)], ids=repr
)
def test_what_casfs_names_has_its_errno_and_no_line_above_debug(
    error: BaseException, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert Bare().answer(raiser(error)) == -number
    assert [record.levelno for record in caplog.records] == [logging.DEBUG]


def test_a_log_that_fails_does_not_hide_the_error() -> None:
    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise MemoryError

    log = logging.getLogger("casfs.fs.seam")
    broken = Broken()
    log.addHandler(broken)
    try:
        assert Bare().answer(raiser(ValueError("a bug"))) == -errno.EIO
    finally:
        log.removeHandler(broken)


@pytest.mark.parametrize(("answer", "told"), [(None, 0), (0, 0), (7, 7), (-errno.ERANGE, -errno.ERANGE)])
def test_an_answer_is_passed_on(answer: int | None, told: int) -> None:
    assert Bare().answer(lambda: answer) == told


@pytest.mark.parametrize("answer", [b"bytes", "text", 1.0, 1 << 31, -(1 << 31)], ids=repr)
def test_an_answer_that_c_would_take_for_another_is_eio(answer: object, announce: Announce) -> None:
    announce("nobody foresaw")
    assert Bare().answer(lambda: answer) == -errno.EIO


def test_a_path_that_is_no_text_is_not_found() -> None:
    def opendir(*_: object) -> int:
        return 1

    assert Bare().answer(raiser(ValueError("called")), b"/\xff") == -errno.ENOENT
    assert Bare().answer(opendir, b"/\xff") == -errno.ESTALE


@pytest.mark.parametrize("path", [b"/" + b"x" * 256, b"/a/" + b"\xff" * 256 + b"/b"], ids=len)
def test_a_name_that_is_too_long_is_told_so_and_a_long_path_is_none(path: bytes) -> None:
    assert Bare().answer(raiser(ValueError("called")), path) == -errno.ENAMETOOLONG
    assert Bare().answer(len, b"/x" * 1000 + b"/" + b"x" * 255) == 2256


def test_an_attribute_whose_name_is_no_text_is_not_there() -> None:
    def getxattr(*_: object) -> int:
        return 1

    assert Bare().answer(getxattr, b"/x", b"user.\xff") == -errno.ENODATA


def test_interrupts_are_asked_for_only_inside_of_a_callback() -> None:
    asked: list[int] = []

    def interrupted() -> int:
        asked.append(1)
        return 0

    seam = Bare()
    seam.interrupts = Interrupts(interrupted, lambda: 0)
    assert not seam.interrupts.interrupted()
    assert asked == []
    seam.answer(lambda: int(seam.interrupts.interrupted()))
    assert asked == [1]
    assert not seam.interrupts.interrupted()
    assert asked == [1]


def test_a_read_goes_into_the_buffer_of_the_caller() -> None:
    def read(fh: int, offset: int, into: memoryview) -> int:
        assert (fh, offset, len(into), into.format) == (3, 10, 8, "B")
        into[:5] = b"hello"
        return 5

    seam = Bare()
    seam.operations = SimpleNamespace(read=read)
    buffer = (ctypes.c_byte * 8)()
    file_info = SimpleNamespace(contents=SimpleNamespace(fh=3))
    count = seam.read(b"/x", ctypes.cast(buffer, ctypes.POINTER(ctypes.c_byte)), 8, 10, file_info)
    assert count == 5
    assert bytes(buffer) == b"hello\0\0\0"
