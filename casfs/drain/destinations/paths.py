"""Paths in a destination: relative, and nothing that leads out of it. Pure."""

import os

from casfs.drain.destinations.destination import LONGEST_NAME, UNFINISHED
from casfs.errors import DestinationError


def names_of(path: str) -> list[str]:
    """Return the names in *path*, from the top.

    Raises:
        DestinationError: it is absolute or empty, one of its names can be no file's or leads elsewhere, or it is where
            that which is not whole has its place.
    """
    names = path.split("/")
    for name in names:
        if not is_name(name):
            raise DestinationError(f"{path!a} is no path in a destination")
    if names[0] == UNFINISHED:
        raise DestinationError(f"{path!a}: the name {UNFINISHED} is taken by what is not whole yet")
    return names


def is_name(name: str) -> bool:
    """Say whether *name* can be that of a file, and of one in this folder alone."""
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return name not in ("", ".", "..") and not set(name) & {"/", "\0"} and len(encoded) <= LONGEST_NAME
