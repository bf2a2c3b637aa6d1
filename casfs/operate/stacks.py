"""What every thread of this process is at, for the log."""

import logging
import sys
import threading
import traceback
from types import FrameType

log = logging.getLogger(__name__)


def log_stacks() -> None:
    """Write the stack of every thread to the log, whatever its level.

    No lock of casfs but the log's is taken, so that those who wait for one are seen.
    """
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - it is documented, and there is no other way
        _write(f"thread {names.get(ident, 'of libfuse')} ({ident})", frame)


def log_counters(line: str) -> None:
    """Write the counters to the log, whatever its level."""
    _write(f"counters: {line}")


def _write(text: str, frame: FrameType | None = None) -> None:
    """Write one line, and a stack behind it; the level is passed by."""
    stack = None if frame is None else "".join(traceback.format_stack(frame)).rstrip()
    log.handle(log.makeRecord(log.name, logging.INFO, __file__, 0, text, (), None, sinfo=stack))
