"""Paths of a command line."""

from pathlib import Path

from casfs.apart import apart
from casfs.errors import DeadlineError, MountError
from casfs.mount.mountpoint import mounts

HANG_S = 5.0
"""How long what a path leads through is waited for."""


def located(text: str) -> Path:
    """Return the path that *text* names, absolute and without symbolic links, whether something is there or not.

    Raises:
        MountError: it leads round in a circle, or begins in a working directory that is no more.
    """
    try:
        return Path(text).resolve()
    except RuntimeError as error:  # Python before 3.13
        raise MountError(f"{text}: symbolic links that lead to each other") from error
    except OSError as error:
        raise MountError(f"{text}: {error.strerror}, seen from the working directory; cd to one that exists") from error


def located_mount(text: str) -> Path:
    """Return the same of a path where something is mounted, at which nobody looks: it may hang.

    Raises:
        MountError: as ``located``; or it leads through what hangs.
    """
    places = {mounted.path for mounted in mounts()}
    try:
        (place,) = apart(lambda _: iter([_of_place(text, places) or located(text)]), HANG_S, text)
    except DeadlineError as error:
        raise MountError(f"{text}: it leads through what does not answer within {HANG_S:.0f} s") from error
    return place


def _of_place(text: str, places: set[str]) -> Path | None:
    """Return where *text* leads, of which all but the last name is looked at, if something is mounted there."""
    path = Path(text)
    if path.name in ("", ".."):
        return None
    place = located(str(path.parent)) / path.name
    return place if str(place) in places else None
