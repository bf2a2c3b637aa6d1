"""Bytes through the kernel: the right ones, or an error."""

import errno
import hashlib
import mmap
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.fs.conftest import Scene
from tests.fs.scene import BIG, FAILS_FROM, FAILURES, SIZE, WRONG_SIZES
from tests.fs.stands import whole

pytestmark = pytest.mark.fuse
LIMIT_S = 20
EIO = os.strerror(errno.EIO)


def run(*command: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*map(str, command)], capture_output=True, check=False, timeout=LIMIT_S)


def by_cp(source: Path, target: Path) -> bool:
    return run("cp", source, target).returncode == 0


def by_cat(source: Path, target: Path) -> bool:
    done = run("cat", source)
    target.write_bytes(done.stdout)
    return done.returncode == 0


def by_dd(source: Path, target: Path) -> bool:
    return run("dd", f"if={source}", f"of={target}", "bs=64k").returncode == 0


def by_rsync(source: Path, target: Path) -> bool:
    return run("rsync", "-a", source, target).returncode == 0


def by_tar(source: Path, target: Path) -> bool:
    done = subprocess.run(
        f"tar -C {source.parent} -cf - output | tar -xOf - output > {target}", shell=True, check=False, timeout=LIMIT_S,
        executable="/bin/bash",
    )  # fmt: skip
    return done.returncode == 0 and len(target.read_bytes()) > 0


def by_shutil(source: Path, target: Path) -> bool:
    try:
        shutil.copyfile(source, target)
    except OSError:
        return False
    return True


def by_direct(source: Path, target: Path) -> bool:
    return run("dd", f"if={source}", f"of={target}", "bs=1M", "iflag=direct").returncode == 0


def by_read(source: Path, target: Path) -> bool:
    """Copy without a look at the size, in small reads."""
    with source.open("rb", buffering=0) as file, target.open("wb") as copy:
        fd = file.fileno()
        while data := os.pread(fd, 1000, copy.tell()):
            copy.write(data)
    return True


def by_sendfile(source: Path, target: Path) -> bool:
    """Copy without a look at the size, and without a read."""
    file, copy = os.open(source, os.O_RDONLY), os.open(target, os.O_WRONLY | os.O_CREAT)
    try:
        while os.sendfile(copy, file, None, 1 << 20):
            pass
    finally:
        os.close(file)
        os.close(copy)
    return True


COPIES = (by_cp, by_cat, by_dd, by_rsync, by_shutil, by_direct)
EVERY_COPY = (*COPIES, by_tar, by_read, by_sendfile)
Copy = Callable[[Path, Path], bool]


