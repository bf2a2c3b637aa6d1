"""What commands without a mount share: they say which settings could not be read, and a signal ends them."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mounting import casfs, environment

HANGS = """
import signal, sys, threading
from casfs.cli import session

session.END_S = 0.1
with session.session({}):
    try:
        signal.raise_signal(int(sys.argv[1]))
    finally:
        threading.Event().wait()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_process_ends_though_what_it_ends_with_hangs(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", HANGS, str(int(number))]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (128 + number, b"")


PRESSED = """
import signal
from casfs.cli import drain

def press(number, handler, set_to=signal.signal):
    before = set_to(number, handler)
    if callable(handler):
        signal.raise_signal(number)
    return before

signal.signal = press
try:
    with drain._signals():
        print("goes on")
except KeyboardInterrupt:
    print("stops")
"""


def test_signal_that_comes_while_a_drain_prepares_for_signals_stops_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PRESSED]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"stops\n", b"")


@pytest.mark.parametrize(
    "command",
    [
        "ls http://127.0.0.1:9",
        "drain http://127.0.0.1:9/-/v out",
        "config show ap-chengdu:",
        "cache ls --cache-dir none",
    ],
)
def test_a_file_of_settings_that_cannot_be_read_is_named_once_where_the_settings_are_elsewhere(
    command: str, tmp_path: Path
) -> None:
    unreadable = tmp_path / ".config" / "casfs" / "config.toml"
    unreadable.mkdir(parents=True)
    done = casfs(*command.split(), env=environment(tmp_path))
    said = [line for line in done.stderr.splitlines() if "cannot be read" in line]
    assert said == [f"casfs: warning: {unreadable} cannot be read: Is a directory"]
