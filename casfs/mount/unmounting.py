"""The end of a mount, asked for by whoever may: ``casfs umount``."""

import os
from pathlib import Path

from casfs.errors import MountError
from casfs.mount.detaching import detach, held, mount_id, unmount
from casfs.mount.mountpoint import Mounted, own
from casfs.mount.users import users_of

MAX_NAMED = 5
"""Processes that are named of those that use a mount."""


def end_mount(path: Path, *, is_lazy: bool) -> None:
    """Take away the mount of casfs at *path*; one that has died too.

    Args:
        path: absolute, without symbolic links.
        is_lazy: whether it goes though somebody uses it: what is open stays so until it is closed.

    Raises:
        MountError: there is none, it is in use, or somebody else may end it.
    """
    here = own(path)
    if is_lazy:
        _detach(here)
        return
    said = unmount(here.path)
    if said is not None:
        raise MountError(f"{path}: {_why(here, said)}")


def _detach(mounted: Mounted) -> None:
    try:
        with held(mounted.path) as fd:
            if mount_id(fd) == mounted.id and detach(fd, mounted.path):
                return
    except OSError as error:
        raise MountError(f"{mounted.path}: {error.strerror}") from error
    raise MountError(f"{mounted.path}: {_not_yours()}")


def _why(mounted: Mounted, said: str) -> str:
    """Return why *mounted* could not be taken away, of which the system *said* so much."""
    users = list(users_of(mounted))
    if not users and "busy" not in said:
        return f"{said}; {_not_yours()}" if os.geteuid() else said
    named = ", ".join(map(str, users[:MAX_NAMED])) or "somebody whom you may not look at; root sees who"
    more = f" and {len(users) - MAX_NAMED} more" if len(users) > MAX_NAMED else ""
    return f"in use by {named}{more}; with --lazy it goes at once, and for them when they close it"


def _not_yours() -> str:
    return "only root and who has mounted it may take it away"
