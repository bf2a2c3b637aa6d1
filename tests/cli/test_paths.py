"""Paths of a command line that lead through what does not answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mounting import casfs, environment


@pytest.mark.fuse
def test_command_ends_though_its_path_leads_through_what_hangs(faulty: Callable[[str], None], tmp_path: Path) -> None:
    """Nothing ends a thread that waits there, and no process ends before its threads."""
    faulty("0 getattr")
    path = tmp_path / "mountpoint" / "a" / "b"
    done = casfs("umount", path, env=environment(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"casfs: {path}: it leads through what does not answer within 5 s\n"
    faulty("")
