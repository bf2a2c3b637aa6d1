"""A path to its node, and a directory to its entries.

The tree is ``<vault>/<job>/output``; where one vault is the root, ``<job>/output``. What it costs: a listing
ceil(n/1000) requests, a path that was not listed one Describe, everything else nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from casfs.errors import GoneError, NotFoundError
from casfs.models import PROBE_NAME, Job, Output, Vault
from casfs.tree.jobs import Jobs
from casfs.tree.kept import KeptJobs, NothingKept, merged
from casfs.tree.lister import Lister
from casfs.tree.nodes import OUTPUT_NAME, JobDir, Node, OutputFile, ProbeFile, Root, VaultDir
from casfs.tree.orders import Orders
from casfs.tree.permissions import Permissions
from casfs.tree.stale_names import StaleNames
from casfs.tree.threads import Threads
from casfs.tree.vaults import Vaults
from casfs.waiting import Clock, Interrupted, never

MAX_PASSED_OVER = 1000
"""Jobs in a row without an output that are looked at for the next one that has one: 20 ms. Then there is none."""


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """What the user decides about names.

    Attributes:
        list_ttl_s: seconds for which a listing is believed.
        root_vault: the vault that is the root of the mount, or None where the root holds all vaults.
    """

    list_ttl_s: float
    root_vault: str | None


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is known, as one value, so that forgetting all of it is one assignment."""

    vaults: Vaults
    jobs: Jobs
    orders: Orders


