"""Which processes keep a mount busy, as far as this user may see.

Nothing here asks the mount, which may not answer: what the kernel tells of descriptors, directories and mappings does.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from casfs.mount.mountpoint import Mounted

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class User:
    """A process that uses a mount.

    Attributes:
        pid: its number.
        program: its name.
        what: what it has there: a path that is open, or how else it holds the mount.
    """

    pid: int
    program: str
    what: str

    def __str__(self) -> str:
        """Return it for a message."""
        return f"{self.program} (process {self.pid}: {self.what})"


def users_of(mounted: Mounted, proc: Path = PROC) -> Iterator[User]:
    """Yield the processes that use a mount; those that this user may not look into are left out."""
    for folder in sorted(proc.glob("[0-9]*"), key=lambda folder: int(folder.name)):
        with suppress(OSError):  # it has ended
            what = next(_uses(mounted, folder), None)
            if what is not None:
                program = ascii((folder / "comm").read_text(errors="replace").rstrip("\n"))[1:-1]
                yield User(int(folder.name), program, what)


def _uses(mounted: Mounted, folder: Path) -> Iterator[str]:
    for name, what in (("cwd", "its working directory"), ("root", "its root directory"), ("exe", "its program")):
        with suppress(OSError):
            if _is_below(str((folder / name).readlink()), mounted.path):
                yield what
    with suppress(OSError):
        for fd in (folder / "fd").iterdir():
            with suppress(OSError):
                if f"mnt_id:\t{mounted.id}\n" in (folder / "fdinfo" / fd.name).read_text():
                    yield ascii(str(fd.readlink()))[1:-1]
    with suppress(OSError):
        device = f" {os.major(mounted.device):02x}:{os.minor(mounted.device):02x} "
        if device in (folder / "maps").read_text(errors="replace"):
            yield "a mapped file"


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
