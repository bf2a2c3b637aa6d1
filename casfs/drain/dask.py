"""Downloads as tasks of a Dask cluster, one archive each; the truth is the ledger, and not what a scheduler knows."""

import hashlib
import logging
import secrets
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from distributed import Client, Future, Semaphore
from distributed.client import ClosedClientError, FutureCancelledError

from casfs.drain.archive import Entry
from casfs.drain.delivery import Proof
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import folder_at
from casfs.drain.errand import Errand, Plain, plain, proof_in
from casfs.drain.names import MANIFEST
from casfs.errors import ConfigError, TransferError, UnreachableError

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


def carried(errand: Errand, told: Plain, most: int) -> Plain:
    """Download an archive; runs on a worker.

    Args:
        errand: what all downloads have in common.
        told: the archive.
        most: downloads at once on all workers together, those that a killed run has left behind included.
    """
    share = Semaphore(max_leases=most, name=f"casfs-drain-{_digest(errand.source, errand.vault)}-{most}")
    if not share.acquire(timeout=LEASE_S):
        return {"error": "DeadlineError", "text": "others had all requests", "errno": None, "has_cause": False}
    try:
        return errand.run(told)
    finally:
        share.release()


def checked(errand: Errand, token: str | None) -> str | None:
    """Say why the errand cannot be run on this worker; None where it can."""
    return errand.check(token)


class Cluster:
    """A Dask cluster that downloads archives; ``carry`` is what a ``Download`` has it do.

    Args:
        address: of the scheduler, as Dask has it.
        errand: what all downloads have in common.
        most: downloads at once.

    Threads: any, many at once.

    Raises:
        ConfigError: there is no such scheduler, or a worker cannot run the errand.
        UnreachableError: it has no workers.
    """

    def __init__(self, address: str, errand: Errand, most: int) -> None:
        for name in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what matters is told by errors, as one line
        self._address = address
        self._errand = errand
        self._most = most
        self._lock = threading.Lock()
        self._client: Client | None = None
        try:
            self._check(self._connected())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the cluster go; tasks that nobody has begun are dropped."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close(timeout=CLOSE_S)

    def carry(self, entry: Entry, moved: Callable[[int], object]) -> Proof:
        """Have a worker put an archive where it was to go; as ``Way.bring``."""
        client = self._connected()
        key = f"casfs-drain-{_digest(self._errand.destination, self._errand.source, entry.id, entry.job)}"
        try:
            future = client.submit(carried, self._errand, plain(entry), self._most, key=key, pure=False)
            told = self._result(client, future, moved)
        except (FutureCancelledError, ClosedClientError) as error:
            self._drop(client)
            raise UnreachableError(f"the scheduler at {self._address} was lost: {error}") from error
        proof = proof_in(told)
        moved(entry.size)
        return proof

    def _result(self, client: Client, future: "Future[Plain]", moved: Callable[[int], object]) -> Plain:
        is_done = threading.Event()
        future.add_done_callback(lambda _: is_done.set())
        lonely = 0
        try:
            while not is_done.wait(LOOK_S):
                moved(0)
                lonely = 0 if client.scheduler_info(n_workers=0).get("n_workers", 1) else lonely + 1
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

    def _check(self, client: Client) -> None:
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            raise UnreachableError(f"--scheduler: the cluster at {self._address} has no workers") from error
        with self._begun() as token:
            answers: dict[str, Any] = client.run(checked, self._errand, token, on_error="return")
        failed = {worker: answer for worker, answer in answers.items() if answer is not None}
        for worker, answer in failed.items():
            said = answer if isinstance(answer, str) else f"{type(answer).__name__}: {answer}"
            raise ConfigError(f"{len(failed)} of {len(answers)} workers cannot download, {worker}: {said}")

    @contextmanager
    def _begun(self) -> Iterator[str | None]:
        """Begin something in a destination that is a folder, which who shares it sees; yield its name."""
        destination = folder_at(self._errand.destination)
        with ExitStack() as stack:
            token = None
            if isinstance(destination, LocalDestination):
                token = secrets.token_hex(16)
                part = stack.enter_context(destination.part(MANIFEST, token))
                stack.callback(part.discard)
            yield token


def _digest(*of: object) -> str:
    return hashlib.sha256("\n".join(map(str, of)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
