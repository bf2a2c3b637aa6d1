"""What a user writes, as the value it stands for.

A ``Kind`` is how one sort of value is written and read. Its ``read`` raises ValueError with the rest of a sentence that
begins with what was written: ``'9X' is not a size``.
"""

import grp
import os
import pwd
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
TIB = 1024 * GIB

LAST_ID = 2**32 - 2
"""Of users and groups; the last 32-bit number means "nobody given". Source: chown(2)."""

_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": TIB}
_SIZE = re.compile(r"([0-9]{1,18})([KMGT]?)", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_PORT = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_INTEGER = re.compile(r"[0-9]{1,18}")
_MODE = re.compile(r"0?[0-7]{3}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of value.

    Attributes:
        metavar: what stands for it in a usage line; "" for a flag, which is written without one.
        read: what was written, as the value; ValueError where it is none.
        quoted: whether TOML must give it as text: 0o400 would come as the decimal 256, and 256 is an octal too.
    """

    metavar: str
    read: Callable[[str], object]
    quoted: bool = False

    @property
    def is_flag(self) -> bool:
        """Whether it is on when it is named."""
        return not self.metavar


def _flag(text: str) -> bool:
    if text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    raise ValueError("is neither true nor false")


def _text(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _path(text: str) -> str:
    path = os.path.expanduser(_text(text))  # noqa: PTH111 - pathlib fails in another way
    if path.startswith("~"):
        raise ValueError("is in the home of a user who has none")
    try:  # absolute, since in the background the working directory is another one
        return os.path.abspath(path)  # noqa: PTH100 - pathlib keeps ".."
    except OSError as error:
        raise ValueError("is seen from a working directory that is no more; cd to one that exists") from error


def _mode(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise ValueError("is not a mode from 0000 to 0777")
    return int(text, 8)


def _account(text: str) -> str:
    if not _ACCOUNT.fullmatch(text):
        raise ValueError("is not an account: its number, or - for the caller's own")
    return text


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("is not the name of a header")
    return text


FLAG = Kind("", _flag)
TEXT = Kind("NAME", _text)
PATH = Kind("FILE", _path)
FOLDER = Kind("DIR", _path)
PATHS = (PATH, FOLDER)
MODE = Kind("MODE", _mode, quoted=True)
ACCOUNT = Kind("ACCOUNT", _account, quoted=True)
HEADER = Kind("HEADER", _header)


def _port(text: str) -> str:
    found = _PORT.fullmatch(text)
    if not found or not 0 < int(found[1]) < 1 << 16:
        raise ValueError("is not HOST:PORT, like localhost:9573 or [::1]:9573")
    return text


PORT = Kind("HOST:PORT", _port)


def choice(*words: str) -> Kind:
    """Return the kind of value that is one of *words*."""
    return key_of(dict.fromkeys(words))


def key_of(words: Mapping[str, object]) -> Kind:
    """Return the kind of value that is a key of *words*, as they are when it is read."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"is none of {', '.join(words)}")
        return text

    return Kind("|".join(words), read)


def integer(low: int, high: int) -> Kind:
    """Return the kind of value that is a number from *low* to *high*, both included."""

    def read(text: str) -> int:
        if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"is not a number from {low} to {high}")
        return int(text)

    return Kind("N", read)


def user() -> Kind:
    """Return the kind of value that is a user: the number, or the name that the machine knows."""
    return Kind("USER", _identified("user", lambda name: pwd.getpwnam(name).pw_uid))


def group() -> Kind:
    """Return the kind of value that is a group: the number, or the name that the machine knows."""
    return Kind("GROUP", _identified("group", lambda name: grp.getgrnam(name).gr_gid))


def _identified(what: str, number_of: Callable[[str], int]) -> Callable[[str], int]:
    def read(text: str) -> int:
        if _INTEGER.fullmatch(text) and int(text) <= LAST_ID:
            return int(text)
        try:
            return number_of(text)
        except (KeyError, ValueError):
            raise ValueError(f"is no {what} of this machine, and no number from 0 to {LAST_ID}") from None

    return read


def seconds(low: int, high: int) -> Kind:
    """Return the kind of value that is a time from *low* to *high* seconds, both included, as a float."""

    def read(text: str) -> float:
        if not _SECONDS.fullmatch(text) or not low <= float(text) <= high:
            raise ValueError(f"is not a number of seconds from {low} to {high}")
        return float(text)

    return Kind("SECONDS", read)


def size(low: str, high: str) -> Kind:
    """Return the kind of value that is a number of bytes from *low* to *high*, both included and written as one."""

    def read(text: str) -> int:
        if not _SIZE.fullmatch(text):
            raise ValueError("is not a size: a number, with K, M, G or T for powers of 1024")
        if not size_bytes(low) <= size_bytes(text) <= size_bytes(high):
            raise ValueError(f"is not a size from {low} to {high}")
        return size_bytes(text)

    return Kind("SIZE", read)


def size_bytes(text: str) -> int:
    """Return the bytes that a size like ``256M`` stands for."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("is not a size")
    return int(match[1]) * _UNITS[match[2].upper()]
