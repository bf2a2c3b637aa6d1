"""Takes the credentials out of what others see of the environment of this process, once they have been read."""

import ctypes
import os
from collections.abc import Iterator

from casfs.api.providers.table import PROVIDERS


def hide_credentials() -> None:
    """Wipe the credentials where others see them: ``/proc/PID/environ`` is without, and what a child inherits.

    ``os.environ`` is a copy, and keeps them: botocore looks there again when it is asked for newer keys.

    Threads: before any but this one.

    Source: proc_pid_environ(5), which shows the memory that the program was started with, whatever it does to its
    variables later.
    """
    secret = {name for provider in PROVIDERS.values() for name in provider.keys.variables}
    for name, address, length in _variables():
        if name in secret:
            ctypes.memset(address, 0, length)


def _variables() -> Iterator[tuple[str, int, int]]:
    """Yield the name of each variable of the C library, the address of its value, and the length of that."""
    variables = ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")
    number = 0
    while address := variables[number]:
        name, equals, value = ctypes.string_at(address).partition(b"=")
        yield os.fsdecode(name), address + len(name) + len(equals), len(value)
        number += 1
