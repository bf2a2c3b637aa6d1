"""What a folder is on."""

import re
from pathlib import Path

IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_ESCAPED = re.compile(r"\\([0-7]{3})")


def is_in_memory(path: str, root: Path = Path("/")) -> bool:
    """Say whether what is written at *path* goes into memory; where nobody knows, it does not.

    Args:
        path: absolute; need not be there.
        root: what ``/proc`` is in.

    Source: proc_pid_mountinfo(5): the mountpoint is the fifth field, the type the first one after the dash.
    """
    place, found = Path(path), ("", "")
    try:
        lines = (root / "proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    for line in lines:
        front, _, behind = line.partition(" - ")
        mountpoint = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), front.split()[4])
        if place.is_relative_to(mountpoint) and len(mountpoint) >= len(found[0]):  # the last one covers the others
            found = (mountpoint, behind.split()[0])
    return found[1] in IN_MEMORY
