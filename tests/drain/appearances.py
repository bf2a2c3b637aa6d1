"""A folder that is watched while it is filled: what gets a name there, and what is written to once it has one."""

import ctypes
import hashlib
import os
import select
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

CREATE, MOVED_TO, MODIFY, OVERFLOW, IS_FOLDER = 0x100, 0x80, 0x2, 0x4000, 0x40000000
"""Source: inotify(7)."""
_EVENT = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Appearances:
    """Watches a folder and all below it but one, from the beginning to the end of a block.

    Attributes:
        root: the folder.
        unwatched: name in it of what is not watched.
        appeared: path and SHA-256 of each file that got a name, as it was a moment later.
        written: paths of files that were written to after they had their names.
        overflowed: whether more happened than could be seen.
    """

    root: Path
    unwatched: str = ".casfs-part"
    appeared: list[tuple[str, str]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    overflowed: bool = False

    def __enter__(self) -> Self:
        """Begin."""
        self._fd = _checked(_libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        self._stops, self._stop = os.pipe()
        self._folders: dict[int, str] = {}
        self._watch("")
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look at what is left, and end."""
        os.close(self._stop)
        self._thread.join()
        os.close(self._stops)
        os.close(self._fd)

    def _run(self) -> None:
        is_over = False
        while not is_over:
            ready, _, _ = select.select([self._fd, self._stops], [], [])
            is_over = self._stops in ready
            try:
                events = os.read(self._fd, 1 << 20)
            except BlockingIOError:
                continue
            is_over = False  # until there are none
            self._take(events)

    def _take(self, events: bytes) -> None:
        at = 0
        while at < len(events):
            watch, mask, _, length = _EVENT.unpack_from(events, at)
            name = os.fsdecode(events[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0"))
            at += _EVENT.size + length
            self.overflowed = self.overflowed or bool(mask & OVERFLOW)
            if watch in self._folders:
                self._note(str(Path(self._folders[watch], name)), mask)

    def _note(self, path: str, mask: int) -> None:
        if path == self.unwatched:
            return
        if mask & IS_FOLDER:
            self._watch(path)
        elif mask & MODIFY:
            self.written.append(path)
        else:
            self._see(path)

    def _watch(self, folder: str) -> None:
        """Watch a folder, and see what was in it before."""
        path = os.fsencode(self.root / folder)
        watch = _libc.inotify_add_watch(self._fd, path, CREATE | MOVED_TO | MODIFY)
        if watch < 0:  # it is gone
            return
        self._folders[watch] = folder
        for entry in os.scandir(self.root / folder):
            found = str(Path(folder, entry.name))
            if found != self.unwatched and entry.is_dir(follow_symlinks=False):
                self._watch(found)
            elif found != self.unwatched:
                self._see(found)

    def _see(self, path: str) -> None:
        try:
            self.appeared.append((path, hashlib.sha256((self.root / path).read_bytes()).hexdigest()))
        except FileNotFoundError:
            self.appeared.append((path, "gone"))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
