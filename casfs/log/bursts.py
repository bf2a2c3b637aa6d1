"""Failures that are equal and come in a burst: the first is a line, and those that follow are one with their count.

A service that is down refuses every read of every program with the same words, and a log that has them all hides what
else happened.
"""

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_S = 10.0
"""How long equal failures are counted before their count is a line: soon enough for who looks on, and six lines a
minute for an outage of hours."""
MAX_BURSTS = 256
"""Failures that are told apart; whatever is beyond is logged as it comes."""
ABOUT = ("operation", "vault", "job", "status", "code")
"""What makes failures of the service equal: which bytes were asked for, the id of the request, and how often it was
tried, do not."""


@dataclass(slots=True)
class _Burst:
    last: logging.LogRecord
    ends_s: float
    count: int = 0


class Bursts:
    """Holds back what was said a moment ago.

    Args:
        clock: monotonic seconds.

    Threads: any.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._bursts: dict[object, _Burst] = {}

    def swallows(self, record: logging.LogRecord) -> bool:
        """Return whether an equal failure was a line a moment ago, and count *record* then."""
        if record.levelno < logging.WARNING:
            return False
        key = _key(record)
        with self._lock:
            burst = self._bursts.get(key)
            if burst is not None:
                burst.last, burst.count = record, burst.count + 1
            elif len(self._bursts) < MAX_BURSTS:
                self._bursts[key] = _Burst(record, self._clock() + WINDOW_S)
        return burst is not None

    def over(self, *, all_of_them: bool = False) -> list[logging.LogRecord]:
        """Return a record for each burst whose time is over, or for each there is; one that goes on goes on."""
        found = []
        with self._lock:
            now_s = self._clock()
            for key, burst in list(self._bursts.items()):
                if not all_of_them and now_s < burst.ends_s:
                    continue
                if burst.count:
                    found.append(_counted(burst))
                    self._bursts[key] = _Burst(burst.last, now_s + WINDOW_S)
                else:
                    del self._bursts[key]
        return found

    def due_s(self) -> float:
        """Return in how many seconds ``over`` is to be asked again; infinity where there is nothing to ask for."""
        with self._lock:
            ends_s = min((burst.ends_s for burst in self._bursts.values()), default=math.inf)
        return max(0.0, ends_s - self._clock())


def _key(record: logging.LogRecord) -> object:
    fields = vars(record)
    if "operation" in fields:
        return (record.name, record.levelno, *(fields.get(name) for name in ABOUT))
    try:
        return (record.name, record.levelno, record.getMessage(), _place(record))
    except Exception:  # noqa: BLE001 - that it cannot be made is said by whoever formats it
        return (record.name, record.levelno, record.lineno)


def _place(record: logging.LogRecord) -> object:
    """Return where what nobody foresaw was raised, None where the record has no traceback."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)


def _counted(burst: _Burst) -> logging.LogRecord:
    """Return the last of a burst, with the number of those that it stands for."""
    last = burst.last
    record = logging.makeLogRecord(vars(last) | {"count": burst.count})
    record.msg, record.args = "%s [and %d like this within %.0f s]", (_text(last), burst.count, WINDOW_S)
    record.exc_info = record.exc_text = record.stack_info = None
    return record


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - whoever logs is not ended by what cannot be said
        return str(record.msg)
