"""The cache on disk through the kernel: what is read again over kills, mounts, vaults and processes, and damage."""

import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from casfs.data.disk import layout
from casfs.data.disk.layout import ContentKey
from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.data.service import tree_hash
from tests.mounting import Mounting, processes_of, wait_until

pytestmark = pytest.mark.fuse

MIB = 1 << 20


def flipped(was: bytes) -> bytes:
    """Return bytes with each bit flipped."""
    return bytes(255 - byte for byte in was)


NOISE = random.Random(13).randbytes(MIB + 7)
BYTES = (NOISE * 64)[: 64 * MIB - 5]


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    for vault in ("photos", "copies"):
        state.add_vault(vault)
        archive = state.add_archive(vault, InMemory(BYTES))
        state.add_job(vault, ARCHIVE_RETRIEVAL, part(archive), job_id="job")
    with Server(state, credentials={"id": "key"}) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def output(root: Path, vault: str = "photos") -> Path:
    return root / vault / "job" / "output"


def attribute(path: Path, name: str) -> str:
    return os.getxattr(path, f"user.cas.{name}").decode()


def kept(path: Path) -> None:
    """Wait until all of an output is on disk."""
    wait_until(lambda: attribute(path, "cached") == "whole", "all of the output is kept on disk")


def downloads(server: Server) -> int:
    """Return how many outputs, or parts of one, were asked for."""
    return sum(request.operation == "get_job_output" for request in server.requests)


def test_after_a_kill_what_was_read_is_read_again_from_disk(server: Server, mounting: Mounting, cache: Path) -> None:
    with mounting(server, "--cache-dir", cache) as root:
        assert output(root).read_bytes() == BYTES
        kept(output(root))
        for process in processes_of(root):
            os.kill(process, signal.SIGKILL)
    before = downloads(server)
    with mounting(server, "--cache-dir", cache) as root:
        assert output(root).read_bytes() == BYTES
        assert attribute(output(root), "verified") == "whole"
        assert attribute(output(root), "cached") == "whole"
    assert downloads(server) - before <= 2


def swap(one: Path, other: Path) -> None:
    """Swap two files."""
    spare = one.with_suffix(".spare")
    one.rename(spare)
    other.rename(one)
    spare.rename(other)


def change(path: Path, offset: int, length: int = 1, by: Callable[[bytes], bytes] = flipped) -> None:
    """Let bytes of a file be others."""
    with path.open("r+b") as file:
        file.seek(offset)
        was = file.read(length)
        file.seek(offset)
        file.write(by(was))


def data(block: int) -> int:
    """Return where a block is in the file of an output of SMALL bytes."""
    return layout.data_offset(block, SMALL)


def exchange(path: Path, one: int, other: int, length: int) -> None:
    """Swap two stretches of a file."""
    raw = bytearray(path.read_bytes())
    raw[one : one + length], raw[other : other + length] = raw[other : other + length], raw[one : one + length]
    path.write_bytes(raw)


def truncate(path: Path, length: int) -> None:
    os.truncate(path, length)


SMALL = 3 * MIB + 7
ALL = {0, 1, 2, 3}
Damage = Callable[[Path, Path], object]
DAMAGES: dict[str, tuple[Damage, set[int]]] = {
    "nothing": (lambda _file, _other: None, set()),
    "a byte of a block": (lambda file, _: change(file, data(1) + 77), {1}),
    "the last byte": (lambda file, _: change(file, data(3) + 6), {3}),
    "a byte of a hash": (lambda file, _: change(file, layout.leaf_offset(2) + 3), {2}),
    "a byte of what binds a hash": (lambda file, _: change(file, layout.leaf_offset(2) + 34), {2}),
    "a byte of whose it is": (lambda file, _: change(file, 20), set()),
    "two hashes swapped": (
        lambda file, _: exchange(file, layout.leaf_offset(0), layout.leaf_offset(1), layout.LEAF_SIZE), {0, 1},
    ),
    "two blocks swapped": (lambda file, _: exchange(file, data(0), data(2), MIB), {0, 2}),
    "cut in the last block": (lambda file, _: truncate(file, data(3) + 3), {3}),
    "cut in the middle": (lambda file, _: truncate(file, data(1) + 9), {1, 2, 3}),
    "cut in the hashes": (lambda file, _: truncate(file, layout.leaf_offset(1) + 9), ALL),
    "emptied": (lambda file, _: truncate(file, 0), ALL),
    "removed": (lambda file, _: file.unlink(), ALL),
    "swapped with another": (swap, ALL),
    "overwritten with another": (lambda file, other: file.write_bytes(other.read_bytes()), ALL),
    "a block punched out": (lambda file, _: change(file, data(2), MIB, lambda was: bytes(len(was))), {2}),
}  # fmt: skip
"""What happens to the file of a content, with that of another one at hand, and the blocks that are hurt by it."""


