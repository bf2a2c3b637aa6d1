"""Downloads as tasks of a Dask cluster, one archive each; the truth is the ledger, and not what a scheduler knows."""

import asyncio
import hashlib
import logging
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial

from distributed import Client, Future, Semaphore, get_worker
from distributed.client import ClosedClientError, FutureCancelledError

from casfs.drain.archive import Entry
from casfs.drain.delivery import Proof
from casfs.drain.errand import Errand, Plain, plain, proof_in, told_of
from casfs.drain.work import LeftOutError
from casfs.drain.workers import Queue, Workers
from casfs.errors import CasfsError, ConfigError, DeadlineError, TransferError, UnreachableError

CONNECT_S = 10.0
"""How long a scheduler may take to answer, and the first worker to be there."""
LOOK_S = 1.0
"""How often is looked whether the run is over meanwhile."""
LEASE_S = 600.0
"""How long a task waits for its share of the requests: others have it, which a killed run has left behind."""
LONELY_LOOKS = 600
"""How often in a row a cluster may be seen without any worker before a download is given back to the run."""
FETCH_S = 60.0
"""How long a few hundred bytes may take from a worker."""
CLOSE_S = 3.0
CHECK_S = 180.0
"""How long all workers together may take to say whether they can download: more than a request to the service may."""
CHECKS = 32
"""Workers that are asked at once."""


def carried(errand: Errand, told: Plain, most: int) -> Plain:
    """Download an archive; runs on a worker.

    Args:
        errand: what all downloads have in common.
        told: the archive.
        most: downloads at once on all workers together, those that a killed run has left behind included.
    """
    share = Semaphore(max_leases=most, name=f"casfs-drain-{_digest(errand.source, errand.vault)}-{most}")
    if not share.acquire(timeout=LEASE_S):
        return told_of(DeadlineError("others had all requests"))
    try:
        return {"worker": get_worker().address, **errand.run(told)}
    finally:
        share.release()


async def checked(errand: Errand) -> str | None:
    """Say why the errand cannot be run on this worker; None where it can. The worker does other things meanwhile."""
    try:
        await asyncio.to_thread(errand.check)
    except CasfsError as error:
        return str(error)
    return None


