"""Calls of the main thread are made on another, so that no handler of a signal breaks into what all threads share."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

import casfs
from casfs.aside import Aside
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from tests.conftest import no_more_threads
from tests.library.conftest import DATA, Connect
from tests.library.test_processes import run
from tests.mounting import wait_until
from tests.new_threads import new_threads

SHARED = ("data", "tree", "api", "account.py")
"""What other threads use too, or have to wait for, and what must not be left half done."""

BROKEN_OFF = """
import random, signal, sys
import casfs

class BrokenOff(BaseException):
    pass

def break_off(*_):
    raise BrokenOff

signal.signal(signal.SIGALRM, break_off)
moments = random.Random(5)
account = casfs.connect(sys.argv[1], block_cache_size="1M", connections=2, read_timeout=20)
file = account.open("backups", "job")
expected = file.read()
count = 0
while count < 60:
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-5, 4e-3))
            while True:
                at = moments.randrange(len(expected))
                file.seek(at)
                assert file.read(70_000) == expected[at : at + 70_000]
                account.job("backups", "job", fresh=True)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except BrokenOff:
        count += 1
        at = file.tell()
        assert file.read(1000) == expected[at : at + 1000]
file.seek(0)
print(file.read() == expected, list(account.jobs("backups")) != [])
account.close()
"""


class BrokenOffError(BaseException):
    """What a handler of a signal raises."""


@contextmanager
def handling(handler: Callable[[], object]) -> Iterator[None]:
    """Handle SIGUSR2 in the block."""

    def handle(_number: int, _frame: object) -> None:
        handler()

    before = signal.signal(signal.SIGUSR2, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR2, before)


@contextmanager
def signalled_once(is_time: Callable[[], bool]) -> Iterator[None]:
    """Send SIGUSR2 to this thread once it is time."""
    here = threading.get_ident()

    def send() -> None:
        wait_until(is_time, "it is time")
        signal.pthread_kill(here, signal.SIGUSR2)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        sender.join(60)


def break_off() -> None:
    raise BrokenOffError


def test_no_step_of_names_bytes_or_requests_is_made_on_the_main_thread(connect: Connect) -> None:
    package = Path(casfs.__file__).parent
    entered: set[str] = set()

    def note(frame: FrameType, _event: str, _argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(package):
            entered.add(path.relative_to(package).parts[0])

    account = connect()
    sys.setprofile(note)
    try:
        list(account.vaults())
        account.vault("backups")
        list(account.jobs("backups"))
        account.job("backups", "job", fresh=True)
        account.wait("backups", "job")
        file = account.open("backups", "job")
        data = file.read(), file.seek(0), file.readline(), file.verification
        account.forget()
        account.retrieve_inventory("backups")
        file.close()
        account.close()
    finally:
        sys.setprofile(None)
    assert data[0] == DATA
    assert "aside.py" in entered
    assert not entered.intersection(SHARED)


def test_what_handlers_break_off_anywhere_is_not_left_half_done(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    done = run(BROKEN_OFF, server.url, env=env, directory=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("True True\n", "", 0)


def test_a_read_that_is_broken_off_ends_at_once_and_writes_to_nothing_any_more(
    connect: Connect, server: Server
) -> None:
    with connect(read_timeout=600) as account, account.open("backups", "job") as file:
        server.faults.add(Fault(kind=Kind.DELAY, operation="get_job_output", seconds=600))
        fetched = len(server.requests)
        buffer = bytearray(1000)
        with handling(break_off), signalled_once(lambda: len(server.requests) > fetched), pytest.raises(BrokenOffError):
            file.readinto(buffer)
        buffer += b"it is nobody else's"
        assert file.tell() == 0


def test_a_handler_may_close_the_account_and_what_it_broke_into_is_a_value_error(
    connect: Connect, server: Server
) -> None:
    threads = new_threads("casfs-")
    account = connect(read_timeout=600)
    file = account.open("backups", "job")
    server.faults.add(Fault(kind=Kind.DELAY, operation="get_job_output", seconds=600))
    fetched = len(server.requests)
    asked = signalled_once(lambda: len(server.requests) > fetched)
    with handling(account.close), asked, pytest.raises(ValueError, match="closed meanwhile"):
        file.read()
    assert file.closed
    wait_until(lambda: not threads(), "the threads end")


def test_a_handler_may_ask_for_something_else(connect: Connect, server: Server) -> None:
    with connect(read_timeout=600) as account, account.open("backups", "job") as file:
        server.faults.add(Fault(kind=Kind.DELAY, operation="get_job_output", seconds=1.0))
        fetched = len(server.requests)
        found: list[bytes] = []

        def read_another() -> None:
            with account.open("backups", "text") as another:
                found.append(another.read())

        with handling(read_another), signalled_once(lambda: len(server.requests) > fetched):
            assert file.read() == DATA
        assert found == [b"one\ntwo\n"]


def test_where_the_system_gives_no_thread_a_call_is_simply_made() -> None:
    aside = Aside()
    with no_more_threads():
        assert aside.run(threading.get_ident) == threading.get_ident()
    assert aside.run(threading.get_ident) != threading.get_ident()
    aside.stop()
    assert aside.run(threading.get_ident) == threading.get_ident()


def test_a_child_that_a_handler_forks_within_a_call_is_told() -> None:
    aside, begun = Aside(), threading.Event()
    children: list[int] = []

    def fork() -> None:
        children.append(os.fork())

    def call() -> None:
        begun.set()
        wait_until(lambda: bool(children), "it has forked")

    is_told = False
    with handling(fork), signalled_once(begun.is_set):
        try:
            aside.run(call)
        except casfs.InterruptedCallError:
            is_told = True
    if children[0] == 0:
        os._exit(42 if is_told else 0)
    aside.stop()
    assert not is_told
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 42
