"""Signals, taken by a process of their own."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from casfs.operate.signals import Errand
from tests.managers import PATIENCE_S

SCRIPT = """
import signal, sys, threading
from casfs.operate.signals import Signals
def end(name):
    print("end", name, flush=True)
    over.set()
def hang():
    print("hangs", flush=True)
    threading.Event().wait()
over = threading.Event()
Signals(end, {signal.SIGHUP: lambda: print("read anew", flush=True), signal.SIGUSR1: hang}).start()
print("begun", flush=True)
over.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_one_that_hangs_holds_up_neither_others_nor_the_end(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        heard = iter(process.stdout.readline, "")
        assert next(heard) == "begun\n"
        for sent, said in ((signal.SIGUSR1, "hangs\n"), (signal.SIGHUP, "read anew\n"), (signal.SIGHUP, "read anew\n")):
            process.send_signal(sent)
            assert next(heard) == said
        process.send_signal(signal.SIGUSR2)
        process.send_signal(number)
        assert next(heard) == f"end {number.name}\n"
        assert process.wait(PATIENCE_S) == 0


def test_what_is_asked_for_while_it_is_done_is_done_once_more(announce: Callable[[str], None]) -> None:
    announce("nobody foresaw")
    begun, go_on, done = threading.Semaphore(0), threading.Semaphore(0), []

    def action() -> None:
        begun.release()
        assert go_on.acquire(timeout=PATIENCE_S)
        done.append(threading.current_thread().name)
        raise ValueError("which is no reason not to do it again")

    errand = Errand("SIGHUP", action)
    errand.run()
    assert begun.acquire(timeout=PATIENCE_S)
    for _ in range(5):
        errand.run()
    go_on.release(2)
    assert begun.acquire(timeout=PATIENCE_S)
    errand.run()
    go_on.release(2)
    for thread in threading.enumerate():
        if thread.name == "SIGHUP":
            thread.join(PATIENCE_S)
    assert len(done) in {2, 3}, "once more, and again for what came during that"
    assert set(done) == {"SIGHUP"}
