"""Which of the service's names can be names of files, and which names can be the service's.

The service's names are shown as they are, never escaped: a path in a script is the id that every other tool prints.
What cannot be shown is left out of the tree, with one warning.
"""

import logging
import re
import threading

log = logging.getLogger(__name__)

NAME_BYTES = 255
"""Longest name of a file. Source: NAME_MAX, limits.h; every file system a tree is copied to has it."""

_VAULT_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
"""Source: CAS product overview 572/8742; Glacier developer guide, Create Vault."""


def can_be_file(name: str) -> bool:
    """Say whether *name* can be the name of a file: no ``.`` or ``..``, no ``/`` or NUL, 1 to 255 bytes of UTF-8."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        return False
    try:
        return len(name.encode()) <= NAME_BYTES
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can carry and UTF-8 cannot
        return False


def can_be_vault(name: str) -> bool:
    """Say whether the service could know a vault of that *name*; one that it could not is worth no request."""
    return can_be_file(name) and _VAULT_NAME.fullmatch(name) is not None


class Names:
    """Leaves out what cannot be the name of a file, and says so once.

    Threads: any thread may call.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left_out: set[tuple[str, str]] = set()

    def shown(self, name: str, where: str) -> bool:
        """Say whether *name* has its place in the tree; warn of one that has not, once in the life of the mount.

        Args:
            name: of a vault or job, as the service sent it.
            where: what the warning says it is, e.g. ``job of vault photos``.
        """
        if can_be_file(name):
            return True
        with self._lock:
            first = (where, name) not in self._left_out
            self._left_out.add((where, name))
        if first:
            # %a: whatever the service sent, the line stays one line of printable ASCII
            log.warning("left out %a, %s: it cannot be the name of a file", name, where)
        return False
