"""close(2), by real programs, over every binding: the last moment at which a program can be told."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fs.conftest import Scene

pytestmark = pytest.mark.fuse

PYTHON = "import shutil,sys;shutil.copyfile(sys.argv[1], sys.argv[2])"
LOOKS = {
    "cp": ["cp"],
    "cat": ["sh", "-c", 'cat "$0" > "$1"'],
    "dd": ["sh", "-c", 'dd if="$0" of="$1" bs=64K'],
    "sha256sum": ["sh", "-c", 'sha256sum "$0" > "$1"'],
    "tar": ["sh", "-c", 'tar -cf "$1" "$0"'],
    "python": [sys.executable, "-c", PYTHON],
    "head": ["sh", "-c", 'head -c 5000000 "$0" > "$1"'],
    "install": ["install"],
    "gzip": ["sh", "-c", 'gzip -c "$0" > "$1"'],
}
"""All that were tried but rsync, which does not look at the close of what it reads."""


@pytest.mark.parametrize("program", LOOKS)
def test_a_program_is_told_at_the_close_that_what_it_read_has_proved_wrong(
    mounted: Scene, tmp_path: Path, program: str
) -> None:
    command = [*LOOKS[program], str(mounted.output("proves-wrong")), str(tmp_path / "copy")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "Input/output error" in done.stderr


def test_every_close_of_one_open_file_is_told(mounted: Scene) -> None:
    first = os.open(mounted.output("proves-wrong"), os.O_RDONLY)
    second = os.dup(first)
    for fd in (first, second):
        with pytest.raises(OSError, match="Input/output error") as caught:
            os.close(fd)
        assert caught.value.errno == errno.EIO


def test_a_close_of_what_is_well_is_nothing(mounted: Scene) -> None:
    os.close(os.open(mounted.output("plain"), os.O_RDONLY))
