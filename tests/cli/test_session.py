"""How a signal ends a command that works without a mount."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mounting import environment

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
