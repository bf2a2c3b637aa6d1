"""A cache for who looks after it: what its disk does holds up nobody."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casfs.apart import Beat, apart
from casfs.cache.folder import CacheFolder
from casfs.errors import CasfsError, ConfigError, DeadlineError
from tests.children import code_command
from tests.data.service import MIB
from tests.disk.contents import Archive, open_store
from tests.mounting import COMMAND_LIMIT_S

ARCHIVE = Archive.of(3 * MIB + 7)

CALLS: dict[str, Callable[[CacheFolder], object]] = {
    "open": lambda folder: CacheFolder.open(folder.path, 1.0),
    "ls": lambda folder: list(folder.entries()),
    "verify": lambda folder: list(folder.inspect()),
    "used": CacheFolder.used_bytes,
    "prune": lambda folder: folder.shrink(0),
    "clear": lambda folder: list(folder.clear()),
}


@pytest.fixture
def folder(faulty: Callable[[str], None], tmp_path: Path) -> CacheFolder:
    path = tmp_path / "mountpoint" / "cache"
    open_store(path).content(ARCHIVE.key).write(ARCHIVE.new(range(4)))
    return CacheFolder(path, 1.0)


@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_hangs_is_told_by_name_and_not_waited_for(
    call: str, folder: CacheFolder, faulty: Callable[[str], None]
) -> None:
    faulty("0 open read getattr")
    with pytest.raises(DeadlineError, match="cache: the disk has not answered for 1 s"):
        CALLS[call](folder)
    faulty("")


OPEN = """
import sys
from pathlib import Path
from casfs.cache.folder import CacheFolder
from casfs.errors import DeadlineError
try:
    CacheFolder.open(Path(sys.argv[1]), 1.0)
except DeadlineError as error:
    print(error)
"""


def test_whoever_reads_the_output_of_a_command_sees_its_end_though_the_disk_hangs(
    folder: CacheFolder, faulty: Callable[[str], None]
) -> None:
    faulty("0 open read getattr")
    command = code_command(OPEN, str(folder.path))
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
    assert done.stdout == f"{folder.path}: the disk has not answered for 1 s\n", done.stderr
    faulty("")


@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_fails_is_told_with_what_it_says(
    call: str, folder: CacheFolder, faulty: Callable[[str], None]
) -> None:
    faulty(f"{errno.EIO} open")
    with pytest.raises(CasfsError, match=os.strerror(errno.EIO)):
        CALLS[call](CacheFolder(folder.path, 60.0))


def test_what_the_steps_raise_is_raised_and_what_they_gave_before_is_had() -> None:
    def steps(_: Beat) -> Iterator[int]:
        yield 1
        raise ConfigError("why")

    found = apart(steps, 60.0, "it")
    assert next(found) == 1
    with pytest.raises(ConfigError, match="why"):
        next(found)


def test_what_nobody_foresaw_of_the_steps_is_an_error_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def steps(_: Beat) -> Iterator[int]:
        yield 1 // 0

    with pytest.raises(CasfsError, match="it: the process that looked at it has ended"):
        list(apart(steps, 60.0, "it"))
    assert "ZeroDivisionError" in capsys.readouterr().err
