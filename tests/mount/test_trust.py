"""Through the kernel: what proves wrong is told to every program that was served it, and is not wrong for ever."""

import errno
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from tests.mounting import Mounting, wait_until
from tests.providers import state_of

pytestmark = pytest.mark.fuse

MIB = 1 << 20
CONTENT = b"".join(bytes([number]) * (MIB - 1) + b"\n" for number in range(1, 6)) + b"the end"
WRONG = (b"\0", b"\3")
"""What a flipped bit makes of the first byte of the archive, or of its second block."""
UNHASHED = f"{MIB}-{len(CONTENT) - 1}"
"""A part of an archive that is no node of its tree, so that neither it nor any range of it has a hash."""
SMALL_MEMORY = ("--block-cache-size", "1M", "--read-ahead", "0")


@dataclass
class Scene:
    """One output, mounted."""

    server: Server
    root: Path

    @property
    def output(self) -> Path:
        """Where it is."""
        return self.root / "vault" / "job" / "output"

    def befall(self, kind: Kind, **more: Any) -> None:
        """Have something go wrong with the output."""
        self.server.faults.add(replace(Fault(kind=kind, operation="get_job_output"), **more))

    def run(self, *command: object) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end."""
        return subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, timeout=60)

    @property
    def verified(self) -> str:
        """What is said of the output."""
        return os.getxattr(self.output, "user.cas.verified").decode()

    @property
    def errors(self) -> int:
        """How many failures the mount has counted."""
        return int(json.loads(os.getxattr(self.root, "user.cas.stats"))["errors"])

    def send_no_hashes(self) -> None:
        """Be a service that sends none, and let it be known to the mount."""
        self.befall(Kind.DELAY, seconds=0.0, times=None, hash_header="")
        for offset in (0, len(CONTENT) - 1):
            with self.opened() as fd:
                os.pread(fd, 1, offset)

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Open the output, not to be read ahead by the kernel."""
        fd = os.open(self.output, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        try:
            yield fd
        finally:
            with suppress(OSError):
                os.close(fd)

    def serve_wrong(self, fd: int) -> None:
        """Have the first block come wrong and without its hash, and be served; then forgotten by casfs and kernel."""
        self.befall(Kind.FLIP, at=0, times=3, hash_header="")
        self.befall(Kind.DELAY, seconds=0.0, times=None, hash_header="")
        assert os.pread(fd, 1, 0) in WRONG
        os.pread(fd, 1, 3 * MIB)
        os.posix_fadvise(fd, 0, MIB, os.POSIX_FADV_DONTNEED)
        self.server.faults.clear()

    def log(self) -> list[str]:
        """Return the warnings about downloads that the mount has logged, once there are any: it writes when it can."""
        [log] = self.root.parent.glob("log-*")
        wait_until(lambda: "get_job_output" in log.read_text(), "a download has a line")
        return [line for line in log.read_text().splitlines() if "get_job_output" in line]


Mounted = Callable[..., AbstractContextManager[Scene]]


@pytest.fixture
def scene(mounting: Mounting) -> Mounted:
    @contextmanager
    def mounted(*options: object, hashed: bool = True) -> Iterator[Scene]:
        state = state_of("cas")
        state.add_vault("vault")
        archive = state.add_archive("vault", InMemory(CONTENT))
        state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive, None if hashed else UNHASHED), job_id="job")
        with (
            Server(state, credentials={"id": "key"}) as server,
            mounting(server, "--read-timeout", "20", *options) as root,
        ):
            yield Scene(server, root)

    return mounted


def fails(fd: int, offset: int) -> bool:
    """Whether a byte cannot be read."""
    try:
        os.pread(fd, 1, offset)
    except OSError:
        return True
    return False


def test_a_program_that_was_served_a_block_that_proves_wrong_fails_at_its_next_read_and_at_close(
    scene: Mounted, tmp_path: Path
) -> None:
    with scene(*SMALL_MEMORY) as mounted, mounted.opened() as fd:
        mounted.serve_wrong(fd)
        copy = ("cp", mounted.output, tmp_path / "copy")
        # The kernel need not have let go of the wrong page yet: then a copy was served it too, and is told so.
        wait_until(lambda: mounted.run(*copy).returncode == 0, "others read it right")
        assert (tmp_path / "copy").read_bytes() == CONTENT
        assert mounted.verified == "whole"
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # of the copy's right pages, which the kernel would serve
        assert fails(fd, 2 * MIB)
        with pytest.raises(OSError, match="Input/output error") as caught:
            os.close(fd)
        assert caught.value.errno == errno.EIO


