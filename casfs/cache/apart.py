"""Steps that a process of its own does, so that a disk that does not answer holds up nobody who asks.

Who waits in the kernel for such a disk may not be ended, not even by SIGKILL, until it answers. So that process is left
behind where it hangs, and ends with its call.
"""

import contextlib
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, TypeAlias, TypeVar

from casfs.errors import CasfsError, DeadlineError

T = TypeVar("T")
Beat: TypeAlias = Callable[[], None]
"""Called every now and then in long steps: whoever waits knows then that they go on."""

BEAT_S = 1.0
"""How often a beat is told."""


def apart(steps: Callable[[Beat], Iterator[T]], patience_s: float, what: str) -> Iterator[T]:
    """Begin *steps* in a child of this process; yield what it yields, which it is some steps ahead of.

    Raises:
        DeadlineError: nothing was heard of it for *patience_s*; it names *what*.
        CasfsError: what the steps raise; another exception is on standard error.
    """
    ours, theirs = Pipe(duplex=False)
    process = os.fork()
    if process == 0:
        try:
            ours.close()
            _do(steps, theirs)
        except BrokenPipeError:  # nobody asks any more
            pass
        except BaseException:  # noqa: BLE001 - nothing may go on as the parent would
            traceback.print_exc()
        finally:
            os._exit(0)
    theirs.close()
    return _heard(ours, process, patience_s, what)


def _do(steps: Callable[[Beat], Iterator[Any]], line: Connection) -> None:
    os.setsid()  # a Ctrl-C is for who asks, who then ends this one
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
    else:
        line.send(None)


def _heard(line: Connection, process: int, patience_s: float, what: str) -> Iterator[Any]:
    is_over = False
    try:
        while True:
            if not line.poll(patience_s):
                raise DeadlineError(f"{what}: the disk has not answered for {patience_s:g} s")
            found = line.recv()
            is_over = not isinstance(found, list)
            if is_over:
                break
            yield from found
        if found is not None:
            raise found
    except EOFError:
        raise CasfsError(f"{what}: the process that looked at it has ended") from None
    finally:
        line.close()
        _end(process, is_over=is_over)


def _end(process: int, *, is_over: bool) -> None:
    """See that the child ends; where it hangs in the disk, it does once its call is over."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        if not is_over:
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0 if is_over else os.WNOHANG)
