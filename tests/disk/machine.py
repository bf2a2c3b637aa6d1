"""A machine whose disk a test can see into: what was synced, what was not, what of it a loss of power leaves."""

import errno
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from casfs.data.disk.files import FileState

PAGE, SECTOR = 4096, 512


class StoppedError(BaseException):
    """The process, or the machine, is no more; no Exception, since nobody may live through it."""


@dataclass(eq=False, repr=False)
class Inode:
    """A file: its pages now, as they are on the platter, and how often each was written."""

    pages: dict[int, bytes] = field(default_factory=dict)
    length: int = 0
    synced: dict[int, bytes] = field(default_factory=dict)
    synced_length: int = 0
    dirty: set[int] = field(default_factory=set)
    writes: Counter[int] = field(default_factory=Counter)
    links: int = 0

    def read(self, length: int, offset: int) -> bytes:
        stop = min(offset + length, self.length)
        if stop <= offset:
            return b""
        numbers = range(offset // PAGE, -(-stop // PAGE))
        raw = b"".join(self.pages.get(number, bytes(PAGE)) for number in numbers)
        return raw[offset % PAGE : offset % PAGE + stop - offset]

    def write(self, data: bytes, offset: int) -> None:
        first, last = offset // PAGE, (offset + len(data) - 1) // PAGE
        head = self.pages.get(first, bytes(PAGE))[: offset % PAGE]
        tail = self.pages.get(last, bytes(PAGE))[(offset + len(data) - 1) % PAGE + 1 :]
        raw = head + data + tail
        for at, number in enumerate(range(first, last + 1)):
            self.pages[number] = raw[at * PAGE : (at + 1) * PAGE]
            self.dirty.add(number)
            self.writes[number] += 1
        self.length = max(self.length, offset + len(data))

    def truncate(self, length: int) -> None:
        gone = [number for number in self.pages if number * PAGE >= length]
        for number in gone:
            del self.pages[number]
        self.dirty.update(gone)
        if length % PAGE and length // PAGE in self.pages:
            self.pages[length // PAGE] = self.pages[length // PAGE][: length % PAGE].ljust(PAGE, b"\0")
            self.dirty.add(length // PAGE)
        self.length = length

    def punch(self, offset: int, length: int) -> None:
        for number in [number for number in self.pages if offset <= number * PAGE < offset + length]:
            del self.pages[number]
            self.dirty.add(number)

    def sync(self) -> None:
        """Bring all that was written to the platter."""
        for number in self.dirty:
            if number in self.pages:
                self.synced[number] = self.pages[number]
            else:
                self.synced.pop(number, None)
        self.dirty.clear()
        self.synced_length = self.length

    def lose_power(self, chance: random.Random) -> None:
        """Keep what was synced, and of every other page the old, the new, or sectors of both."""
        for number in sorted(self.dirty):
            old, new = self.synced.get(number, bytes(PAGE)), self.pages.get(number, bytes(PAGE))
            cuts = [chance.random() < 0.5 for _ in range(PAGE // SECTOR)]
            torn = b"".join((new if cut else old)[at * SECTOR : (at + 1) * SECTOR] for at, cut in enumerate(cuts))
            self.synced[number] = chance.choice([old, new, torn])
        self.pages = dict(self.synced)
        self.length = max(self.synced_length, self.length) if chance.random() < 0.5 else self.synced_length
        for number in [number for number in self.pages if number * PAGE >= self.length]:
            del self.pages[number]
        self.synced, self.synced_length = dict(self.pages), self.length
        self.dirty.clear()


@dataclass(eq=False, repr=False)
class Machine:
    """Names, files and locks; and the most that all contents together ever took."""

    names: dict[str, Inode | None] = field(default_factory=lambda: {"/": None})
    synced_names: dict[str, Inode | None] = field(default_factory=lambda: {"/": None})
    boots: int = 1
    peak: int = 0
    claims: list[tuple["Process", int, Inode, range]] = field(default_factory=list)
    locks: dict[tuple["Process", int], tuple[Inode, bool]] = field(default_factory=dict)

    def taken(self) -> int:
        return sum(len(inode.pages) for inode in self.names.values() if inode is not None) * PAGE

    def lose_power(self, chance: random.Random) -> None:
        """Start anew with what the platter has: names that were not synced may be there or not, each by itself."""
        self.boots += 1
        for name in sorted(set(self.names) | set(self.synced_names)):
            was, now = self.synced_names.get(name, ...), self.names.get(name, ...)
            if was is not now and chance.random() < 0.5:
                if now is ...:
                    self.synced_names.pop(name)
                else:
                    self.synced_names[name] = None if now is None else self.names[name]
        parents = set(self.synced_names)
        self.names = {name: node for name, node in self.synced_names.items() if parent(name) in parents}
        self.synced_names = dict(self.names)
        for inode in self.names.values():
            if inode is not None:
                inode.lose_power(chance)
                inode.links = 1
        self.claims.clear()
        self.locks.clear()


def parent(name: str) -> str:
    return name.rpartition("/")[0] or "/"


class Process:
    """One process, as the store sees the file system. A test says when it stops, and what is refused."""

    def __init__(self, machine: Machine, stops_at: int | None = None) -> None:
        self.machine = machine
        self.changes = 0
        self.stops_at = stops_at
        self.is_stopped = False
        self.refuses: Callable[[str], int | None] = lambda _call: None
        self.before: Callable[[str], None] = lambda _call: None
        self._open: dict[int, Inode] = {}
        self._next = 3

    def stop(self) -> None:
        """End as by ``kill -9``: what was written is there, what was locked is not."""
        self.is_stopped = True
        for fd in list(self._open):
            self.close(fd)

    def open(self, path: str, *, write: bool = False, create: bool = False) -> int:
        self._check("open for writing" if write else "open")
        node = self.machine.names.get(path)
        if node is None:
            if not create or parent(path) not in self.machine.names:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
            self._change("create")
            node = self.machine.names[path] = Inode(links=1)
        self._next += 1
        self._open[self._next] = node
        return self._next

    def close(self, fd: int) -> None:
        self._open.pop(fd, None)
        self.machine.locks.pop((self, fd), None)
        self.machine.claims = [one for one in self.machine.claims if one[:2] != (self, fd)]

    def read(self, fd: int, length: int, offset: int) -> bytes:
        self._check("read")
        return self._open[fd].read(length, offset)

    def read_into(self, fd: int, buffers: Sequence[memoryview], offset: int) -> int:
        self._check("read data")
        got = 0
        for buffer in buffers:
            came = self._open[fd].read(len(buffer), offset + got)
            buffer[: len(came)] = came
            got += len(came)
        return got

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> None:
        self._change("write")
        self._open[fd].write(bytes(data), offset)
        self.machine.peak = max(self.machine.peak, self.machine.taken())

    def write_from(self, fd: int, buffers: Sequence[memoryview], offset: int) -> None:
        for buffer in buffers:
            self.write(fd, buffer, offset)
            offset += len(buffer)

    def truncate(self, fd: int, length: int) -> None:
        self._change("truncate")
        self._open[fd].truncate(length)

    def punch(self, fd: int, offset: int, length: int) -> None:
        self._change("punch")
        self._open[fd].punch(offset, length)

    def sync(self, fd: int) -> None:
        self._change("sync")
        self._open[fd].sync()

    def sync_folder(self, path: str) -> None:
        self._change("sync_folder")
        names, synced = self.machine.names, self.machine.synced_names
        for name in {*names, *synced}:
            if parent(name) == path and name in names:
                synced[name] = names[name]
            elif parent(name) == path:
                del synced[name]

    def state(self, fd: int) -> FileState:
        self._check("state")
        node = self._open[fd]
        return FileState(len(node.pages) * PAGE, node.length, node.links > 0)

    def unlink(self, path: str) -> None:
        self._change("unlink")
        node = self.machine.names.pop(path)
        assert node is not None
        node.links = 0

    def make_folder(self, path: str) -> bool:
        self._check("make_folder")
        if path in self.machine.names:
            return False
        if parent(path) not in self.machine.names:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        self._change("make_folder")
        self.machine.names[path] = None
        return True

    def names(self, path: str) -> list[str]:
        self._check("names")
        if path not in self.machine.names:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return [name.rpartition("/")[2] for name in self.machine.names if parent(name) == path and name != "/"]

    def device(self, path: str) -> int:
        self._check("device")
        return 1

    def lock(self, fd: int, *, shared: bool) -> bool:
        self._check("lock shared" if shared else "lock")
        node = self._open[fd]
        others = [
            is_shared for key, (other, is_shared) in self.machine.locks.items() if other is node and key != (self, fd)
        ]
        if others and not (shared and all(others)):
            return False
        self.machine.locks[self, fd] = (node, shared)
        return True

    def claim(self, fd: int, start: int, length: int) -> bool:
        self._check("claim")
        if self.is_claimed(fd, start, length):
            return False
        self.machine.claims.append((self, fd, self._open[fd], range(start, start + length)))
        return True

    def is_claimed(self, fd: int, start: int, length: int) -> bool:
        self._check("is_claimed")
        return any(
            node is self._open[fd]
            and (process, number) != (self, fd)
            and start < part.stop
            and part.start < start + length
            for process, number, node, part in self.machine.claims
        )

    def boot_id(self) -> bytes:
        return self.machine.boots.to_bytes(16, "little")

    def _change(self, call: str) -> None:
        self._check(call)
        self.changes += 1
        if self.stops_at is not None and self.changes > self.stops_at:
            self.stop()
            raise StoppedError

    def _check(self, call: str) -> None:
        if self.is_stopped:
            raise StoppedError
        self.before(call)
        number = self.refuses(call)
        if number is not None:
            raise OSError(number, f"refused: {call}")
