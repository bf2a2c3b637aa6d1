"""What may hang in the kernel, done by a child of a command, so that nobody else is held up by it.

Who waits there for a disk or a mount that does not answer may not be ended, not even by SIGKILL, and a process ends
with the last of its threads. So the child is left behind where it hangs, and ends with its call. What else is for what
may hang, and why, is in docs/architecture.md ("What may hang").
"""

import contextlib
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, TypeAlias, TypeVar

from casfs.errors import CasfsError, DeadlineError
from casfs.shortage import fork

T = TypeVar("T")
Beat: TypeAlias = Callable[[], None]
"""Called every now and then in long steps: whoever waits knows then that they go on."""

BEAT_S = 1.0
"""How often a beat is told."""


def begin(work: Callable[[socket.socket], object]) -> tuple[socket.socket, int]:
    """Begin a child that does *work*; return the other end of the socket that it is given, and its number.

    It has no file whose end somebody may wait for: neither a terminal nor the pipe of whoever reads results.

    Raises:
        ShortageError: there is no process to be had.

    Threads: before there are any: what another one holds in that moment, the child waits for in vain.
    """
    ours, theirs = socket.socketpair()
    process = fork()
    if process == 0:
        with contextlib.suppress(BaseException):  # nothing may go on as the parent would
            ours.close()
            _detach()
            work(theirs)
        os._exit(0)
    theirs.close()
    return ours, process


def end(process: int, *, is_over: bool = False) -> None:
    """See that a child ends; where it hangs, it does once its call is over.

    Args:
        process: its number.
        is_over: whether it is about to end by itself.
    """
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        if not is_over:
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0 if is_over else os.WNOHANG)


def apart(steps: Callable[[Beat], Iterator[T]], patience_s: float, what: str) -> Iterator[T]:
    """Begin *steps* in a child of this process; yield what it yields, which it is some steps ahead of.

    Raises:
        ShortageError: as ``begin``.
        DeadlineError: nothing was heard of it for *patience_s*; it names *what*.
        CasfsError: what the steps raise; another exception is on standard error.

    Threads: as ``begin``.
    """
    ours, process = begin(lambda theirs: _do(steps, Connection(theirs.detach())))
    return _heard(Connection(ours.detach()), process, patience_s, what)


def _detach() -> None:
    os.setsid()  # a Ctrl-C is for who asks, who then ends this one
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(nothing, fd)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _do(steps: Callable[[Beat], Iterator[Any]], line: Connection) -> None:
    told_s = time.monotonic()

    def beat() -> None:
        nonlocal told_s
        if time.monotonic() >= told_s + BEAT_S:
            told_s = time.monotonic()
            line.send([])

    try:
        for found in steps(beat):
            line.send([found])
    except CasfsError as error:
        line.send(error)
    except Exception:  # noqa: BLE001 - whoever hears of it has a standard error
        line.send(traceback.format_exc())
    else:
        line.send(None)


def _heard(line: Connection, process: int, patience_s: float, what: str) -> Iterator[Any]:
    is_over, found = False, None
    try:
        while not is_over:
            if not line.poll(patience_s):
                raise DeadlineError(f"{what}: the disk has not answered for {patience_s:g} s")
            found = line.recv()
            is_over = not isinstance(found, list)
            yield from found if isinstance(found, list) else ()
    except EOFError:
        found = ""
    finally:
        line.close()
        end(process, is_over=is_over)
    if found is not None:
        raise found if isinstance(found, CasfsError) else _unforeseen(found, what)


def _unforeseen(trace: str, what: str) -> CasfsError:
    sys.stderr.write(trace)
    return CasfsError(f"{what}: the process that looked at it has ended")
