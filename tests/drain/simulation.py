"""A drain without threads, sockets and waiting: a service behind our own Protocol, whose days pass in no time."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from casfs.drain.archive import Archive, State
from casfs.drain.coordinator import Coordinator, Means
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.names import Naming
from casfs.drain.needs import Progress
from casfs.drain.settings import DrainSettings
from casfs.drain.waves import Bounds
from casfs.drain.way import Download
from casfs.drain.work import Outcome, Work
from casfs.errors import CasfsError, NotFoundError, NotReadyError
from casfs.file import File
from casfs.models import Job, JobState, Vault, Verification, VerificationState
from tests.drain.destinations.contents import tree_hash

SECOND = 10**9
HOUR = 3600 * SECOND
SETTINGS = DrainSettings("v", "Bulk", Bounds(1 << 40, None), attempts=3, jobs=2, poll_s=300.0)


class Bytes:
    """A reader of bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_into(self, offset: int, buffer: memoryview, /) -> int:
        found = self._data[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        return len(found)

    def check(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class FakeJob:
    """A job as it was begun."""

    archive: str
    began_ns: int
    takes_ns: int
    fails: str = ""


@dataclass
class FakeService:
    """Archives, and jobs that take their time and expire.

    Attributes:
        now_ns: the time.
        contents: bytes by id of the archive.
        jobs_by_id: those that were begun.
        takes_ns: how long a new one takes.
        lives_ns: how long an output is there.
        speed: bytes a second of a download.
        shows_after_ns: how long after it was begun a list has a job.
        step_s: how long a turn takes at least: a test of a week is not to take 600,000 turns.
        on_retrieve, on_open, on_list: called before each; may raise.
    """

    contents: dict[str, bytes]
    now_ns: int = 1_700_000_000 * SECOND
    takes_ns: int = 8 * HOUR
    lives_ns: int = 24 * HOUR
    speed: float = 1e9
    shows_after_ns: int = 0
    step_s: float = 300.0
    jobs_by_id: dict[str, FakeJob] = field(default_factory=dict)
    on_retrieve: Callable[[str], None] = lambda _: None
    on_open: Callable[[str], None] = lambda _: None
    on_list: Callable[[], None] = lambda: None
    begun: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def time(self) -> int:
        return self.now_ns

    def begin(self, archive: str, **more: Any) -> str:
        name = f"job-{len(self.jobs_by_id)}-of-{archive}"
        self.jobs_by_id[name] = replace(FakeJob(archive, self.now_ns, self.takes_ns), **more)
        return name

    def retrieve(self, vault: str, archive: str, tier: str | None = None, /) -> str:
        self.log.append("retrieve")
        self.on_retrieve(archive)
        if archive not in self.contents:
            raise NotFoundError("The archive ID was not found")
        self.begun.append(archive)
        return self.begin(archive)

    def each_job(self, vault: str, /) -> Iterator[Job]:
        self.log.append("list")
        self.on_list()
        shown = [name for name, job in self.jobs_by_id.items() if job.began_ns <= self.now_ns - self.shows_after_ns]
        return iter([found for name in shown if (found := self._job(name)) is not None])

    def job(self, vault: str, id: str, fresh: bool = False, /) -> Job:  # noqa: A002, FBT001, FBT002 - the library's
        found = self._job(id)
        if found is None:
            raise NotFoundError(f"there is no job {id}")
        return found

    def open(self, vault: str, job: str, /) -> File:
        self.opened.append(job)
        self.on_open(job)
        found = self.job(vault, job)
        if found.state is not JobState.SUCCEEDED:
            raise NotReadyError("not yet")
        data = self.contents[self.jobs_by_id[job].archive]
        self.now_ns += int(len(data) / self.speed * SECOND)
        return File(job, lambda: Bytes(data), lambda: Verification(VerificationState.WHOLE, 1, 1))

    def vault(self, name: str, /) -> Vault:
        return Vault(name, None, json.dumps({"NumberOfArchives": len(self.contents)}))

    def retrieve_inventory(self, vault: str, /, *, marker: str | None, description: str) -> str:
        raise AssertionError

    def wait(self, vault: str, id: str, timeout: float | None, poll: float, /) -> Job:  # noqa: A002 - the library's
        raise AssertionError

    def _job(self, name: str) -> Job | None:
        job = self.jobs_by_id.get(name)
        if job is None or self.now_ns >= job.began_ns + job.takes_ns + self.lives_ns:
            return None
        is_over = self.now_ns >= job.began_ns + job.takes_ns
        state = (JobState.FAILED if job.fails else JobState.SUCCEEDED) if is_over else JobState.IN_PROGRESS
        fields = {"ArchiveId": job.archive, "StatusMessage": job.fails or state.value}
        hash_ = tree_hash(self.contents[job.archive]) if job.archive in self.contents else None
        fields["ArchiveSHA256TreeHash"] = hash_ or ""
        done_ns = job.began_ns + job.takes_ns if is_over else None
        return Job("v", name, "ArchiveRetrieval", state, job.began_ns, done_ns, None, hash_, json.dumps(fields))


class Now:
    """A pool that does its work at once, and the inbox of it: where nothing waits there, time passes."""

    def __init__(self, service: FakeService) -> None:
        self._service = service
        self._outcomes: deque[Outcome] = deque()

    def submit(self, work: Callable[[], Outcome], /) -> None:
        self._outcomes.append(work())

    def stop(self) -> None: ...

    def put(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)

    def get(self, timeout_s: float) -> Outcome | None:
        if self._outcomes:
            return self._outcomes.popleft()
        self._service.now_ns += int(max(timeout_s, self._service.step_s if timeout_s else 0) * SECOND)
        return None


@dataclass
class Watch:
    """Remembers what it was told."""

    notes: list[str] = field(default_factory=list)
    last: Progress = field(default_factory=Progress)
    most_waiting: int = 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, progress: Progress) -> None:
        self.last = progress
        under_way = sum(progress.totals[each][1] for each in (State.ASKING, State.ASKED, State.READY, State.LOADING))
        self.most_waiting = max(self.most_waiting, under_way)


class Simulation:
    """A vault, its ledger and its destination, and runs of a drain."""

    def __init__(self, folder: Path, contents: dict[str, bytes], **service: Any) -> None:
        self.service = FakeService(contents, **service)
        self.destination = LocalDestination(str(folder / "out"))
        self.out = folder / "out"
        self.ledger = folder / "ledger"
        self.watch = Watch()

    def enter(self, *, hashes: bool = True) -> None:
        """Have the inventory in a new ledger."""
        listed = [
            Archive(name, name, "2014-03-01T12:00:00Z", len(data), tree_hash(data) if hashes else None)
            for name, data in self.service.contents.items()
        ]
        with Ledger(self.ledger) as ledger, ledger.step():
            ledger.archives.add(listed, Naming.DESCRIPTION)
            ledger.archives.finish()
            ledger.put("inventory", "2026-01-01")

    def run(self, killed: Ledger | None = None, **settings: Any) -> dict[State, int]:
        """Run to the end; return archives by state."""
        if not self.ledger.exists():
            self.enter()
        pool = Now(self.service)
        work = Work(self.service, "v", Download(self.service, "v", self.destination, "Bulk"), self.service.time)
        with killed or Ledger(self.ledger) as ledger:
            means = Means(work, pool, pool, pool, self.service.time)
            try:
                Coordinator(ledger, replace(SETTINGS, **settings), means, self.watch).run()
            finally:
                found = {state: count for state, (count, _) in ledger.archives.totals().items() if count}
        return found

    def reasons(self) -> list[str]:
        with Ledger(self.ledger) as ledger:
            return [why for why, _ in ledger.archives.reasons()]


def contents(count: int, size: int = 1000) -> dict[str, bytes]:
    return {f"archive-{number:03}": bytes([number % 256]) * (size + number) for number in range(count)}


def failing(times: int, error: Callable[[], CasfsError], of: str | None = None) -> Callable[[str], None]:
    """Return what raises *error* that often, of one archive or of any."""
    left = [times]

    def fail(what: str) -> None:
        if left[0] and (of is None or of in what):
            left[0] -= 1
            raise error()

    return fail
