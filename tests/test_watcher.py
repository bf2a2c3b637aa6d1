"""The process that watches a mountpoint, where nothing is ever mounted; where something is: tests/mount."""

import subprocess
import sys
from pathlib import Path

from tests.mounting import wait_until

ENDS_FIRST = """
import pathlib, sys
from casfs.watcher import Watcher
watcher = Watcher(pathlib.Path(sys.argv[1]))
watcher.start()
print(watcher._process)
"""


def test_watcher_ends_with_the_process_that_it_watches_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENDS_FIRST, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=20, check=True)
    wait_until(lambda: not Path("/proc", done.stdout.strip()).exists(), "the watcher ends")