class Cluster:
    """A Dask cluster that downloads archives.

    Args:
        address: of the scheduler, as Dask has it.
        most: downloads at once.

    Threads: any, many at once.

    Raises:
        UnreachableError: there is no such scheduler, or it has no workers.
    """

    def __init__(self, address: str, most: int) -> None:
        for name in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what matters is told by errors, as one line
        self._address = address
        self._most = most
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._unfit: dict[str, str] = {}
        try:
            self._connected().wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            self.close()
            raise UnreachableError(f"--scheduler: the cluster at {self._address} has no workers") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the cluster go; tasks that nobody has begun are dropped."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close(timeout=CLOSE_S)

    def check(self, errand: Errand, within_s: float = CHECK_S) -> None:
        """Raise ConfigError unless each worker can run the errand, and says so in time."""
        client = self._connected()
        workers = _workers(client)
        answers = Queue[tuple[str, str | None]]()
        asking = Workers[tuple[str, str | None]]("check", CHECKS, answers.put, lambda error: ("", str(error)))
        for worker in workers:
            asking.submit(partial(_asked, client, errand, worker))
        silent, failed, ends_s = dict.fromkeys(workers), dict[str, str](), time.monotonic() + within_s
        while silent and (answer := answers.get(ends_s - time.monotonic())) is not None:
            worker, said = answer
            silent.pop(worker, None)
            failed |= {} if said is None else {worker: said}
        failed |= dict.fromkeys(silent, "it does not answer")
        for worker, said in failed.items():
            raise ConfigError(f"{len(failed)} of {len(workers)} workers cannot download, {worker}: {said}")

    def carry(self, errand: Errand, entry: Entry, moved: Callable[[int], object]) -> Proof:
        """Have a worker put an archive where it was to go; as ``Way.bring``.

        Raises:
            LeftOutError: a worker cannot download; it is asked no more.
            ConfigError: none of them can.
        """
        client = self._connected()
        key = f"casfs-drain-{_digest(errand.destination, errand.source, entry.id, entry.job)}"
        try:
            fit = self._fit(client)
            future = client.submit(
                carried, errand, plain(entry), self._most, key=key, pure=False, workers=fit, allow_other_workers=False
            )
            told = self._result(client, future, fit, moved)
        except (FutureCancelledError, ClosedClientError) as error:
            self._drop(client)
            raise UnreachableError(f"the scheduler at {self._address} was lost: {error}") from error
        if told.get("unfit"):
            self._leave_out(str(told["worker"]), str(told["text"]))
        proof = proof_in(told)
        moved(entry.size)
        return proof

    def _fit(self, client: Client) -> Sequence[str] | None:
        """Return the workers that can download; None where no other is known.

        Raises:
            ConfigError: there are others only.
        """
        with self._lock:
            unfit = dict(self._unfit)
        if not unfit:
            return None
        workers = _workers(client)
        fit = [worker for worker in workers if worker not in unfit]
        if not fit and workers:
            raise ConfigError(f"no worker can download any more, {workers[0]}: {unfit[workers[0]]}")
        return fit or None

    def _leave_out(self, worker: str, said: str) -> None:
        with self._lock:
            is_known = worker in self._unfit
            self._unfit[worker] = said
        if is_known:
            raise UnreachableError(f"worker {worker} cannot download: {said}")
        raise LeftOutError(f"worker {worker} cannot download, and is left out: {said}")

    def _result(
        self, client: Client, future: "Future[Plain]", fit: Sequence[str] | None, moved: Callable[[int], object]
    ) -> Plain:
        is_done = threading.Event()
        future.add_done_callback(lambda _: is_done.set())
        lonely = 0
        try:
            while not is_done.wait(LOOK_S):
                moved(0)
                lonely = 0 if _is_there(client, fit) else lonely + 1
                if lonely > LONELY_LOOKS:
                    raise UnreachableError(f"the cluster at {self._address} has no workers")
            return self._fetched(future)
        finally:
            future.release()

    def _fetched(self, future: "Future[Plain]") -> Plain:
        """Return what came of a task that is done."""
        try:
            told: Plain = future.result(timeout=FETCH_S)
        except (FutureCancelledError, ClosedClientError):
            raise
        except (TimeoutError, UnboundLocalError) as error:  # the latter where both timers of distributed end at once
            raise TransferError(f"what came of a download does not come from {self._address}") from error
        except Exception as error:
            if future.status != "error":
                raise
            raise TransferError(f"a worker failed: {type(error).__name__}: {error}") from error
        return told

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None or self._client.status in ("closed", "closing"):
                self._client = self._connect()
            return self._client

    def _drop(self, client: Client) -> None:
        """Connect anew for the next one, unless somebody has done so, or the client does it itself."""
        with self._lock:
            if self._client is client and client.status in ("closed", "closing"):
                self._client = None

    def _connect(self) -> Client:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            said = " ".join(str(error).split())
            raise UnreachableError(f"--scheduler: nobody answers at {self._address}: {said}") from error


def _asked(client: Client, errand: Errand, worker: str) -> tuple[str, str | None]:
    """Return a worker, and why it cannot run the errand."""
    answer = client.run(checked, errand, workers=[worker], on_error="return").get(worker, "it is gone")
    is_told = answer is None or isinstance(answer, str)
    return worker, answer if is_told else f"{type(answer).__name__}: {answer}"


def _workers(client: Client) -> list[str]:
    return list(client.scheduler_info(n_workers=-1)["workers"])


def _is_there(client: Client, fit: Sequence[str] | None) -> bool:
    """Say whether there is a worker, of these where they are told."""
    if fit is None:
        return bool(client.scheduler_info(n_workers=0).get("n_workers", 1))
    return not set(fit).isdisjoint(_workers(client))


def _digest(*of: object) -> str:
    return hashlib.sha256("\n".join(map(str, of)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
