"""``mount.casfs``, as mount(8) calls it."""

import subprocess
import sys
from pathlib import Path

from tests.mounting import environment

MAIN = "from casfs.cli.mount_helper import main; main()"


def helper(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", MAIN, *map(str, arguments)]
    return subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=120, check=False)
