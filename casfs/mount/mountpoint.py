"""The directory that becomes the mount: whether it can, and what is mounted there.

Every refusal is a MountError whose one line says what to mend. mountinfo is read, not libfuse's opinion: libfuse 2 and
3 refuse different things in different words, and some of them only after the kernel has the mount.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from casfs.errors import MountError
from casfs.mount.privileges import check_device, fusermount

FUSE_CONF = Path("/etc/fuse.conf")
MOUNTINFO = Path("/proc/self/mountinfo")
KIND = "fuse.casfs"
"""What the table of mounts calls ours."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """One line of mountinfo: what is mounted where. Source: proc_pid_mountinfo(5).

    Attributes:
        path: where.
        kind: the type of file system.
        source: what stands in its place for a device.
        id: the number of this mount; given to another one when it is away.
        device: the number of the file system's device, which all mounts of it share.
        options: those of the mount and those of the file system, as they are shown.
    """

    path: str
    kind: str
    source: str
    id: int
    device: int
    options: frozenset[str]


def mounts(table: Path = MOUNTINFO) -> Iterator[Mounted]:
    """Yield every mount of this process's namespace, the oldest first."""
    for line in table.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        fields = line.split(" ")
        kind, source, of_system = fields[fields.index("-") + 1 :][:3]
        options = frozenset([*fields[5].split(","), *of_system.split(",")])
        device = os.makedev(*map(int, fields[2].split(":")))
        yield Mounted(_unescaped(fields[4]), kind, _unescaped(source), int(fields[0]), device, options)


def own(path: Path) -> Mounted:
    """Return the mount of casfs at *path*, at which nobody looks; it may have died.

    Args:
        path: absolute, without symbolic links.

    Raises:
        MountError: there is none.
    """
    here = [mounted for mounted in mounts() if mounted.path == str(path)][-1:]
    if not here or here[0].kind != KIND:
        what = f"what is mounted there is {here[0].kind}" if here else "nothing is mounted there"
        raise MountError(f"{path}: no mount of casfs; {what}")
    return here[0]


def _unescaped(field: str) -> str:
    r"""Return a field of mountinfo with its ``\040``, ``\011``, ``\012`` and ``\134`` as the characters they are."""
    for octal, character in (("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")):
        field = field.replace(f"\\{octal}", character)
    return field


def check(path: Path, *, allow_other: bool) -> None:
    """Raise MountError unless a mount can be made at *path*, as far as can be seen while a dead one of casfs is there.

    Args:
        path: absolute, without symbolic links.
        allow_other: whether other users shall be let in.

    Raises:
        MountError: the message says what to mend.
    """
    is_dead = _is_dead(path)
    if not is_dead:
        _check_directory(path)
    check_device()
    if os.geteuid() != 0 and not is_dead:
        _check_unprivileged(path, allow_other=allow_other)


def is_over(error: OSError) -> bool:
    """Say whether that is what a mount answers whose process has died."""
    return error.errno in (errno.ENOTCONN, errno.ECONNABORTED)


def _is_dead(path: Path) -> bool:
    """Say whether a mount of casfs is at *path* that has died."""
    try:
        path.stat()
    except OSError as error:
        kinds = [mounted.kind for mounted in mounts() if mounted.path == str(path)]
        return is_over(error) and kinds[-1:] == [KIND]
    return False


def _check_directory(path: Path) -> None:
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise MountError(f"{path}: no such directory; make it with: mkdir -p {path}") from error
    except OSError as error:
        if is_over(error):
            raise MountError(f"{path}: a mount that died is still there; remove it with: umount -l {path}") from error
        raise MountError(f"{path}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise MountError(f"{path}: not a directory; a mount needs one")
    _check_free(path)


def _check_free(path: Path) -> None:
    """Refuse a directory in use. One with files in it too: they would vanish from sight, which nobody wants twice."""
    here = [mounted.kind for mounted in mounts() if mounted.path == str(path)]
    if any(kind.startswith("fuse") for kind in here):
        raise MountError(f"{path}: something is mounted there already; end it with: umount {path}")
    if "autofs" in here:
        return  # listing it would ask systemd for the very mount that is being made
    try:
        with os.scandir(path) as entries:
            occupied = any(entries)
    except OSError as error:
        raise MountError(f"{path}: {error.strerror}") from error
    if occupied:
        raise MountError(f"{path}: not empty, and a mount would hide what is in it; mount on an empty directory")


def _check_unprivileged(path: Path, *, allow_other: bool) -> None:
    if fusermount() is None:
        raise MountError("neither fusermount3 nor fusermount is installed; install the package fuse3")
    if not os.access(path, os.W_OK):
        raise MountError(
            f"{path}: you may not write there, and only who may can mount there; choose a directory of yours"
        )
    if allow_other and not are_others_allowed():
        raise MountError(f"--allow-other needs a line user_allow_other in {FUSE_CONF}, unless root mounts")


def are_others_allowed() -> bool:
    """Say whether users may let others into their mounts."""
    try:
        lines = FUSE_CONF.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.strip() == "user_allow_other" for line in lines)
