"""The process that watches a mountpoint, where nothing is ever mounted; where something is: tests/mount."""

import subprocess
import sys
from pathlib import Path

from tests.mounting import wait_until

ENDS_FIRST = """
import pathlib, sys
from casfs.mount.watcher import Watcher
watcher = Watcher(pathlib.Path(sys.argv[1]))
watcher.start()
watcher.look_for(1)
print(watcher._process)
"""


def test_watcher_ends_with_the_process_that_it_watches_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENDS_FIRST, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    wait_until(lambda: not Path("/proc", done.stdout.strip()).exists(), "the watcher ends")


LOOKS_FOR_ANOTHER = """
import pathlib, sys
from casfs.mount import watcher
watcher.ANSWER_TIMEOUT_S = 0.3
started = watcher.Watcher(pathlib.Path(sys.argv[1]))
started.start()
started.look_for(pathlib.Path("/proc").stat().st_dev)
print(started.wait().name)
"""


def test_watcher_is_not_answered_by_what_others_have_mounted_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOOKS_FOR_ANOTHER, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    assert done.stdout == "NOTHING\n"