class Tree:
    """Which paths exist, and what they stand for.

    Threads: any thread may call, before ``stop``; seed and forget at any time.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, and what tests replace
        self,
        lister: Lister,
        settings: TreeSettings,
        interrupted: Interrupted = never,
        clock: Clock = time.monotonic,
        kept: KeptJobs | None = None,
        *,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._lister = lister
        self._kept = kept or NothingKept()
        self._settings = settings
        self._now_ns = now_ns
        self._threads = Threads(interrupted, clock)
        self._stale_names = StaleNames(clock)
        self._catalog = self._blank()

    def start(self) -> None:
        """Begin the threads that ask the service, which the first questions do otherwise; after the fork.

        Raises:
            ShortageError: the system gives none.
        """
        self._threads.start()
        self._kept.start()

    def stop(self) -> None:
        """End every wait, and the threads, though not those that hang; may be called more than once."""
        self._threads.stop()

    def seed(self, vaults: Iterable[Vault]) -> None:
        """Believe the answer of the check at mount: all vaults or, where one vault is the root, that one."""
        self._catalog.vaults.seed(vaults)

    def forget(self, list_ttl_s: float | None = None) -> None:
        """Believe nothing any more, though which names were shown is remembered.

        An answer that is on its way is given to its askers and not believed afterwards.

        Args:
            list_ttl_s: seconds for which a listing is believed from now on; None for as many as before.
        """
        if list_ttl_s is not None:
            self._settings = replace(self._settings, list_ttl_s=list_ttl_s)
        before, blank = self._catalog, self._blank()
        before.vaults.hand_over_to(blank.vaults)
        before.jobs.known.hand_over_to(blank.jobs.known)
        self._catalog = blank

    def vault_count(self) -> int:
        """Return how many vaults are known, without a question to the service."""
        return self._catalog.vaults.count()

    def next_expiry_ns(self, now_ns: int) -> int | None:
        """Return when the next output that is known expires after *now_ns*, None where none is known to; likewise."""
        return self._catalog.jobs.known.next_expiry_ns(now_ns)

    def known_jobs(self) -> Iterator[Job]:
        """Yield the jobs that are known, likewise; one may come twice."""
        return self._catalog.jobs.known.each()

    def gone(self, output: Output) -> None:
        """Take note that the service no longer has *output*: its job is not believed any more."""
        self.disbelieve(output.vault, output.job)

    def disbelieve(self, vault: str, job: str) -> None:
        """Believe nothing of a job: whoever looks for it next, or lists its vault, asks the service."""
        self._catalog.jobs.known.forget(vault, job)

    def resolve(self, path: str, *, fresh: bool = False) -> Node:
        """Return what stands at *path*.

        Args:
            path: absolute, from the root of the mount, as the kernel gives it.
            fresh: whether a vault that is only passed through will not do: its document must not be older than the
                listing TTL. For calls that name their target, like getxattr; those that may be a step on the way to
                another path, like getattr, leave it out, so that a cold path costs one Describe and not two.

        Raises:
            NotFoundError: nothing.
            GoneError: nothing any more, though a directory has shown it.
            CasfsError: the service must be asked and does not answer, as in ``SingleFlight.ask``.
        """
        names = [name for name in path.split("/") if name]
        if names == [PROBE_NAME]:
            return ProbeFile()
        if self._settings.root_vault is not None:
            names.insert(0, self._settings.root_vault)
        match names:
            case []:
                return Root(self._catalog.vaults.changed_ns())
            case [vault]:
                return self._directory(self._vault(vault, fresh=fresh))
            case [vault, job]:
                return JobDir(self._job(vault, job))
            case [vault, job, name] if name == OUTPUT_NAME:
                found = self._job(vault, job)
                if found.output is not None:
                    return OutputFile(found)
        raise NotFoundError(f"{path}: no such file")

    def entries(self, node: Node) -> Iterable[tuple[str, Node]]:
        """Return the names in the directory *node* and what they stand for, each once; a file has none.

        Returns:
            The directory as it is now, whatever becomes of it; to be gone through once.

        Raises:
            AccessDeniedError: the account may not list; what it may use can still be looked up.
            GoneError: the vault is gone.
            CasfsError: the service must be asked and does not answer, as in ``SingleFlight.ask``.
        """
        match node:
            case Root():
                return ((vault.name, self._directory(vault)) for vault in self._catalog.vaults.all())
            case VaultDir(vault):
                catalog = self._catalog
                catalog.orders.show(vault.name, lambda: list(catalog.jobs.known.last_listed(vault.name)))
                return ((job.id, JobDir(job)) for job in self._jobs(vault.name))
            case JobDir(job):
                self._catalog.jobs.known.mark_read(job.vault, job.id)
                return [(OUTPUT_NAME, OutputFile(job))] if job.output is not None else []
            case OutputFile() | ProbeFile():
                return []

    def following(self, output: Output) -> Sequence[Iterator[Output]]:
        """Return the outputs that come after *output* in each order in which programs go through its vault.

        Returns:
            As many orders each time, of what the last listing knew to be downloadable; nothing where that has no such
            output, or where the directory of the vault was not read. No request.
        """
        catalog = self._catalog
        if next(self._downloadable(catalog, output.vault, iter([output.job])), None) is None:
            return []
        orders = catalog.orders.after(output.vault, output.job)
        return [self._downloadable(catalog, output.vault, ids) for ids in orders]

    def _downloadable(self, catalog: Catalog, vault: str, ids: Iterator[str]) -> Iterator[Output]:
        """Yield the outputs of the jobs *ids* that the service may still have, until *catalog* is forgotten."""
        passed = 0
        for id_ in ids:
            job = catalog.jobs.known.last_told(vault, id_)
            if catalog is not self._catalog or passed > MAX_PASSED_OVER:
                return
            output = None if job is None else job.output
            is_there = output is not None and self._is_read(output)
            passed = 0 if is_there else passed + 1
            if output is not None and is_there:
                yield output

    def _is_read(self, output: Output) -> bool:
        """Say whether a read of *output* gets here: none of one that is empty does, and one that expired is gone."""
        is_empty = output.size == 0 and not output.is_inventory
        return not is_empty and (output.expires_ns is None or output.expires_ns > self._now_ns())

    def _directory(self, vault: Vault) -> VaultDir:
        return VaultDir(vault, self._catalog.jobs.known.changed_ns(vault.name))

    def _vault(self, name: str, *, fresh: bool) -> Vault:
        vault = self._catalog.vaults.get(name, fresh=fresh)
        if vault is None:
            raise self._missing(f"there is no vault {name!a}", name)
        return vault

    def _job(self, vault: str, name: str) -> Job:
        catalog = self._catalog
        answer = catalog.vaults.remembered(vault)
        if answer is not None and answer.vault is None:
            raise self._missing(f"there is no vault {vault!a}", vault)
        try:
            job = catalog.jobs.get(vault, name)
        except NotFoundError as error:  # a walk through the vault listed it
            catalog.vaults.forget(vault)
            raise self._missing(str(error), vault, name) from error
        if job is None:
            job = self._kept.get(vault, name)
        if job is None:
            # It may be the vault that is gone: one that was only walked through for a TTL has to show itself.
            catalog.vaults.get(vault, fresh=True)
            raise self._missing(f"there is no job {name!a} in vault {vault!a}", vault, name)
        return job

    def _jobs(self, vault: str) -> Iterable[Job]:
        catalog = self._catalog
        try:
            return merged(catalog.jobs.all(vault), self._kept.all(vault))
        except NotFoundError as error:
            catalog.vaults.forget(vault)
            raise GoneError(str(error)) from error

    def _missing(self, message: str, *name: str) -> NotFoundError | GoneError:
        """Return the error for what the service does not have at *name*, which a directory may have shown."""
        was_shown = any(name[:length] in self._stale_names for length in range(1, len(name) + 1))
        return GoneError(message) if was_shown else NotFoundError(message)

    def _blank(self) -> Catalog:
        ttl_s = self._settings.list_ttl_s
        asking = (self._lister, self._threads, self._stale_names, Permissions(self._threads.clock, ttl_s), ttl_s)
        return Catalog(Vaults(*asking), Jobs(*asking), Orders())
