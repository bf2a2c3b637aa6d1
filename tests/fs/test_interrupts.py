"""Which pending signals end a program."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from casfs.fs.interrupts import Interrupts, has_ended, has_ending_signal, wants_to_end


def pending(number: signal.Signals, *, caught: bool, blocked: bool = False, ignored: bool = False) -> str:
    """Return a status file in which *number* is pending, as the kernel writes it."""
    bit = 1 << (number - 1)
    sets = {"SigPnd": 0, "ShdPnd": bit, "SigBlk": bit * blocked, "SigIgn": bit * ignored, "SigCgt": bit * caught}
    return "Name:\tcat\nState:\tD (disk sleep)\nSigQ:\t0/7866\n" + "".join(
        f"{name}:\t{mask:016x}\n" for name, mask in sets.items()
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP])
@pytest.mark.parametrize("caught", [True, False], ids=["caught", "not caught"])
def test_a_signal_that_means_the_end_ends_the_wait_whoever_handles_it(number: signal.Signals, *, caught: bool) -> None:
    assert has_ending_signal(pending(number, caught=caught))


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGUSR1, signal.SIGPIPE, signal.SIGSEGV, signal.SIGIO])
def test_a_signal_that_is_deadly_ends_the_wait_of_who_does_not_handle_it(number: signal.Signals) -> None:
    assert has_ending_signal(pending(number, caught=False))
    assert not has_ending_signal(pending(number, caught=True))


@pytest.mark.parametrize("number", [signal.SIGCHLD, signal.SIGWINCH, signal.SIGURG, signal.SIGCONT, signal.SIGTSTP])
@pytest.mark.parametrize("caught", [True, False], ids=["caught", "not caught"])
def test_a_signal_that_kills_nobody_does_not_end_the_wait(number: signal.Signals, *, caught: bool) -> None:
    assert not has_ending_signal(pending(number, caught=caught))


def test_the_kill_signal_ends_the_wait() -> None:
    assert has_ending_signal(pending(signal.SIGKILL, caught=False))


def test_a_signal_that_cannot_arrive_does_not_end_the_wait() -> None:
    assert not has_ending_signal(pending(signal.SIGTERM, caught=False, blocked=True))
    assert not has_ending_signal(pending(signal.SIGTERM, caught=False, ignored=True))


def test_the_kernels_own_status_can_be_read() -> None:
    here = threading.get_native_id()
    assert wants_to_end(here) is False
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)  # another thread may not have it blocked
        assert wants_to_end(here) is False
        assert signal.sigtimedwait({signal.SIGTERM}, 1) is not None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def test_who_has_ended_waits_no_more_and_of_a_stranger_nobody_knows() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert wants_to_end(process.pid) is True
    assert has_ended(os.getpid()) is None
    assert wants_to_end(0) is None


def asked(*, by_libfuse: int, thread: int) -> bool:
    interrupts = Interrupts(lambda: by_libfuse, lambda: thread)
    with interrupts:
        return interrupts.interrupted()


def test_libfuse_is_believed_where_the_program_cannot_be_looked_at() -> None:
    assert asked(by_libfuse=1, thread=0)
    assert not asked(by_libfuse=0, thread=0)


def test_libfuse_is_not_believed_where_the_program_goes_on() -> None:
    assert not asked(by_libfuse=1, thread=os.getpid())


def test_nobody_is_interrupted_outside_of_a_callback() -> None:
    interrupts = Interrupts(lambda: 1, lambda: 0)
    assert not interrupts.interrupted()
    with interrupts:
        assert interrupts.interrupted()
    assert not interrupts.interrupted()
