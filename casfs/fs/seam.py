"""The total error seam: whatever happens in a callback, libfuse gets an answer it understands, and never a wrong one.

Stands at the level of the bindings' own ``_wrapper``, so that their decoding of paths and copying of answers is
inside. Whatever would leave a callback as an exception becomes 0 in ctypes, and a read that answers 0 is the end of the
file: a truncated copy with exit status 0.
Source: measured with fusepy 3.0.1, whose own wrapper lets that happen for any OSError without an errno.
"""

import ctypes
import errno
import logging
from collections.abc import Callable
from typing import Any

from casfs.errors import CasfsError, NameTooLongError, NoAttributeError, NotFoundError
from casfs.fs import thread_state
from casfs.fs.attrs import NAME_MAX_BYTES
from casfs.fs.errnos import errno_of
from casfs.fs.interrupts import Interrupts

log = logging.getLogger(__name__)

ANSWER_MAX = (1 << 31) - 1
"""The largest int of C; ctypes lets a larger one wrap."""


class Seam:
    """Goes before a binding's ``FUSE`` class, whose ``_wrapper`` and ``read`` it replaces.

    Attributes:
        operations: set by the binding.
        interrupts: knows while it is inside a callback.
        are_threads_lasting: whether libfuse keeps the threads that it has made.

    Threads: callbacks run in libfuse's threads, many at once.
    """

    operations: Any
    interrupts: Interrupts
    are_threads_lasting: bool

    def _wrapper(self, function: Callable[..., Any], *arguments: Any) -> int:
        """Return what *function* answers, or the negative errno of whatever it raises. Raises nothing."""
        try:
            if self.are_threads_lasting:
                thread_state.keep()
            with self.interrupts:
                for argument in arguments:
                    if isinstance(argument, bytes):
                        _refuse_impossible(function.__name__, argument)
                return _sound(function(*arguments))
        except BaseException as error:  # noqa: BLE001 - SystemExit and the like would be an end of file
            return _answer_to(function.__name__, error)

    def read(self, _path: bytes, buffer: Any, size: int, offset: int, file_info: Any) -> int:
        """Have *size* bytes written into libfuse's own buffer: one copy, where the bindings make two."""
        target = (ctypes.c_ubyte * size).from_address(ctypes.addressof(buffer.contents))
        count: int = self.operations.read(file_info.contents.fh, offset, memoryview(target).cast("B"))
        return count


def _refuse_impossible(callback: str, text: bytes) -> None:
    """Refuse a path or a name that nothing here can have: too long, which the kernel lets through, or not UTF-8.

    The bindings differ: fusepy raises, mfusepy makes surrogates that the tree would have to ask the service for.
    """
    if len(text) > NAME_MAX_BYTES and any(len(name) > NAME_MAX_BYTES for name in text.split(b"/")):
        raise NameTooLongError(f"a name of over {NAME_MAX_BYTES} bytes")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        # The path of an attribute was looked up before: it is the attribute's name.
        kind: type[CasfsError] = NoAttributeError if callback == "getxattr" else NotFoundError
        raise kind("a name that is not UTF-8") from error


def _sound(answer: Any) -> int:
    """Return *answer* if it is one that C can take; None is success."""
    if answer is None:
        return 0
    if not isinstance(answer, int) or not -ANSWER_MAX <= answer <= ANSWER_MAX:
        raise TypeError(f"a callback answered {type(answer).__name__}")
    return answer


def _answer_to(callback: str, error: BaseException) -> int:
    """Return the negative errno of *error*, logged with its traceback if nobody foresaw it."""
    try:
        operation = callback.partition("_fuse_")[0]  # mfusepy has a getattr_fuse_3
        if isinstance(error, CasfsError):
            log.debug("%s: %s: %s", operation, type(error).__name__, error)
        elif isinstance(error, MemoryError):
            log.error("%s: the system gives no more memory", operation)
        else:
            log.error("%s failed in a way that nobody foresaw", operation, exc_info=error)
        return -errno_of(error, operation)
    except BaseException:  # noqa: BLE001 - even a full disk under the log or no memory for the line
        return -errno.EIO
