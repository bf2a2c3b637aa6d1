"""Stand-ins for the tree and the outputs: a few files without a service behind them, some of which misbehave."""

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from casfs.errors import CasfsError, NotFoundError
from casfs.models import ARCHIVE_RETRIEVAL, Job, JobState, Output, Vault
from casfs.tree.nodes import JobDir, Node, OutputFile, Root, VaultDir
from casfs.waiting import Deadline, Interrupted, never, wait_for

PATTERN = bytes(range(256)) * 4096 + b"pattern"
"""1 MiB and 7 bytes, so that no two blocks are alike."""

TWICE = PATTERN * 2
CREATED_NS = 1_600_000_000_123_456_789
COMPLETED_NS = 1_600_000_400_987_654_321


def content(offset: int, length: int) -> bytes:
    """Return the bytes of every output from *offset* on; at most ``len(PATTERN)`` of them."""
    start = offset % len(PATTERN)
    return TWICE[start : start + length]


def whole(size: int) -> bytes:
    """Return the first *size* bytes of every output."""
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def job(name: str, size: int | None, **fields: object) -> Job:
    """Return a job that succeeded, whose document has *fields* as well."""
    document = {"JobId": name, "Action": ARCHIVE_RETRIEVAL, "StatusCode": "Succeeded"} | fields
    return Job(
        "vault", name, ARCHIVE_RETRIEVAL, JobState.SUCCEEDED, CREATED_NS, COMPLETED_NS, size, "ab" * 32,
        json.dumps(document),
    )  # fmt: skip


class StandInTree:
    """One vault, ``vault``, with the jobs that it was given; jobs can be made to fail or to wait."""

    def __init__(self, jobs: Sequence[Job], interrupted: Interrupted = never) -> None:
        self.vault = VaultDir(Vault("vault", CREATED_NS, '{"VaultName":"vault","SizeInBytes":7}'))
        self.jobs = {each.id: each for each in jobs}
        self.failures: dict[str, Callable[[], BaseException]] = {}
        self.stalls: set[str] = set()
        self.gone_outputs: list[Output] = []
        self.stopped = threading.Event()
        self._interrupted = interrupted

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Take note."""
        self.stopped.set()

    def gone(self, output: Output) -> None:
        """Take note."""
        self.gone_outputs.append(output)

    def resolve(self, path: str, *, fresh: bool = False) -> Node:
        """Look the path up."""
        match path.strip("/").split("/"):
            case [""]:
                return Root()
            case ["vault"]:
                return self.vault
            case ["vault", name]:
                return JobDir(self._job(name))
            case ["vault", name, "output"]:
                return OutputFile(self._job(name))
        raise NotFoundError(path)

    def entries(self, node: Node) -> list[tuple[str, Node]]:
        """List what *node* holds."""
        match node:
            case Root():
                return [("vault", self.vault)]
            case VaultDir():
                return [(name, JobDir(each)) for name, each in self.jobs.items()]
            case JobDir(each):
                return [("output", OutputFile(each))]
        raise NotFoundError("not a directory")

    def _job(self, name: str) -> Job:
        if name in self.stalls:
            wait_for(Future[None](), Deadline.after(30), self._interrupted, "look-up")
        if name in self.failures:
            failure = self.failures[name]()
            raise failure
        if name not in self.jobs:
            raise NotFoundError(name)
        return self.jobs[name]


@dataclass
class Behaviour:
    """How one output behaves.

    Attributes:
        size: what is learnt at open; None, as the document says.
        fails_from: offset from which on reads raise *failure*.
        stalls_from: offset from which on reads wait for nothing, up to 30 s.
        short: bytes that a read leaves out.
    """

    size: int | None = None
    failure: Callable[[], BaseException] | None = None
    fails_from: int = 0
    stalls_from: int | None = None
    short: int = 0
    keep_pages: bool = True


class StandInReader:
    """Reads the pattern, as its behaviour says."""

    def __init__(self, outputs: "StandInOutputs", behaviour: Behaviour, size: int) -> None:
        self._outputs = outputs
        self._behaviour = behaviour
        self._size = size
        self.keep_pages = behaviour.keep_pages
        self.closed = False

    def read_into(self, offset: int, into: memoryview) -> int:
        """Fill *into*, or misbehave."""
        behaviour = self._behaviour
        if behaviour.failure is not None and offset + len(into) > behaviour.fails_from:
            raise behaviour.failure()
        if behaviour.stalls_from is not None and offset + len(into) > behaviour.stalls_from:
            wait_for(self._outputs.never_done, Deadline.after(30), self._outputs.interrupted, "read")
        count = max(0, min(len(into), self._size - offset) - behaviour.short)
        for start in range(0, count, len(PATTERN)):
            length = min(len(PATTERN), count - start)
            into[start : start + length] = content(offset + start, length)
        return count

    def close(self) -> None:
        """Take note."""
        self.closed = True


class StandInOutputs:
    """Outputs that all hold the pattern."""

    def __init__(self, interrupted: Interrupted = never) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.learnt: dict[str, int] = {}
        self.never_done: Future[None] = Future()
        self.interrupted = interrupted
        self.readers: list[StandInReader] = []

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """End every stall with an error."""
        if not self.never_done.done():
            self.never_done.set_exception(CasfsError("the mount ends"))

    def open(self, output: Output) -> StandInReader:
        """Learn the size, as behaviour says."""
        behaviour = self.behaviours.get(output.job, Behaviour())
        size = output.size if behaviour.size is None else behaviour.size
        self.learnt[output.job] = size or 0
        reader = StandInReader(self, replace(behaviour), size or 0)
        self.readers.append(reader)
        return reader

    def size_of(self, output: Output) -> int | None:
        """Return the size, learnt or not."""
        return self.learnt.get(output.job, output.size)

    def learn_size(self, output: Output, timeout_s: float) -> int:
        """Return the size that behaviour says, learnt from now on."""
        self.open(output)
        return self.learnt[output.job]

    def verified(self, output: Output) -> str:
        """Say that nothing was."""
        return "none"

    def media_type(self, output: Output) -> str | None:
        """Return a plain one."""
        return "application/octet-stream"
