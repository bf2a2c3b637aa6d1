"""What the store asks of this machine's file system."""

import fcntl
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casfs.data.disk.files import SystemFiles
from casfs.data.disk.layout import PAGE
from tests.data.service import MIB, sample
from tests.disk.contents import Archive, open_store

FILES = SystemFiles()


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    fd = FILES.open(str(tmp_path / "file"), write=True, create=True)
    yield fd
    FILES.close(fd)


def mapped(data: bytes) -> memoryview:
    """Return a buffer as the pool has them: whole pages of memory."""
    view = memoryview(mmap.mmap(-1, -(-len(data) // PAGE) * PAGE))[: len(data)]
    view[:] = data
    return view


def crooked(data: bytes) -> memoryview:
    """Return a buffer from which no disk can be written straight."""
    view = memoryview(bytearray(len(data) + 1))[1:]
    view[:] = data
    return view


@pytest.mark.parametrize("buffer", [mapped, crooked], ids=["pages", "crooked"])
@pytest.mark.parametrize("lengths", [[MIB], [MIB] * 40, [MIB, 7], [7], [MIB, MIB, 4097], [7, MIB]], ids=str)
def test_buffers_are_written_in_turn_whatever_they_are(
    fd: int, buffer: Callable[[bytes], memoryview], lengths: list[int]
) -> None:
    parts = [sample(length, number) for number, length in enumerate(lengths)]
    FILES.write_from(fd, [buffer(part) for part in parts], 3 * PAGE)
    assert FILES.read(fd, sum(lengths) + 1, 3 * PAGE) == b"".join(parts)
    assert not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT


def test_what_is_read_and_written_in_turn_is_never_old(fd: int) -> None:
    for number in range(5):
        data = sample(2 * MIB, number)
        FILES.write_from(fd, [mapped(data[:MIB]), mapped(data[MIB:])], PAGE)
        FILES.write(fd, b"beside it", 0)
        assert FILES.read(fd, 2 * MIB, PAGE) == data


def test_the_file_of_a_content_has_its_length_from_the_first(tmp_path: Path) -> None:
    archive = Archive.of(40 * MIB + 5)
    store = open_store(tmp_path / "cache")
    store.content(archive.key).write(archive.new([0]))
    path = Path(store._room.folder.file_of(archive.key.digest))
    before = path.stat().st_size
    store.content(archive.key).write(archive.new([40]))
    assert path.stat().st_size == before
    assert path.stat().st_blocks * 512 < 2 * MIB
