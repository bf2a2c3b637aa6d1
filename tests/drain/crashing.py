"""Runs ``casfs drain`` again and again in children of one process, each of which dies at a change of its ledger.

It is told of a run by one line of JSON, the change and the arguments, and answers with one: how it ended, and how many
changes there were. It preloads what ``crash.c`` makes.
"""

import ctypes
import json
import os
import sys
from collections.abc import Sequence

import casfs.cli.drain  # noqa: F401 - once, for all children
from casfs.cli.main import main

_crash = ctypes.CDLL(os.environ["LD_PRELOAD"])
_crash.changes_seen.restype = ctypes.c_long


def run(prefix: str, at: int, arguments: Sequence[str]) -> tuple[int, int, str]:
    """Run the command in a child; return its exit status, how many changes it made, and what it said of failures."""
    changes, told = os.pipe()
    said = os.memfd_create("stderr")
    child = os.fork()
    if not child:
        _run(prefix, at, arguments, told, said)
    os.close(told)
    _, status = os.waitpid(child, 0)
    with os.fdopen(changes, "rb") as counted:
        seen = counted.read()
    os.lseek(said, 0, os.SEEK_SET)
    with os.fdopen(said, "rb") as errors:
        return os.waitstatus_to_exitcode(status), int(seen or at), errors.read().decode()


def _run(prefix: str, at: int, arguments: Sequence[str], told: int, said: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(said, 2)
    sys.argv = ["casfs", *arguments]
    _crash.crash_at(os.fsencode(prefix), at)
    code: object = 1
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code
    finally:
        os.write(told, str(_crash.changes_seen()).encode())
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    for line in sys.stdin:
        wanted = json.loads(line)
        sys.stdout.write(json.dumps(run(wanted["prefix"], wanted["at"], wanted["arguments"])) + "\n")
        sys.stdout.flush()
