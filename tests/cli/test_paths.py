"""Paths of a command line that lead through what does not answer."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mounting import COMMAND_LIMIT_S, casfs, environment


@pytest.mark.parametrize(
    "command", ["get {place}/job file", "drain {place} out", "drain --ledger {there}/l {place} out"]
)
def test_relative_path_in_a_folder_that_is_no_more_is_a_line(command: str, tmp_path: Path) -> None:
    words = command.format(place="http://127.0.0.1:9/-/backups", there=tmp_path)
    shell = f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m casfs {words}"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True,
        timeout=COMMAND_LIMIT_S, check=False,
    )  # fmt: skip
    said = f"'{words.split()[-1]}' is seen from a working directory that is no more; cd to one that exists"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"casfs: {said}\n")


@pytest.mark.fuse
def test_command_ends_though_its_path_leads_through_what_hangs(faulty: Callable[[str], None], tmp_path: Path) -> None:
    """Nothing ends a thread that waits there, and no process ends before its threads."""
    faulty("0 getattr")
    path = tmp_path / "mountpoint" / "a" / "b"
    done = casfs("umount", path, env=environment(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"casfs: {path}: it leads through what does not answer within 5 s\n"
    faulty("")