def test_a_page_of_the_kernels_that_proves_wrong_is_dropped_at_once(scene: Mounted) -> None:
    with scene(*SMALL_MEMORY) as mounted, mounted.opened() as fd:
        mounted.befall(Kind.FLIP, at=0, times=3, hash_header="")
        assert os.pread(fd, 1, 0) in WRONG
        os.pread(fd, 1, 3 * MIB)
        assert os.pread(fd, 1, 0) in WRONG, "the kernel has it"
        assert fails(fd, MIB // 2), "the block came anew, and right"
        wait_until(lambda: fails(fd, 0), "the kernel has it no more")
        assert mounted.run("head", "-c1", mounted.output).stdout == "\1"


@pytest.mark.parametrize("program", ["cat {} > {}", "cp {} {}", "dd if={} of={} bs=64K status=none"])
def test_a_copy_under_way_when_what_it_was_served_proves_wrong_does_not_end_with_0(
    scene: Mounted, tmp_path: Path, program: str
) -> None:
    slow = tmp_path / "slow"
    os.mkfifo(slow)
    with scene(*SMALL_MEMORY) as mounted, mounted.opened() as fd:
        mounted.befall(Kind.FLIP, at=0, times=3, hash_header="")
        mounted.befall(Kind.DELAY, seconds=0.0, times=None, hash_header="")
        command = ["sh", "-c", "exec " + program.format(mounted.output, slow)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as copying, slow.open("rb", buffering=0) as taking:
            assert taking.read(1) in WRONG
            mounted.server.faults.clear()
            with suppress(OSError):  # it counts as served what the copy was served
                os.pread(fd, 1, 3 * MIB)
            # One that is early may be served the page of the copy still, and is told so.
            wait_until(lambda: mounted.run("cat", mounted.output).stdout == CONTENT.decode(), "others read it right")
            while taking.read(1 << 16):
                pass
            assert copying.wait(60) != 0


def test_a_mismatch_is_one_line_in_the_log_and_counted(scene: Mounted, tmp_path: Path) -> None:
    with scene() as mounted:
        mounted.befall(Kind.WRONG_HASH, at=2 * MIB, times=None)
        mounted.befall(Kind.WRONG_HASH, at=5 * MIB, times=None)
        for _ in range(2):
            assert mounted.run("cp", mounted.output, tmp_path / "copy").returncode == 1
        assert mounted.verified == "mismatch"
        assert mounted.errors >= 2
        [line] = mounted.log()
        wanted = (
            r"get_job_output, vault 'vault', job 'job', bytes=\d+-\d+: .*have the tree hash [0-9a-f]{64}, "
            r"and came with the tree hash (0123456789abcdef){4} \[tries \d+, status 206, code -, request id [^-].*\]"
        )
        assert re.search(wanted, line), line


def test_a_proxy_that_hands_out_the_hash_of_the_whole_is_named(scene: Mounted) -> None:
    with scene() as mounted:
        root = os.getxattr(mounted.output, "user.cas.tree_hash").decode()
        mounted.befall(Kind.DELAY, seconds=0.0, times=None, hash_header=root)
        assert mounted.run("cat", mounted.output).returncode == 1
        assert "is that of the whole output: does a proxy cut ranges out of it?" in "".join(mounted.log())


def test_damage_that_does_not_fit_the_root_has_passed_at_the_next_open(scene: Mounted, tmp_path: Path) -> None:
    with scene() as mounted:
        mounted.send_no_hashes()
        mounted.server.faults.clear()
        mounted.befall(Kind.FLIP, at=2 * MIB, times=1, hash_header="")
        mounted.befall(Kind.DELAY, seconds=0.0, times=None, hash_header="")
        with mounted.opened() as fd:  # the damaged block comes before the last one, which would be fetched once more
            assert os.pread(fd, 1, 2 * MIB) != b"\3"
        assert mounted.run("cp", mounted.output, tmp_path / "copy").returncode == 1
        assert mounted.verified == "mismatch"
        assert mounted.run("cp", mounted.output, tmp_path / "copy").returncode == 0
        assert (tmp_path / "copy").read_bytes() == CONTENT
        assert mounted.verified == "whole"


def test_a_wrong_first_read_of_an_output_without_a_hash_has_passed_when_two_fetches_agree(
    scene: Mounted, tmp_path: Path
) -> None:
    with scene(*SMALL_MEMORY, hashed=False) as mounted:
        with mounted.opened() as fd:
            mounted.serve_wrong(fd)
            assert fails(fd, 0)
            assert mounted.verified == "mismatch"
        assert mounted.run("cp", mounted.output, tmp_path / "copy").returncode == 0
        assert (tmp_path / "copy").read_bytes() == CONTENT[MIB:]
        assert mounted.verified == "unavailable"
