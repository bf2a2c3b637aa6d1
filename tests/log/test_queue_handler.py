"""The queue in front of the log: nobody waits for it, and what is lost is counted."""

import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.log import queue_handler
from casfs.log.queue_handler import QueueHandler
from tests.mounting import wait_until

LOST = "lines of this log were lost: they could not be written"


class Stand:
    """An outlet that can be stopped, and that can fail."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.is_full = False
        self.tried = 0
        self.lines: list[str] = []
        self.signals = ""

    def write(self, _level: int, text: str) -> None:
        """Take a line, once it is let."""
        self.tried += 1
        self.signals = Path(f"/proc/self/task/{threading.get_native_id()}/status").read_text()
        assert self.goes_on.wait(60)
        if self.is_full:
            raise OSError("full")
        self.lines.append(text)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is flushed written, however busy the machine is."""
    monkeypatch.setattr(queue_handler, "FLUSH_TIMEOUT_S", 60.0)


@pytest.fixture
def stand() -> Iterator[Stand]:
    stand = Stand()
    yield stand
    stand.goes_on.set()


@pytest.fixture
def handler(stand: Stand) -> QueueHandler:
    return QueueHandler(stand)


def say(handler: QueueHandler, *texts: str) -> None:
    for text in texts:
        handler.handle(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))


def test_lines_are_written_in_their_order(stand: Stand, handler: QueueHandler) -> None:
    texts = [str(number) for number in range(1000)]
    say(handler, *texts)
    handler.flush()
    assert stand.lines == texts


def test_nobody_waits_for_a_log_that_is_stopped_and_what_is_lost_is_counted_at_its_place(
    stand: Stand, handler: QueueHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_handler, "MAX_QUEUED_CHARACTERS", 10)
    monkeypatch.setattr(queue_handler, "FLUSH_TIMEOUT_S", 0.05)
    stand.goes_on.clear()
    say(handler, *"abcdefghijklm")
    handler.flush()
    assert stand.lines == []
    stand.goes_on.set()
    wait_until(lambda: len(stand.lines) == 11, "the lines that had room and the count are written")
    say(handler, "n")
    wait_until(lambda: len(stand.lines) == 12, "the next line is written")
    assert stand.lines == [*"abcdefghij", f"3 {LOST}", "n"]


def test_a_log_that_fails_is_not_tried_without_a_line_and_says_later_how_many_were_lost(
    stand: Stand, handler: QueueHandler
) -> None:
    stand.is_full = True
    for text in "abc":
        say(handler, text)
        handler.flush()
    assert stand.tried == 5, "each line, and the count before all but the first"
    stand.is_full = False
    say(handler, "d", "e")
    handler.flush()
    assert stand.lines == [f"3 {LOST}", "d", "e"]


def test_the_thread_that_writes_takes_no_signal(stand: Stand, handler: QueueHandler) -> None:
    say(handler, "a")
    handler.flush()
    (blocked,) = (int(line.split()[1], 16) for line in stand.signals.splitlines() if line.startswith("SigBlk"))
    assert all(blocked >> number - 1 & 1 for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1))
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {signal.SIGTERM}


def test_a_line_that_is_longer_than_the_queue_is_lost_and_no_other(
    stand: Stand, handler: QueueHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_handler, "MAX_QUEUED_CHARACTERS", 10)
    say(handler, "x" * 11, "short")
    handler.flush()
    assert stand.lines == [f"1 {LOST}", "short"]


def test_a_burst_is_a_line_and_its_count_another(stand: Stand) -> None:
    now_s = [0.0]
    handler = QueueHandler(stand, lambda: now_s[0])
    for _ in range(1000):
        handler.handle(logging.makeLogRecord({"msg": "refused", "levelno": logging.WARNING, "levelname": "WARNING"}))
    handler.flush()
    assert [line for line in stand.lines if "refused" in line] == [
        "refused", "refused [and 999 like this within 10 s]"
    ]  # fmt: skip
