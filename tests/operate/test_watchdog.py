"""When a service manager is told that all is well."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.operate.notify import Manager
from casfs.operate.watchdog import Signs, Watchdog
from tests.managers import Heard, manager
from tests.mounting import wait_until
from tests.new_threads import new_threads


class Mount:
    """A mount that can be told to be dead."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_alive = True
        self.asked: list[float] = []
        self.status = "one"

    def answers(self, within_s: float) -> bool:
        """Say whether it lives, and take note that it was asked."""
        self.asked.append(within_s)
        return self.is_alive

    def signs(self) -> Signs:
        """Return what it can be told by."""
        return Signs(lambda: self.reads, self.answers, lambda: self.status)


def told(heard: Heard) -> list[dict[str, str]]:
    heard.messages.clear()
    heard.forget()
    return heard.messages


def test_reads_that_were_answered_are_enough_and_else_one_is_asked_for(announce: Callable[[str], None]) -> None:
    announce("no read is answered")
    with manager() as heard:
        mount = Mount()
        dog = Watchdog(Manager(heard.address, watchdog_s=30.0), mount.signs())
        mount.reads += 1
        dog.look()
        assert (told(heard), mount.asked) == ([{"WATCHDOG": "1"}, {"STATUS": "one"}], [])
        dog.look()
        assert (told(heard), mount.asked) == ([{"WATCHDOG": "1"}], [15.0])
        mount.is_alive = False
        dog.look()
        assert (told(heard), len(mount.asked)) == ([], 2)
        mount.reads += 1
        dog.look()
        assert (told(heard), len(mount.asked)) == ([{"WATCHDOG": "1"}], 2)


def test_nothing_is_asked_for_where_nobody_wants_to_hear(tmp_path: Path) -> None:
    with manager(tmp_path) as heard:
        mount = Mount()
        dog = Watchdog(Manager(heard.address), mount.signs())
        dog.look()
        mount.status = "two"
        dog.look()
        dog.look()
        assert (told(heard), mount.asked) == ([{"STATUS": "one"}, {"STATUS": "two"}], [])


def test_a_look_that_fails_is_not_the_last(announce: Callable[[str], None]) -> None:
    announce("could not be looked at")
    with manager() as heard:
        mount = Mount()

        def status() -> str:
            if len(mount.asked) == 1:
                raise RuntimeError
            return "well"

        threads = new_threads("watchdog")
        dog = Watchdog(Manager(heard.address, watchdog_s=0.04), Signs(lambda: 0, mount.answers, status))
        dog.start()
        assert heard.has("STATUS") == {"STATUS": "well"}
        dog.stop()
        wait_until(lambda: not threads(), "it ends: it would tell a manager that is gone, and the next test of that")


def test_the_log_has_one_line_and_every_stack_where_nothing_is_answered(
    announce: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    announce("no read is answered")
    with manager() as heard:
        mount = Mount()
        dog = Watchdog(Manager(heard.address, watchdog_s=30.0), mount.signs())
        mount.is_alive = False
        for _ in range(3):
            dog.look()
    said = [record for record in caplog.records if record.levelno >= logging.INFO]
    assert said[0].getMessage() == "no read is answered: that of .casfs-probe did not end within 15.0 s"
    assert {record.getMessage().partition(" ")[0] for record in said[1:]} == {"thread"}
    assert any("dog.look()" in str(record.stack_info) for record in said)
    assert sum(record.levelno == logging.ERROR for record in said) == 1
