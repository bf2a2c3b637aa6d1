"""What the service holds: vaults, and the archives and jobs in them.

Times are seconds since 1970 by the clock that is handed in.
"""

import base64
import hashlib
import itertools
import threading
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from casfs.emulator.content import StoredContent
from casfs.emulator.generated_archives import NO_ARCHIVES, GeneratedArchives
from casfs.emulator.jobs import PUSH_TO_COS, Archive, Json, StoredJob, StoredOutput
from casfs.emulator.policy import Policy

Clock = Callable[[], float]

DAY_S = 86400.0
"""How long an output can be downloaded. Source: Get Job Output, "valid for 24 hours"."""
NO_FIELDS: Mapping[str, Json] = MappingProxyType({})


@dataclass(slots=True)
class StoredVault:
    """A vault: its archives by id, and its jobs in the order of their ids.

    Attributes:
        name: any, hostile ones too.
        created_s: when.
        inventory_s: when its last inventory was made, None before the first.
        overrides: fields of its document to show as they stand here.
        archives: those that somebody put there.
        jobs: by id, those that have expired too.
        job_ids: their ids, in order.
        generated: archives that are made up as they are asked for, listed after the others.
        removed: ids of those of them that have been deleted.
    """

    name: str
    created_s: float
    inventory_s: float | None = None
    overrides: Mapping[str, Json] = field(default_factory=dict)
    archives: dict[str, Archive] = field(default_factory=dict)
    jobs: dict[str, StoredJob] = field(default_factory=dict)
    job_ids: list[str] = field(default_factory=list)
    generated: GeneratedArchives = NO_ARCHIVES
    removed: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many archives there are, by the last inventory."""
        return len(self.archives) + self.generated.count

    @property
    def size(self) -> int:
        """Bytes in them."""
        return sum(archive.content.size for archive in self.archives.values()) + self.generated.size

    def archive(self, archive: str) -> Archive | None:
        """Return the archive of that id."""
        number = self.generated.number(archive)
        if number is None or archive in self.removed:
            return self.archives.get(archive)
        return self.generated.archive(number)

    def remove(self, archive: str) -> None:
        """Delete the archive of that id."""
        if self.archives.pop(archive, None) is None:
            self.removed.add(archive)


class State:
    """Everything that one account has.

    Attributes:
        clock: seconds since 1970.
        account: its UID.
        region: where it is.
        job_takes_s: how long a job that a client initiates stays in progress.
        tier_takes_s: the same for retrievals of one Tier, where it is another.
        output_lives_s: how long a job is kept after its completion.
        policy: how much may be retrieved.

    Threads: every method may be called from any thread. Invariants: a vault's ``job_ids`` are its jobs' ids, sorted.
    """

    def __init__(
        self,
        *,
        clock: Clock = time.time,
        account: str = "1250000000",
        region: str = "ap-chengdu",
        job_takes_s: float = 5.0,
        output_lives_s: float = DAY_S,
    ) -> None:
        """Make an account that has nothing.

        Args:
            clock: seconds since 1970.
            account: its UID, in resource names; paths may say ``-`` instead.
            region: in resource names.
            job_takes_s: how long a job that a client initiates stays in progress.
            output_lives_s: how long a job is kept after its completion.
        """
        self.clock = clock
        self.account = account
        self.region = region
        self.job_takes_s = job_takes_s
        self.output_lives_s = output_lives_s
        self.tier_takes_s: dict[str, float] = {}
        self.policy = Policy()
        self._lock = threading.Lock()
        self._made = itertools.count()
        self._vaults: dict[str, StoredVault] = {}

    def add_vault(
        self,
        name: str,
        *,
        inventory_s: float | None = None,
        overrides: Mapping[str, Json] = NO_FIELDS,
        generated: GeneratedArchives = NO_ARCHIVES,
    ) -> StoredVault:
        """Make a vault, or return the one of that name."""
        with self._lock:
            vault = StoredVault(name, self.clock(), inventory_s, overrides, generated=generated)
            return self._vaults.setdefault(name, vault)

    def add_archive(  # noqa: PLR0913 - as add_job
        self,
        vault: str,
        content: StoredContent,
        description: str = "",
        *,
        archive_id: str | None = None,
        created_s: float | None = None,
        overrides: Mapping[str, Json] = NO_FIELDS,
    ) -> Archive:
        """Put an archive into a vault that exists; it was made now and has a fresh id unless told otherwise.

        Descriptions may be hostile, and *overrides* are what its line in inventories tells, right or wrong.
        """
        made_s = self.clock() if created_s is None else created_s
        archive = Archive(archive_id or self.fresh_id(128), content, description, made_s, overrides)
        with self._lock:
            self._vaults[vault].archives[archive.id] = archive
        return archive

    def add_job(  # noqa: PLR0913 - a job has this many sides, and a test names the two it is about
        self,
        vault: str,
        action: str,
        retrieves: StoredOutput | None = None,
        *,
        job_id: str | None = None,
        created_s: float | None = None,
        takes_s: float = 0.0,
        lives_s: float | None = None,
        fields: Mapping[str, Json] = NO_FIELDS,
        description: str = "",
        call_back_url: str | None = None,
        failure: str | None = None,
        overrides: Mapping[str, Json] = NO_FIELDS,
    ) -> StoredJob:
        """Put a job into a vault that exists, in place of one of the same id.

        Args:
            vault: its name.
            action: e.g. ARCHIVE_RETRIEVAL.
            retrieves: the bytes it is about.
            job_id: a fresh one if None.
            created_s: now if None.
            takes_s: seconds from its creation to its completion; 0 is one that has completed.
            lives_s: seconds from its completion until it is forgotten; the state's own if None.
            fields: of its document, those that nothing else here tells.
            description: JobDescription.
            call_back_url: CallBackUrl.
            failure: why it fails, None if it succeeds.
            overrides: fields of its document to show as they stand here, right or wrong.
        """
        began_s = self.clock() if created_s is None else created_s
        done_s = began_s + takes_s
        job = StoredJob(
            id=job_id or self.fresh_id(64),
            action=action,
            created_s=began_s,
            completes_s=done_s,
            expires_s=done_s + (self.output_lives_s if lives_s is None else lives_s),
            retrieves=retrieves,
            fields=fields,
            description=description,
            call_back_url=call_back_url,
            failure=failure,
            overrides=overrides,
        )
        with self._lock:
            into = self._vaults[vault]
            if job.id not in into.jobs:
                insort(into.job_ids, job.id)
            into.jobs[job.id] = job
        return job

    def fresh_id(self, length: int) -> str:
        """Return an id that this state has not given yet; the same ones, in turn, in every new state."""
        return id_of(length, self.account, next(self._made))

    def takes_s(self, tier: Json) -> float:
        """Return how long a job of that Tier, or of none, stays in progress."""
        return self.tier_takes_s.get(str(tier), self.job_takes_s)

    def remove_archive(self, vault: str, archive: str) -> None:
        """Delete an archive; outputs of it stay, and jobs that still prepare one fail.

        Source: Glacier's Delete Archive, on a retrieval that is under way.
        """
        with self._lock:
            holder = self._vaults[vault]
            holder.remove(archive)
            for job in holder.jobs.values():
                of = job.retrieves.archive if job.retrieves else None
                if of and of.id == archive and job.status(self.clock()) == "InProgress":
                    holder.jobs[job.id] = replace(job, failure=f"The archive ID was not found: {archive}")

    def fail(self, vault: str, job: str, why: str) -> None:
        """Have a job, if there is one, end as Failed and not as it would."""
        with self._lock:
            jobs = self._vaults[vault].jobs if vault in self._vaults else {}
            if job in jobs:
                jobs[job] = replace(jobs[job], failure=why)

    def expire(self, vault: str, job: str) -> None:
        """Forget a job now, if there is one, as the service does when its time is over."""
        with self._lock:
            jobs = self._vaults[vault].jobs if vault in self._vaults else {}
            if job in jobs:
                jobs[job] = replace(jobs[job], expires_s=self.clock())

    def pushed(self) -> dict[tuple[str, str], StoredOutput]:
        """Return what PushToCOS jobs have put into buckets of COS by now, by bucket and key; the last one wins."""
        with self._lock:
            jobs = [job for vault in self._vaults.values() for job in vault.jobs.values() if job.action == PUSH_TO_COS]
        done = [job for job in jobs if job.retrieves and job.status(self.clock()) == "Succeeded"]
        done.sort(key=lambda job: job.completes_s)
        return {(str(job.fields["Bucket"]), str(job.fields["Object"])): job.retrieves for job in done if job.retrieves}

    def remove_vault(self, name: str) -> None:
        """Forget a vault and all that is in it."""
        with self._lock:
            del self._vaults[name]

    def vaults(self) -> list[StoredVault]:
        """Return all vaults in the order of their names."""
        with self._lock:
            return [self._vaults[name] for name in sorted(self._vaults)]

    def vault(self, name: str) -> StoredVault | None:
        """Return the vault of that name."""
        return self._vaults.get(name)

    def job(self, vault: str, job: str) -> StoredJob | None:
        """Return the job of that id, unless it has expired."""
        holder = self._vaults.get(vault)
        found = holder.jobs.get(job) if holder else None
        return found if found and self.clock() < found.expires_s else None

    def jobs_from(self, vault: StoredVault, marker: str) -> Iterator[StoredJob]:
        """Yield the jobs of *vault* that have not expired, from the id *marker* on, in the order of their ids."""
        with self._lock:
            ids = vault.job_ids[bisect_left(vault.job_ids, marker) :]
        now = self.clock()
        return (job for job in map(vault.jobs.__getitem__, ids) if now < job.expires_s)


def id_of(length: int, *of: object) -> str:
    """Return an id of *length* characters of the service's alphabet, the same for the same arguments."""
    text, digest = "", "\n".join(map(str, of)).encode(errors="surrogateescape")
    while len(text) < length:
        digest = hashlib.sha384(digest).digest()
        text += base64.urlsafe_b64encode(digest).decode()
    return text[:length]
