"""What a service manager hears, on real sockets."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from casfs.operate.notify import Manager, manager_of
from tests.managers import manager


@pytest.mark.parametrize("kind", ["path", "abstract name"])
def test_is_told_on_a_path_and_under_an_abstract_name(tmp_path: Path, kind: str) -> None:
    with manager(tmp_path if kind == "path" else None) as heard:
        told = Manager(heard.address)
        told.ready("three\nvaults")
        told.status("two")
        told.alive()
        told.stopping("SIGTERM")
        assert [heard.next(), heard.next(), heard.next(), heard.next()] == [
            {"READY": "1", "STATUS": "three vaults"},
            {"STATUS": "two"},
            {"WATCHDOG": "1"},
            {"STOPPING": "1", "STATUS": "SIGTERM"},
        ]


def test_a_reload_tells_when_it_began() -> None:
    with manager() as heard:
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        Manager(heard.address).reloading()
        message = heard.next()
        assert message is not None
        assert message["RELOADING"] == "1"
        assert before <= int(message["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_nobody_is_told_where_nobody_listens() -> None:
    silent = Manager()
    silent.ready("")
    silent.stopping("")
    assert not silent.listens


@pytest.mark.parametrize("address", ["/nowhere/at/all", "@nobody-of-this-name", "x" * 200])
def test_a_manager_that_is_not_there_is_named_once(
    address: str, announce: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    announce("cannot be told anything")
    gone = Manager(address)
    gone.ready("")
    gone.alive()
    assert len(caplog.records) == 1


def test_the_end_does_not_wait_for_a_manager_that_takes_nothing(announce: Callable[[str], None]) -> None:
    announce("cannot be told anything")
    with manager() as heard:
        full = Manager(heard.address)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    other.sendto(b"x", b"\0" + heard.address[1:].encode())
        began_s = time.monotonic()
        full.stopping("SIGTERM")
        assert time.monotonic() - began_s < 4, "less than other messages wait"


NOTIFIED = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "30000000"}


@pytest.mark.parametrize(
    ("more", "pid", "watchdog_s"),
    [
        ({}, 7, 30.0),
        ({"WATCHDOG_PID": "7"}, 7, 30.0),
        ({"WATCHDOG_PID": "8"}, 7, None),
        ({"WATCHDOG_USEC": "0"}, 7, None),
        ({"WATCHDOG_USEC": "soon"}, 7, None),
        ({"NOTIFY_SOCKET": ""}, 7, None),
        ({"SYSTEMD_EXEC_PID": "7", "WATCHDOG_PID": "7"}, 9, 30.0),
        ({"SYSTEMD_EXEC_PID": "6", "WATCHDOG_PID": "7"}, 9, None),
        ({}, 9, None),
    ],
)
def test_a_watchdog_is_fed_by_whom_it_is_meant_for(more: dict[str, str], pid: int, watchdog_s: float | None) -> None:
    """The command that was begun is process 7."""
    assert manager_of(NOTIFIED | more, pid, command=7).watchdog_s == watchdog_s


def test_a_mount_in_the_background_speaks_for_the_service_of_its_command_and_of_nobody_else() -> None:
    with manager() as heard:
        environment = {"NOTIFY_SOCKET": heard.address, "SYSTEMD_EXEC_PID": "7"}
        manager_of(environment, 9, command=8).ready("of a script")
        manager_of(environment, 9, command=7).ready("of a command")
        assert heard.next() == {"MAINPID": "9", "READY": "1", "STATUS": "of a command"}
