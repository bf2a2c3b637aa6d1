"""What keeps a process to itself: it holds a key."""

import ctypes

PR_SET_DUMPABLE = 4
"""Source: prctl(2)."""


def keep_private() -> None:
    """Leave no core, and let no other user look into the memory of this process; its children by fork inherit that.

    What ``/proc/PID`` shows of it, but for its command line and status, is root's alone from now on.

    Source: PR_SET_DUMPABLE(2const); ssh-agent does the same.
    """
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
