"""Where a destination that somebody names is."""

import os
from dataclasses import dataclass

from casfs.drain.destinations.destination import Destination
from casfs.drain.destinations.local import LocalDestination
from casfs.errors import ConfigError

LOCAL_URL = "file://"
"""What may stand in front of a path."""


@dataclass(frozen=True, slots=True)
class Target:
    """A destination, and what of it was named.

    Attributes:
        destination: the folder.
        name: the one file in it that was named; None where a folder was, for files of any names.
    """

    destination: Destination
    name: str | None


def folder_at(text: str) -> Destination:
    """Return the folder that *text* names, be there one already or not.

    Args:
        text: a path or a URL of fsspec.

    Raises:
        ConfigError: it is empty, or a URL that nobody knows.
    """
    path = _path_in(text)
    if path is not None:
        return LocalDestination(absolute(path))
    try:
        from casfs.drain.destinations.fsspec import FsspecDestination  # noqa: PLC0415 - wanted for URLs alone
    except ImportError as error:
        raise ConfigError("DESTINATION is a URL, for which fsspec is needed: pip install 'casfs[fsspec]'") from error
    return FsspecDestination(text)


def absolute(path: str) -> str:
    """Return *path* as it stands, but for what is in front of it: no link is followed.

    Raises:
        ConfigError: it is relative to a folder that is no more.
    """
    try:
        return os.path.abspath(path)  # noqa: PTH100 - a name that is no text stays as it is
    except OSError as error:
        raise ConfigError(
            f"{path!a} is seen from a working directory that is no more; cd to one that exists"
        ) from error


def target_of(text: str, *, is_for_several: bool) -> Target:
    """Return what is named for files of given names, or for one that gets the name.

    Args:
        text: a path or a URL: a folder where it is one, ends in a slash or is for several files; else one file.
        is_for_several: whether more than one file goes there.

    Raises:
        ConfigError: it is empty, or a URL that nobody knows.
        DestinationError: it cannot be asked what is there.
    """
    if text.endswith("/") or is_for_several or _is_folder(text):
        return Target(folder_at(text), None)
    path = _path_in(text)
    # What leads to the one file, links too, is the user's own choice.
    folder, _, name = (text if path is None else os.path.realpath(path)).rpartition("/")
    return Target(folder_at(f"{folder}/"), name)


def _is_folder(text: str) -> bool:
    _, scheme, rest = text.rpartition("://")
    return (bool(scheme) and "/" not in rest) or folder_at(text).is_folder()


def _path_in(text: str) -> str | None:
    """Return the path that *text* is, None for a URL that is none.

    Raises:
        ConfigError: it is empty.
    """
    path = text.removeprefix(LOCAL_URL)
    if not path or "\0" in path:
        raise ConfigError(f"DESTINATION is {text!a}, which names nothing")
    return None if "://" in path else path
