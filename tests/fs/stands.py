"""Stand-ins for the tree and the outputs: a few files without a service behind them, some of which misbehave."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from casfs.errors import CasfsError, NotFoundError
from casfs.models import (
    ARCHIVE_RETRIEVAL,
    PROBE_NAME,
    Cached,
    Job,
    JobState,
    Output,
    Vault,
    Verification,
    VerificationState,
)
from casfs.tree.nodes import JobDir, Node, OutputFile, ProbeFile, Root, VaultDir
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
    """A vault with the jobs that it was given, and one with many; look-ups can be made to fail or to wait."""

    def __init__(self, jobs: Sequence[Job], interrupted: Interrupted = never) -> None:
        self.jobs = {each.id: each for each in jobs}
        self.many: list[Job] = []
        self.failures: dict[str, Callable[[], BaseException]] = {}
        self.list_failures: dict[str, Callable[[], BaseException]] = {}
        self.stalls: set[str] = set()
        self.root = ""
        self.started = 0
        self.stopped = 0
        self._interrupted = interrupted

    def start(self) -> None:
        """Take note."""
        self.started += 1

    def stop(self) -> None:
        """Take note."""
        self.stopped += 1

    def resolve(self, path: str, *, fresh: bool = False) -> Node:
        """Look the path up."""
        match f"{self.root}{path}".strip("/").split("/"):
            case [""]:
                return Root()
            case [name] if name == PROBE_NAME:
                return ProbeFile()
            case [vault]:
                return self._vault(vault)
            case [vault, name]:
                return JobDir(self._job(vault, name))
            case [vault, name, "output"]:
                return OutputFile(self._job(vault, name))
        raise NotFoundError(path)

    def entries(self, node: Node) -> list[tuple[str, Node]]:
        """List what *node* holds."""
        match node:
            case Root():
                return [(name, self._vault(name)) for name in ("vault", "many")]
            case VaultDir(vault):
                held = self.many if vault.name == "many" else list(self.jobs.values())
                return [(each.id, JobDir(each)) for each in held]
            case JobDir(each) if each.id in self.list_failures:
                failure = self.list_failures[each.id]()
                raise failure
            case JobDir(each):
                return [("output", OutputFile(each))]
        raise NotFoundError("not a directory")

    def _vault(self, name: str) -> VaultDir:
        if name not in {"vault", "many"}:
            raise NotFoundError(name)
        return VaultDir(Vault(name, CREATED_NS, json.dumps({"VaultName": name, "SizeInBytes": 7})))

    def _job(self, vault: str, name: str) -> Job:
        if name in self.stalls:
            wait_for(Future[None](), Deadline.after(30), self._interrupted, "look-up")
        if name in self.failures:
            failure = self.failures[name]()
            raise failure
        if vault == "many":
            return self.many[int(name.removeprefix("job-"))]
        if name not in self.jobs:
            raise NotFoundError(name)
        return self.jobs[name]


@dataclass
class Behaviour:
    """How one output behaves.

    Attributes:
        size: what is learnt at open; None, as the document says.
        failure: what reads raise.
        fails_from: offset from which on they do.
        open_failure: what opening it raises.
        close_failure: what closing it raises.
        flush_failure: what checking it at a close raises.
        attribute_failure: what its attributes raise.
        cached: how much of it is kept on disk, None where nothing is to be.
        stalls_from: offset from which on reads wait for nothing, up to 30 s.
        short: bytes that a read leaves out.
        keep_pages: whether the kernel may keep pages of earlier opens.
        uses_pages: whether the kernel's pages may serve it.
    """

    size: int | None = None
    failure: Callable[[], BaseException] | None = None
    fails_from: int = 0
    open_failure: Callable[[], BaseException] | None = None
    close_failure: Callable[[], BaseException] | None = None
    flush_failure: Callable[[], BaseException] | None = None
    attribute_failure: Callable[[], BaseException] | None = None
    cached: Cached | None = None
    stalls_from: int | None = None
    short: int = 0
    keep_pages: bool = True
    uses_pages: bool = True


class StandInReader:
    """Reads the pattern, as its behaviour says."""

    def __init__(self, outputs: "StandInOutputs", behaviour: Behaviour, size: int) -> None:
        self._outputs = outputs
        self._behaviour = behaviour
        self._size = size
        self.keep_pages = behaviour.keep_pages
        self.uses_pages = behaviour.uses_pages
        self.closed = False
        self.position = 0
        self.read_s: float | None = None

    def read_into(self, offset: int, buffer: memoryview, /) -> int:
        """Fill *buffer*, or misbehave."""
        behaviour = self._behaviour
        stop = min(offset + len(buffer), self._size)
        if behaviour.failure is not None and stop > behaviour.fails_from:
            failure = behaviour.failure()
            raise failure
        if behaviour.stalls_from is not None and stop > behaviour.stalls_from:
            wait_for(self._outputs.never_done, Deadline.after(30), self._outputs.interrupted, "read")
        count = max(0, stop - offset - behaviour.short)
        for start in range(0, count, len(PATTERN)):
            length = min(len(PATTERN), count - start)
            buffer[start : start + length] = content(offset + start, length)
        return count

    def check(self) -> None:
        """Misbehave, if what was served is to have proved wrong."""
        if self._behaviour.flush_failure is not None:
            failure = self._behaviour.flush_failure()
            raise failure

    def close(self) -> None:
        """Take note, or misbehave."""
        self.closed = True
        if self._behaviour.close_failure is not None:
            failure = self._behaviour.close_failure()
            raise failure


class StandInProbe:
    """What is read to see whether reads are answered."""

    text = content(0, 7)

    def __init__(self, outputs: "StandInOutputs") -> None:
        self._outputs = outputs

    def open(self) -> StandInReader:
        """Open it."""
        return StandInReader(self._outputs, Behaviour(), len(self.text))


class StandInOutputs:
    """Outputs that all hold the pattern."""

    def __init__(self, interrupted: Interrupted = never) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.learnt: dict[str, int] = {}
        self.never_done: Future[None] = Future()
        self.interrupted = interrupted
        self.readers: list[StandInReader] = []
        self.started = 0

    def start(self) -> None:
        """Take note."""
        self.started += 1

    def stop(self) -> None:
        """End every stall with an error."""
        if not self.never_done.done():
            self.never_done.set_exception(CasfsError("the mount ends"))

    @property
    def probe(self) -> "StandInProbe":
        """Return a few bytes of the pattern."""
        return StandInProbe(self)

    def open(self, output: Output) -> StandInReader:
        """Learn the size as behaviour says, or misbehave."""
        behaviour = self.behaviours.get(output.job, Behaviour())
        if behaviour.open_failure is not None:
            failure = behaviour.open_failure()
            raise failure
        size = output.size if behaviour.size is None else behaviour.size
        self.learnt[output.job] = size or 0
        reader = StandInReader(self, behaviour, size or 0)
        self.readers.append(reader)
        return reader

    def size_of(self, output: Output) -> int | None:
        """Return the size, learnt or not."""
        return self.learnt.get(output.job, output.size)

    def learn_size(self, output: Output, timeout_s: float) -> int:
        """Return the size that behaviour says, learnt from now on."""
        self.open(output)
        return self.learnt[output.job]

    def verification(self, output: Output) -> Verification:
        """Say that nothing was, or misbehave."""
        behaviour = self.behaviours.get(output.job, Behaviour())
        if behaviour.attribute_failure is not None:
            failure = behaviour.attribute_failure()
            raise failure
        return Verification(VerificationState.NONE, 0, 0)

    def cached(self, output: Output) -> Cached | None:
        """Say what the job's behaviour says."""
        return self.behaviours.get(output.job, Behaviour()).cached

    def media_type(self, output: Output) -> str | None:
        """Return a plain one."""
        return "application/octet-stream"