def test_of_what_was_damaged_on_disk_only_that_is_fetched_again(mounting: Mounting, cache: Path) -> None:
    state, contents = State(), [random.Random(number).randbytes(SMALL) for number in range(2 * len(DAMAGES))]
    state.add_vault("photos")
    jobs = {f"{kind} {name}".replace(" ", "-"): (kind, name) for kind in DAMAGES for name in ("one", "other")}
    for job, content in zip(jobs, contents, strict=True):
        archive = state.add_archive("photos", InMemory(content))
        state.add_job("photos", ARCHIVE_RETRIEVAL, part(archive), job_id=job)
    with Server(state, credentials={"id": "key"}) as server:
        with mounting(server, "--cache-dir", cache) as root:
            for job, content in zip(jobs, contents, strict=True):
                assert (root / "photos" / job / "output").read_bytes() == content
            for job in jobs:
                kept(root / "photos" / job / "output")
        files = {bytes(path.name, "ascii"): path for path in (cache / "contents").glob("*/*")}
        paths = {
            job: files[ContentKey.of(SMALL, tree_hash(content), ()).digest.hex().encode()]
            for job, content in zip(jobs, contents, strict=True)
        }
        for job, (kind, name) in jobs.items():
            if name == "one":
                DAMAGES[kind][0](paths[job], paths[job.removesuffix("one") + "other"])
        change(cache / "journal", 40)
        before = len(server.requests)
        with mounting(server, "--cache-dir", cache) as root:
            for job, content in zip(jobs, contents, strict=True):
                assert (root / "photos" / job / "output").read_bytes() == content, job
        fetched: dict[str, set[int]] = {job: set() for job in jobs}
        for request in server.requests[before:]:
            if request.operation == "get_job_output":
                first, last = map(int, (request.range or "").removeprefix("bytes=").split("-"))
                fetched[request.job or ""] |= set(range(first // MIB, last // MIB + 1))
    hurt = {job: DAMAGES[kind][1] if name == "one" else set() for job, (kind, name) in jobs.items()}
    hurt["swapped-with-another-other"] = ALL
    assert fetched == hurt


def test_two_mounts_that_read_one_output_at_once_download_each_block_about_once(
    server: Server, mounting: Mounting, cache: Path
) -> None:
    with mounting(server, "--cache-dir", cache) as one, mounting(server, "--cache-dir", cache) as other:
        copies = [subprocess.Popen(["cat", output(root)], stdout=subprocess.PIPE) for root in (one, other)]
        with ThreadPoolExecutor() as pool:
            assert list(pool.map(lambda copy: copy.communicate(timeout=120)[0] == BYTES, copies)) == [True, True]
    assert [copy.returncode for copy in copies] == [0, 0]
    lengths = [request.range for request in server.requests if request.operation == "get_job_output"]
    spans = [tuple(map(int, (span or "").removeprefix("bytes=").split("-"))) for span in lengths]
    assert sum(last - first + 1 for first, last in spans) <= 1.1 * len(BYTES)


def test_a_second_job_of_the_same_archive_is_read_from_disk_wherever_it_is(
    server: Server, mounting: Mounting, cache: Path
) -> None:
    with mounting(server, "--cache-dir", cache) as root:
        assert output(root).read_bytes() == BYTES
        kept(output(root))
        before = downloads(server)
        with mounting(server, "--cache-dir", cache) as other:
            assert output(other, "copies").read_bytes() == BYTES
    assert downloads(server) == before


@dataclass(frozen=True)
class Keyed:
    """A service's address, and the key that it is asked with."""

    url: str
    keys: tuple[str, str]


def test_no_secret_is_in_the_folder_and_nobody_else_may_look_into_it(mounting: Mounting, cache: Path) -> None:
    state = State()
    state.add_vault("photos")
    state.add_job("photos", ARCHIVE_RETRIEVAL, part(state.add_archive("photos", InMemory(NOISE))), job_id="job")
    secret_id, secret_key = "AKID-Qm7vTz", "KEY-w9RfXb"
    with Server(state, credentials={secret_id: secret_key}) as server:
        with mounting(Keyed(server.url, (secret_id, secret_key)), "--cache-dir", cache) as root:
            assert output(root).read_bytes() == NOISE
            kept(output(root))
        files = [path for path in cache.rglob("*") if path.is_file()]
        held = b"".join(path.read_bytes() for path in files) + repr(sorted(files)).encode()
        assert server.url.encode() in held  # where it was seen is there, so this look finds what is
    assert [secret for secret in (secret_id, secret_key) if secret.encode() in held] == []
    assert {path.stat().st_mode & 0o077 for path in [cache, *cache.rglob("*")]} == {0}
