"""A user who is not root."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mount.nobody import AS_NOBODY, NOBODY, Run
from tests.mounting import environment


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """Make a directory of nobody's: those of pytest are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="casfs-nobody-"))
    (made / "mount").mkdir()
    for path in (made, made / "mount"):
        os.chown(path, NOBODY, NOBODY)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def run(nobodys: Path) -> Run:
    """Run a shell script as nobody, or another user, with the command in ``$@``; skip where that cannot be had."""

    def as_nobody(
        script: str, *arguments: object, user: int = NOBODY, before: str = "", options: str = ""
    ) -> subprocess.CompletedProcess[str]:
        words = [AS_NOBODY, script, sys.base_prefix, user, before, options, *arguments]
        # A mount in the background goes on for a moment once it was unmounted: with its process 1 it is gone at once.
        command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-euc", *map(str, words)]
        env = environment(nobodys, CASFS_LOG_FILE=str(nobodys / "log"))
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    if os.geteuid() != 0 or shutil.which("fusermount3") is None:
        pytest.skip("only root can be somebody else, and fusermount3 mounts for them")
    if as_nobody('"$@"', sys.executable, "-c", "import casfs.mount.serve").returncode:
        pytest.skip("nobody cannot read this Python, or no namespace can be made here")
    return as_nobody
