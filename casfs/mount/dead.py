"""Mounts of casfs whose process has died: they stay, and fail whoever looks, until a new one is made in their place.

An empty directory in their place would be worse: whoever copies it takes it for what there is.
"""

import os
from pathlib import Path

from casfs.errors import MountError
from casfs.mount.detaching import detach, held, mount_id
from casfs.mount.mountpoint import KIND, MOUNTINFO, is_over, mounts

MAX_STACKED = 64
"""Mounts at one path that are looked through, one below the other."""


def is_over_automount(path: Path, table: Path = MOUNTINFO) -> bool:
    """Say whether what is mounted at *path* lies on an automount, which has it made anew for whoever comes."""
    return [mounted.kind for mounted in mounts(table) if mounted.path == str(path)][-2:-1] == ["autofs"]


def take_dead_away(path: Path) -> int:
    """Take away what is at *path* of mounts of casfs that have died, and nothing else; return how many there were.

    Raises:
        MountError: one cannot be taken away by this user.
    """
    for count in range(MAX_STACKED):
        if not _take_one_away(path):
            return count
    return MAX_STACKED


def _take_one_away(path: Path) -> bool:
    kinds = [mounted.kind for mounted in mounts() if mounted.path == str(path)]
    if kinds[-1:] != [KIND]:
        return False  # and not looked at: an automount would have the mount made that is being made
    try:
        with held(path) as fd:
            if not _is_dead(fd):
                return False
            if not detach(fd, path):
                raise MountError(f"{path}: a mount that died is still there; as root, run: umount -l {path}")
            return True
    except OSError:  # whoever makes the mount says what is wrong with the path
        return False


def _is_dead(fd: int) -> bool:
    """Say whether *fd* is on a mount of casfs, and that has died."""
    try:
        os.fstat(fd)
    except OSError as error:
        number = mount_id(fd)
        is_ours = any(mounted.kind == KIND and mounted.id == number for mounted in mounts())
        return is_over(error) and is_ours
    return False
