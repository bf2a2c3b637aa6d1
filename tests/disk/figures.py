"""Figures of the cache on disk: how fast it is filled and read back, beside the plain file; and how soon it is ready.

python -m tests.disk.figures FOLDER        FOLDER is made, and taken away at the end
"""

import argparse
import functools
import mmap
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from casfs.data.disk.accounts import SLOT, Account
from casfs.data.disk.layout import PAGE, ContentKey, Identity, StoredLeaf
from casfs.data.disk.store import Store
from casfs.data.disk.stored_content import NewBlock, StoredContent
from casfs.data.hashing import lanes, treehash
from tests.data.service import MIB

BLOCKS = 1024
ROUNDS = 5
PART = 8
CONTENTS = 100_000
CAPACITY = 1 << 40

READY = """
import resource, sys, time
from pathlib import Path
from casfs.data.disk.store import Store
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
store = Store.open(Path(sys.argv[1]), 1 << 40)
used = store.used_bytes()
print(f"{time.perf_counter() - began:.4f} {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10} {used}")
"""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def seconds(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def fill(content: StoredContent, views: list[memoryview], leaves: list[bytes]) -> None:
    for first in range(0, BLOCKS, 32):
        new = [
            NewBlock(at, views[at % 64], StoredLeaf(leaves[at % 64], is_proven=True)) for at in range(first, first + 32)
        ]
        assert content.write(new) == 32


def read_back(content: StoredContent, buffers: list[memoryview]) -> None:
    for first in range(0, BLOCKS, PART):
        part = range(first, first + PART)
        assert all(content.read(part, content.held(part), buffers))


def dd(path: Path) -> None:
    """Write as many bytes with what has nothing else to do."""
    command = ["dd", "if=/dev/zero", f"of={path}", "bs=1M", f"count={BLOCKS}", "conv=fdatasync"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def cat(path: Path) -> None:
    with path.open("rb") as file:
        subprocess.run(["cat"], stdin=file, stdout=subprocess.DEVNULL, check=True)


def forget(path: Path) -> None:
    """Let the system have nothing of a file in memory."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def throughput(folder: Path) -> None:
    noise = [memoryview(mmap.mmap(-1, MIB)) for _ in range(64)]
    for view in noise:
        view[:] = os.urandom(MIB)
    leaves = [treehash.leaf(view) for view in noise]
    buffers = [memoryview(bytearray(MIB)) for _ in range(PART)]
    store = Store.open(folder / "cache", CAPACITY)
    figures: dict[str, list[tuple[float, float]]] = {}
    for turn in range(ROUNDS):
        content = store.content(ContentKey.of(BLOCKS * MIB, None, (str(turn),)))
        path = Path(store._room.folder.file_of(content.key.digest))
        steps: dict[str, Callable[[], object]] = {
            "dd conv=fdatasync": lambda: dd(folder / "plain"),
            "filled": functools.partial(fill, content, noise, leaves),
            "cat of its file, from disk": functools.partial(cat, path),
            "cat of its file, from memory": functools.partial(cat, path),
            "read back, verified, from memory": functools.partial(read_back, content, buffers),
            "read back, verified, from disk": functools.partial(read_back, content, buffers),
        }
        for name, step in steps.items():
            if name.endswith("disk"):
                forget(path)
            before = time.process_time()
            took = seconds(step)
            figures.setdefault(name, []).append((BLOCKS * MIB / took / 1e9, time.process_time() - before))
    say(f"{BLOCKS} MiB, {ROUNDS} rounds, {lanes.described()}; GB/s: least, median, most; CPU s/GB")
    for name, samples in figures.items():
        rates = [rate for rate, _ in samples]
        cost = statistics.median(cost for _, cost in samples) / (BLOCKS * MIB / 1e9)
        say(f"  {name:34} {min(rates):6.2f} {statistics.median(rates):6.2f} {max(rates):6.2f} {cost:8.2f}")


def generate(folder: Path) -> None:
    """Make a cache of many contents: their files and their accounts, as the store would have."""
    store = Store.open(folder, CAPACITY)
    accounts = bytearray()
    for number in range(CONTENTS):
        key = ContentKey.of(MIB, None, (str(number),))
        path = Path(store._room.folder.file_of(key.digest))
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(Identity.of(key).pack())
        accounts += Account(key.digest, 2 * PAGE, 0, number).pack()
    with (folder / "journal").open("r+b") as file:
        file.seek(PAGE)
        file.write(accounts)
    with store._room.folder.journal.locked() as books:
        assert books is not None
        books.complete()
    assert len(accounts) == CONTENTS * SLOT.size


def readiness(folder: Path) -> None:
    generate(folder)
    runs = [
        subprocess.check_output([sys.executable, "-c", READY, str(folder)], text=True).split() for _ in range(ROUNDS)
    ]
    slowest, largest = max(float(run[0]) for run in runs), max(int(run[1]) for run in runs)
    say(f"{CONTENTS} contents: ready in {slowest:.4f} s, with {largest} MiB more memory")
    store = Store.open(folder, CAPACITY)
    steps: list[float] = []
    rebuild = store.rebuild()
    while True:
        began = time.perf_counter()
        if next(rebuild, ...) is ...:
            break
        steps.append(time.perf_counter() - began)
    say(f"  accounts made anew in {sum(steps):.2f} s, of which the longest step {max(steps) * 1e3:.1f} ms")
    used = store.used_bytes()
    say(f"  room made in {seconds(lambda: store.shrink(used - 8 * PAGE)) * 1e3:.1f} ms")
    say(f"  memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir()
    try:
        throughput(folder)
        shutil.rmtree(folder / "cache")
        readiness(folder / "many")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
