"""What a child does that alone opens paths in mounts, so that no other process can be caught in them (``apart``).

It is asked, and answers, by lines of JSON on a socket; whoever asks has deadlines, and leaves it behind where it hangs.
"""

import errno
import json
import mmap
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from casfs.cache.filling import Filling
from casfs.cache.target import NOTHING, Holding
from casfs.models import OPTIONS_ATTRIBUTE, STATS_ATTRIBUTE

READ_BYTES = 1 << 20
"""A block a read: what the kernel asks for at most."""
TELL_S = 0.25
"""How often progress is told."""

Tell = Callable[[dict[str, Any]], None]
Answer = Iterator[dict[str, Any]]


def serve(line: socket.socket) -> None:
    """Answer what is asked on *line*, each question on a thread of its own, until nobody asks any more."""
    lock = threading.Lock()

    def answered(question: dict[str, Any]) -> None:
        for answer in _answers(question):
            text = json.dumps({"number": question["number"], **answer}) + "\n"
            with lock, suppress(OSError):
                line.sendall(text.encode())

    with line.makefile("r", encoding="ascii") as questions:
        for text in questions:
            threading.Thread(target=answered, args=(json.loads(text),), daemon=True).start()


def _answers(question: dict[str, Any]) -> Answer:
    try:
        yield from QUESTIONS[question["ask"]](question["path"])
    except OSError as error:
        yield {"error": error.strerror or str(error), "errno": error.errno}
    else:
        yield {"end": True}


def survey(path: str) -> Answer:
    """Tell of every output at or below *path*, and first of the mount that it is in."""
    where = os.path.realpath(path, strict=True)
    root, options = _mount_of(where)
    yield {"options": options}
    for output in _outputs(where):
        *vault, job, _ = output.removeprefix(root).strip("/").split("/")
        # under the name that was given, which may lead through symbolic links
        name = path + output.removeprefix(where)
        yield {"output": name, "vault": "".join(vault), "job": job, **_described(output)}


def look(path: str) -> Answer:
    """Tell of the output at *path*, which is opened, so that the cache notes that it was seen there."""
    os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    yield {"output": path, **_described(path)}


def fetch(path: str) -> Answer:
    """Read the output at *path* to its end, past the pages of the kernel; tell how far, and what comes of it."""
    root, _ = _mount_of(os.path.realpath(path))
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    try:
        filling = Filling(os.fstat(fd).st_size, partial(_read, fd), partial(_holding, path, root))
        told, told_s = 0, time.monotonic()
        for count in filling.steps():
            told += count
            if time.monotonic() >= told_s + TELL_S:
                yield {"bytes": told}
                told, told_s = 0, time.monotonic()
        yield {"bytes": told}
    finally:
        os.close(fd)
    yield {"output": path, **_described(path), "is_failing": _is_failing(root)}


def _mount_of(path: str) -> tuple[str, dict[str, Any] | None]:
    """Return the root of the mount that *path* is in, and its options; None where it is in none of casfs."""
    device = os.stat(path).st_dev  # noqa: PTH116 - paths are text here: they come and go as JSON
    while True:
        options = _attribute(path, OPTIONS_ATTRIBUTE)
        if options is not None:
            return path, json.loads(options)
        above = os.path.dirname(path)  # noqa: PTH120 - as above
        if above == path or os.stat(above).st_dev != device:  # noqa: PTH116 - as above
            return path, None
        path = above


def _outputs(path: str) -> Iterator[str]:
    if not os.path.isdir(path):  # noqa: PTH112 - as above
        yield path
        return
    with os.scandir(path) as entries:
        below = sorted(entry.path for entry in entries)
    for entry in below:
        yield from _outputs(entry)


def _described(path: str) -> dict[str, Any]:
    names = ("cached", "verified", "expires")
    return {"size": os.stat(path).st_size, **{name: _attribute(path, f"user.cas.{name}") for name in names}}  # noqa: PTH116 - as above


def _attribute(path: str, name: str) -> str | None:
    try:
        return os.getxattr(path, name).decode("utf-8", "replace")
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.EOPNOTSUPP):
            return None
        raise


def _holding(path: str, root: str) -> Holding:
    found = _described(path)
    return Holding(found["cached"] or NOTHING, found["verified"] or NOTHING, _is_failing(root))


def _is_failing(root: str) -> bool:
    stats = _attribute(root, STATS_ATTRIBUTE)
    return bool(stats and json.loads(stats).get("disk_fails"))


def _read(fd: int) -> Iterator[int]:
    size, offset = os.fstat(fd).st_size, 0
    with mmap.mmap(-1, READ_BYTES, flags=mmap.MAP_PRIVATE) as buffer:
        while count := os.preadv(fd, [buffer], offset):
            offset += count
            yield count
    if offset != size:
        raise OSError(errno.EIO, f"it ended after {offset} bytes of {size}")


QUESTIONS: dict[str, Callable[[str], Answer]] = {"survey": survey, "look": look, "fetch": fetch}
