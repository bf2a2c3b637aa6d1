"""What FUSE gives to a program in Python that does as little as may be: one file, read and hashed ahead by threads.

python -m tests.disk.bare FOLDER        FOLDER is made, and taken away at the end; as root, since it sets read_ahead_kb

Nothing of casfs is in it but its lanes: neither cache nor names nor failures. So reading back can have no more.
"""

import argparse
import ctypes
import importlib
import mmap
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from casfs.data.hashing import lanes
from casfs.fs import thread_state

MIB = 1 << 20
BLOCKS, PART, AHEAD, THREADS, ROUNDS = 512, 4 * MIB, 8, 2, 5
"""Blocks of the file, bytes of a part, parts ahead of the reader, threads that bring them, and rounds."""
FILE_SIZE = BLOCKS * MIB


class Parts:
    """The parts of a file, in buffers that are used again; each is read, and hashed if asked, before it is served.

    Threads: any.
    """

    def __init__(self, path: Path, *, hashed: bool) -> None:
        self._fd = os.open(path, os.O_RDONLY)
        self._hashed = hashed
        self._changed = threading.Condition()
        slab = memoryview(mmap.mmap(-1, (AHEAD + THREADS + 2) * PART, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        self._free = [slab[at : at + PART] for at in range(0, len(slab), PART)]
        self._ready: dict[int, memoryview] = {}
        self._left = [PART] * (FILE_SIZE // PART)
        self._asked = self._reader = 0

    def start(self) -> None:
        """Begin the threads."""
        for _ in range(THREADS):
            threading.Thread(target=self._bring, daemon=True).start()

    def copy(self, offset: int, length: int, target: int) -> int:
        """Copy bytes of one part to an address, once they are there, and give the buffer back behind the last."""
        number, first = divmod(offset, PART)
        length = min(length, PART - first)
        with self._changed:
            self._reader = max(self._reader, number)
            self._changed.wait_for(lambda: number in self._ready)
            buffer = self._ready[number]
        ctypes.memmove(target, ctypes.addressof(ctypes.c_char.from_buffer(buffer)) + first, length)
        with self._changed:
            self._left[number] -= length
            if not self._left[number]:
                self._free.append(self._ready.pop(number))
                self._changed.notify_all()
        return length

    def _bring(self) -> None:
        while (turn := self._next())[0] < len(self._left):
            number, buffer = turn
            os.preadv(self._fd, [buffer], number * PART)
            if self._hashed:
                lanes.leaves([buffer[at : at + MIB] for at in range(0, PART, MIB)])
            with self._changed:
                self._ready[number] = buffer
                self._changed.notify_all()

    def _next(self) -> tuple[int, memoryview]:
        with self._changed:
            self._changed.wait_for(lambda: self._free and self._asked <= self._reader + AHEAD)
            self._asked += 1
            return self._asked - 1, self._free.pop()


class Operations:
    """One file in the root."""

    use_ns = True

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def getattr(self, path: str, _info: object = None) -> dict[str, int]:
        """Return the struct stat of a path."""
        return {"st_mode": 0o40755} if path == "/" else {"st_mode": 0o100444, "st_nlink": 1, "st_size": FILE_SIZE}

    def init_with_config(self, connection: Any, _config: object) -> None:
        """Ask for whole blocks."""
        connection.max_readahead = MIB
        self._parts.start()

    def read(self, _path: str, _size: int, _offset: int, _info: object) -> bytes:
        """Be there, so that the binding has a read, which is replaced."""
        raise NotImplementedError


def serve(path: Path, mountpoint: Path, *, hashed: bool) -> None:
    """Mount one file, and answer until it is unmounted."""
    os.environ["FUSE_LIBRARY_NAME"] = "fuse3"
    fuse: Any = importlib.import_module("mfusepy").FUSE
    parts = Parts(path, hashed=hashed)

    def read(_self: object, _path: bytes, buffer: Any, size: int, offset: int, _info: object) -> int:
        thread_state.keep()
        done, end = 0, min(size, FILE_SIZE - offset)
        while done < end:
            done += parts.copy(offset + done, end - done, ctypes.addressof(buffer.contents) + done)
        return done

    lanes.width()
    bare = type("Bare", (fuse,), {"read": read})
    bare(Operations(parts), str(mountpoint), foreground=True, max_threads=64, max_idle_threads=64, attr_timeout=60)


def whole(path: Path) -> float:
    """Read a file from end to end, a block a call into whole pages; return the seconds that took."""
    began, fd, page = time.perf_counter(), os.open(path, os.O_RDONLY), mmap.mmap(-1, MIB)
    while os.readv(fd, [page]):
        pass
    os.close(fd)
    return time.perf_counter() - began


def measured(folder: Path, mode: str) -> tuple[float, float]:
    """Return GB/s and the processor seconds a GB of a fresh mount, the file in the kernel's memory."""
    whole(folder / "file")
    mountpoint = folder / "mnt"
    child = subprocess.Popen([sys.executable, "-m", "tests.disk.bare", mode, str(folder)])
    while not mountpoint.is_mount():
        time.sleep(0.01)  # the kernel tells nobody that something is mounted
    device = mountpoint.stat().st_dev
    setting = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
    setting.write_text("1024", encoding="ascii")
    spent_s, took_s = _cpu_s(child.pid), whole(mountpoint / "file")
    spent_s = _cpu_s(child.pid) - spent_s
    subprocess.run(["umount", mountpoint], check=True)
    child.wait(10)
    return FILE_SIZE / 1e9 / took_s, spent_s / (FILE_SIZE / 1e9)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(folder: Path) -> None:
    """Measure it with and without hashes, in turn."""
    (folder / "mnt").mkdir(parents=True)
    try:
        (folder / "file").write_bytes(os.urandom(MIB) * BLOCKS)
        rounds = [[measured(folder, mode) for mode in MODES] for _ in range(ROUNDS)]
    finally:
        shutil.rmtree(folder)
    for mode, samples in zip(MODES, zip(*rounds, strict=True), strict=True):
        rates, costs = zip(*samples, strict=True)
        told = f"{min(rates):.2f} {statistics.median(rates):.2f} {max(rates):.2f}"
        sys.stdout.write(f"{mode:10} GB/s: least, median, most {told}; CPU s/GB {statistics.median(costs):.2f}\n")


MODES = ("hashed", "unhashed")


def main() -> None:
    """Compare, or be the process of one mount."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("mode", nargs="?", choices=MODES, help="what one mount does; the comparison begins it")
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    if asked.mode is None:
        compare(asked.folder)
    else:
        serve(asked.folder / "file", asked.folder / "mnt", hashed=asked.mode == "hashed")


if __name__ == "__main__":
    main()
