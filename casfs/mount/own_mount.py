"""The mount that this process made, told from every other one, and taken away without touching those.

A path does not tell: the mount may have been unmounted lazily while a program reads, and another one made at its place;
it may have been moved, or covered. What tells is the device number. The kernel gives it to no other file system for as
long as the connection of this process is alive, whatever becomes of its mounts.

Nothing here asks the mount: a process that waits for itself cannot be ended. The table of mounts and O_PATH do not.
"""

import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from casfs.errors import MountError
from casfs.mount.detaching import OWN_FDS, detach, held, mount_id, number
from casfs.mount.mountpoint import KIND, Mounted, mounts
from casfs.mount.privileges import DEVICE


class OwnMount:
    """The mount that libfuse makes for this process at a path.

    Attributes:
        device: the number of its device, None until ``begun``.

    Threads: ``look_before`` before libfuse is called; the others in any thread.
    """

    def __init__(self, path: Path, tell: Callable[[int], None] = lambda _device: None) -> None:
        """Describe the mount that is to be made at *path*, an absolute path without symbolic links.

        Args:
            path: where.
            tell: called with the number of the device, once that is known.
        """
        self.path = path
        self.device: int | None = None
        self._tell = tell
        self._before: frozenset[Mounted] = frozenset()
        self._own: Mounted | None = None

    def look_before(self) -> None:
        """Remember what is mounted before this one, which may have the device of one of these that ended meanwhile."""
        self._before = frozenset(mounts())

    def begun(self) -> None:
        """Learn which mount it is: to be called once libfuse has made it, before anybody else is answered.

        Raises:
            MountError: nobody can tell it from another one, made there at the same moment.
        """
        if not self._learn():
            raise MountError(f"{self.path}: another mount was made there at the same moment")

    def _learn(self) -> bool:
        """Return whether it is known which mount it is."""
        if self.device is not None:
            return True
        place = str(self.path), KIND
        here = {mounted.device: mounted for mounted in mounts() if (mounted.path, mounted.kind) == place}
        new = [mounted.device for mounted in here.values() if mounted not in self._before]
        device = _connected_device()
        if device is None and len(new) == 1:
            (device,) = new
        if device is None or not _is_connected():
            return False
        self._own = here.get(device)
        self.device = device
        self._tell(device)
        return True

    def place(self) -> Path | None:
        """Return where the mount can be seen, None where it is away, or covered by another one."""
        table = list(mounts())
        own = next((mounted for mounted in table if self._own and mounted.id == self._own.id), None)
        if own is None or own.device != self.device:
            return None
        on_top = [mounted for mounted in table if mounted.path == own.path][-1]
        return Path(own.path) if on_top is own else None

    def take_away(self) -> bool:
        """Take it from the table of mounts, whoever uses it: they keep what they have open.

        Returns:
            Whether there is nothing more to do: it is away, or covered by another mount, which is left alone. False
            while it is about to be made, and where it could not be taken.
        """
        if not self._learn():
            return False
        table = {mounted.id: mounted for mounted in mounts()}
        own = table.get(self._own.id) if self._own else None
        if own is None or own.device != self.device:
            return True
        try:
            with held(own.path) as fd:
                on_top = table.get(mount_id(fd) or 0)
                # From here on the descriptor holds the mount: if the connection is still alive, the device is ours.
                if on_top is None or on_top.device != self.device or not _is_connected():
                    return True
                return detach(fd, own.path)
        except OSError:
            return False


def _connections() -> Iterator[int]:
    """Yield the descriptors of this process that are connections to the kernel's side of FUSE."""
    for fd in OWN_FDS.iterdir():
        with suppress(OSError):  # it was closed meanwhile
            if fd.readlink() == DEVICE:
                yield int(fd.name)


def _is_connected() -> bool:
    """Return whether the file system of this process lives: its device is not given to another before that ends."""
    poll = select.poll()
    for fd in _connections():
        poll.register(fd, 0)
        if not poll.poll(0):
            return True
        poll.unregister(fd)
    return False


def _connected_device() -> int | None:
    """Return the device as the connection itself tells it; None where the kernel does not. Source: Linux 6.17."""
    return next((device for fd in _connections() if (device := number("fuse_connection", fd)) is not None), None)
