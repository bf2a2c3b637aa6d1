"""Outputs by their paths in mounts, read there so that the cache of the mount has them."""

import errno
import json
import os
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

from casfs import apart
from casfs.cache import mount_reader
from casfs.cache.target import NOTHING, Advance, Cache, Holding, Target
from casfs.errors import CasfsError, ConfigError, DeadlineError, InterruptedCallError, NotFoundError
from casfs.iso_time import ns_of

LOOK_S = 60.0
"""How long an answer about names is waited for: the mount itself gives one within 30 s, or an error."""
SURVEY_S = 300.0
"""The same of the next output below a directory: before the first one, a vault is listed."""
MARGIN_S = 30.0
"""How much longer a read is waited for than the mount's own deadline of a read."""

Answer = dict[str, Any]


class MountedOutputs:
    """A Shelf: outputs in mounts of this machine.

    Threads: any, but it is made before there are any.
    """

    def __init__(self) -> None:
        self._line, self._process = apart.begin(mount_reader.serve)
        self._lock = threading.Lock()
        self._numbers = count()
        self._answers: dict[int, queue.SimpleQueue[Answer | None]] = {}
        self._is_closed = False
        self._read_timeout_s = 0.0
        threading.Thread(target=self._listen, daemon=True, name="casfs-warm-mounts").start()

    def survey(self, name: str) -> list[Target]:
        """See Shelf."""
        path = os.path.abspath(name)  # noqa: PTH100 - pathlib keeps ".."
        answers = self._ask("survey", path, SURVEY_S)
        options = next(answers)["options"]
        if options is None:
            raise ConfigError("it is in no mount of casfs")
        if not options.get("cache_dir"):
            raise ConfigError("its mount has no cache on disk: mount it with --cache-dir")
        self._read_timeout_s = max(self._read_timeout_s, float(options["read_timeout"]))
        if options["verify"] == "off":
            raise ConfigError("its mount keeps nothing on disk, since --verify off checks nothing")
        cache = Cache(options["cache_dir"], options["cache_size"])
        return [self._target(answer, cache) for answer in answers]

    def look(self, target: Target) -> Holding:
        """See Shelf."""
        return _holding(next(self._ask("look", target.name, LOOK_S)))

    def fetch(self, target: Target, advance: Advance) -> Holding:
        """See Shelf."""
        for answer in self._ask("fetch", target.name, self._read_timeout_s + MARGIN_S):
            if "output" in answer:
                return _holding(answer)
            advance(answer["bytes"])
        raise CasfsError("reading it ended without a word")

    def close(self) -> None:
        """See Shelf. The process is left behind where it hangs in a mount: it ends with that."""
        self._is_closed = True
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        apart.end(self._process)

    def _target(self, answer: Answer, cache: Cache) -> Target:
        path, vault, job = answer["output"], answer["vault"], answer["job"]
        expires = answer["expires"]
        expires_ns = None if expires is None else ns_of(expires)
        return Target(path, vault, job, answer["size"], expires_ns, _holding(answer), cache, self)

    def _ask(self, ask: str, path: str, patience_s: float) -> Iterator[Answer]:
        """Yield the answers to a question; each must come within *patience_s* of the one before."""
        answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        with self._lock:
            number = next(self._numbers)
            self._answers[number] = answers
            if self._is_closed:
                answers.put(None)
            else:
                self._line.sendall(json.dumps({"number": number, "ask": ask, "path": path}).encode() + b"\n")
        try:
            while (answer := _next(answers, patience_s)).get("end") is None:
                if "error" in answer:
                    raise _error(answer)
                yield answer
        finally:
            with self._lock:
                del self._answers[number]

    def _listen(self) -> None:
        with suppress(OSError), self._line.makefile("r", encoding="ascii") as lines:
            for text in lines:
                answer = json.loads(text)
                with self._lock:
                    answers = self._answers.get(answer["number"])
                if answers is not None:
                    answers.put(answer)
        with self._lock:
            self._is_closed = True
            for answers in self._answers.values():
                answers.put(None)


def _next(answers: "queue.SimpleQueue[Answer | None]", patience_s: float) -> Answer:
    try:
        answer = answers.get(timeout=patience_s)
    except queue.Empty:
        raise DeadlineError(f"the mount has not answered for {patience_s:.0f} s") from None
    if answer is None:
        raise InterruptedCallError("given up")
    return answer


def _error(answer: Answer) -> CasfsError:
    kind = NotFoundError if answer["errno"] == errno.ENOENT else CasfsError
    return kind(answer["error"])


def _holding(answer: Answer) -> Holding:
    return Holding(answer["cached"] or NOTHING, answer["verified"] or NOTHING, answer.get("is_failing", False))
