"""Ctrl-C before the command line is even read: a status, and no word."""

import subprocess
import sys

import pytest

from tests.mounting import COMMAND_LIMIT_S

PRESSED = """
import os, signal, sys
class Pressing:
    def find_spec(self, name, path, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, {handler})
sys.meta_path.insert(0, Pressing())
sys.argv = ["casfs", "--help"]
from casfs.cli import entry
entry.{entry}()
"""


def press(name: str, entry: str, handler: str = "signal.default_int_handler") -> subprocess.CompletedProcess[str]:
    """Run a command in which Ctrl-C comes as soon as a module is imported."""
    program = PRESSED.format(name=name, handler=handler, entry=entry)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)


@pytest.mark.parametrize(("name", "entry"), [("casfs.cli.main", "main"), ("click", "main"), ("click", "mount_helper")])
def test_ctrl_c_while_modules_are_imported_is_a_status_and_no_word(name: str, entry: str) -> None:
    done = press(name, entry)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_that_is_ignored_stays_ignored() -> None:
    done = press("click", "main", "signal.SIG_IGN")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: casfs")
