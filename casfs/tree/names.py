"""Which of the service's names can be names of files, and which names can be the service's.

The service's names are shown as they are, never escaped: a path in a script is the id that every other tool prints.
What cannot be shown is left out of the tree, with one warning a listing.
"""

import logging
import re

from casfs.models import PROBE_NAME

log = logging.getLogger(__name__)

NAME_BYTES = 255
"""Longest name of a file. Source: NAME_MAX, limits.h; every file system a tree is copied to has it."""

EXAMPLES = 3
EXAMPLE_LENGTH = 80
"""Names that a warning shows, and characters of each: a service may send 30,000 of them, or one of 64 MiB."""

_VAULT_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
"""Source: CAS product overview 572/8742; Glacier developer guide, Create Vault."""


def can_be_file(name: str) -> bool:
    """Say whether *name* can be the name of a file: none with a meaning, no ``/`` or NUL, 1 to 255 bytes of UTF-8."""
    if name in {"", ".", "..", PROBE_NAME} or "/" in name or "\0" in name:
        return False
    try:
        return len(name.encode()) <= NAME_BYTES
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can carry and UTF-8 cannot
        return False


def can_be_vault(name: str) -> bool:
    """Say whether the service could know a vault of that *name*; one that it could not is worth no request."""
    return can_be_file(name) and _VAULT_NAME.fullmatch(name) is not None


class HiddenNames:
    """The names of one listing that the tree does not show, so that one line tells of all of them.

    Args:
        what: of what kind the names are, e.g. ``jobs of vault photos``.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._first: list[str] = []

    def shows(self, name: str) -> bool:
        """Say whether *name*, as the service sent it, has its place in the tree; take note of one that has not."""
        if can_be_file(name):
            return True
        self._count += 1
        if len(self._first) < EXAMPLES:
            # ascii: whatever the service sent, the line stays one line of printable characters
            self._first.append(ascii(name[:EXAMPLE_LENGTH]))
        return False

    def warn(self) -> None:
        """Log what was left out, if anything was."""
        if self._count:
            more = ", ..." if self._count > len(self._first) else ""
            named = ", ".join(self._first) + more
            log.warning("left out %d %s, which cannot be names of files: %s", self._count, self._what, named)
