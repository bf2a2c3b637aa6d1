"""Threads that began since a moment: those of a test before may still be ending."""

import threading
from collections.abc import Callable


def new_threads(prefix: str = "") -> Callable[[], set[threading.Thread]]:
    """Return what gives the threads that have begun since now, and live; those whose names begin with *prefix*."""
    before = set(threading.enumerate())
    return lambda: {thread for thread in set(threading.enumerate()) - before if thread.name.startswith(prefix)}