@pytest.mark.parametrize("copy", EVERY_COPY)
@pytest.mark.parametrize("job", ["plain", *WRONG_SIZES])
def test_every_copy_has_all_bytes_though_a_stat_before_knew_another_size(
    mounted: Scene, tmp_path: Path, job: str, copy: Copy
) -> None:
    source = mounted.output(job if job == "plain" else f"{job}-{EVERY_COPY.index(copy)}")
    source.stat()
    assert copy(source, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == whole(SIZE)
    assert source.stat().st_size == SIZE


def test_an_empty_output_is_an_empty_file(mounted: Scene) -> None:
    assert mounted.output("empty").read_bytes() == b""


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("name", FAILURES)
def test_a_read_that_fails_in_any_way_is_an_error_and_never_an_end_of_file(
    mounted: Scene, tmp_path: Path, name: str, copy: Copy
) -> None:
    source = mounted.output(f"read-{name}")
    assert not copy(source, tmp_path / "copy")
    assert source.stat().st_size == SIZE
    with source.open("rb", buffering=0) as file:
        assert file.read(FAILS_FROM // 2) == whole(FAILS_FROM // 2)
        file.seek(FAILS_FROM)
        with pytest.raises(OSError, match=EIO):
            file.read(10)


USES: dict[str, Callable[[Scene, str], object]] = {
    "open": lambda mounted, name: mounted.output(f"open-{name}").read_bytes(),
    "stat": lambda mounted, name: mounted.output(f"stat-{name}").stat(),
    "list": lambda mounted, name: list(mounted.output(f"list-{name}").parent.iterdir()),
    "getxattr": lambda mounted, name: os.getxattr(mounted.output(f"attribute-{name}"), "user.cas.job_id"),
    "listxattr": lambda mounted, name: os.listxattr(mounted.output(f"attribute-{name}")),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("use", USES)
def test_whatever_fails_in_any_way_is_eio_and_never_an_empty_answer(mounted: Scene, use: str, name: str) -> None:
    with pytest.raises(OSError, match=EIO):
        USES[use](mounted, name)
    assert mounted.output("plain").stat().st_size == SIZE


@pytest.mark.parametrize("name", FAILURES)
def test_a_close_that_fails_in_any_way_harms_nobody(mounted: Scene, name: str) -> None:
    assert mounted.output(f"close-{name}").read_bytes() == whole(SIZE)


def test_an_answer_that_is_short_before_the_end_is_an_error(mounted: Scene, tmp_path: Path) -> None:
    assert not by_cat(mounted.output("short"), tmp_path / "copy")


@pytest.mark.parametrize("flags", [mmap.MAP_SHARED, mmap.MAP_PRIVATE], ids=["shared", "private"])
def test_an_output_can_be_mapped(mounted: Scene, flags: int) -> None:
    with mounted.output("plain").open("rb") as file, mmap.mmap(file.fileno(), 0, flags, mmap.PROT_READ) as mapped:
        assert mapped[:] == whole(SIZE)


def test_a_second_read_comes_out_of_the_page_cache_and_asks_nothing_per_read(mounted: Scene) -> None:
    def digest() -> str:
        with mounted.output("big").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    assert digest() == hashlib.sha256(whole(BIG)).hexdigest()
    asked = []
    for _ in range(3):  # somebody may have the machine drop its caches
        before = mounted.counts()
        assert digest() == hashlib.sha256(whole(BIG)).hexdigest()
        after = mounted.counts()
        asked.append((after["read"] - before["read"], after["getattr"] - before["getattr"]))
    reads, getattrs = min(asked)
    assert reads == 0
    # A few for the open, and for the read at the end of the file; a read of 64 KiB at a time makes 1,024.
    assert getattrs < 10


def test_pages_of_an_output_that_is_not_trusted_are_not_kept(mounted: Scene) -> None:
    reads = []
    for _ in range(2):
        before = mounted.counts()["read"]
        assert mounted.output("anew").read_bytes() == whole(SIZE)
        reads.append(mounted.counts()["read"] - before)
    assert reads[1] >= 3


def test_libfuse_3_is_asked_for_whole_blocks(mounted: Scene) -> None:
    if mounted.binding != "mfusepy" or os.geteuid() != 0:
        pytest.skip("libfuse 2 has no reads over 128 KiB, and only root may set how far the kernel reads ahead")
    before = mounted.counts()["read"]
    mounted.output("warm").read_bytes()
    assert mounted.counts()["read"] - before <= 5


def test_reads_anywhere_are_the_bytes_of_there(mounted: Scene) -> None:
    expected = whole(SIZE)
    fd = os.open(mounted.output("plain"), os.O_RDONLY)
    try:
        for offset in (0, 1, 4095, 1 << 20, (1 << 20) - 1, SIZE - 1, SIZE, SIZE + 100):
            assert os.pread(fd, 10_000, offset) == expected[offset : offset + 10_000]
    finally:
        os.close(fd)


def test_many_programs_read_at_once(mounted: Scene) -> None:
    sources: Sequence[Path] = [mounted.output(job) for job in ("plain", "grows-9", "unknown-9", "anew")] * 4
    readers = [subprocess.Popen(["sha256sum", source], stdout=subprocess.PIPE) for source in sources]
    expected = hashlib.sha256(whole(SIZE)).hexdigest().encode()
    assert all(reader.communicate(timeout=LIMIT_S)[0].startswith(expected) for reader in readers)
