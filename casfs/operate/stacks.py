"""What every thread of this process is at, for the log."""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType

log = logging.getLogger(__name__)


def log_stacks(counters: Callable[[], str]) -> None:
    """Write the stack of every thread to the log, whatever its level, and then what *counters* returns.

    No lock of casfs is taken before all stacks are written, so that those who wait for one are seen.
    """
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - it is documented, and there is no other way
        _write(f"thread {names.get(ident, 'of libfuse')} ({ident})", frame)
    _write(f"counters: {counters()}")


def _write(text: str, frame: FrameType | None = None) -> None:
    """Write one line, and a stack behind it; the level is passed by."""
    stack = None if frame is None else "".join(traceback.format_stack(frame)).rstrip()
    log.handle(log.makeRecord(log.name, logging.INFO, __file__, 0, text, (), None, sinfo=stack))
