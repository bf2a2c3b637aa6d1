"""One archive that another process downloads: plain values there, plain values back, and keys that it finds itself."""

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from casfs import errors
from casfs.drain.archive import Entry, State
from casfs.drain.delivery import Proof, deliver
from casfs.drain.destinations.destination import UNFINISHED
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import folder_at
from casfs.errors import CasfsError, DestinationError
from casfs.library import Account, connect

Plain = Mapping[str, Any]

MEMORY = {"block_cache_size": "64M", "read_ahead": "32M"}
"""For each archive that is downloaded, unless a user says otherwise: a process has several."""

_idle: dict[str, list[Account]] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Errand:
    """What all downloads of a drain have in common. It holds no secret, and may be read by anybody on the way.

    Attributes:
        source: a SOURCE without a vault; what it leads to is found where the errand is run.
        options: of ``connect``, as text.
        vault: name of the vault.
        destination: as a user names it; a folder is one that all who run this share.
        connections: requests that each download has in flight at most.
    """

    source: str
    options: Mapping[str, str]
    vault: str
    destination: str
    connections: int

    def run(self, told: Plain) -> Plain:
        """Download the archive that *told* tells of; return the proof or the error, as plain values."""
        entry = Entry(state=State.LOADING, **told)
        try:
            with self._account() as account:
                proof = deliver(
                    account, self.vault, folder_at(self.destination), entry, lambda _: None, secrets.token_hex(16)
                )
        except CasfsError as error:
            cause = error.__cause__
            number = cause.errno if isinstance(cause, OSError) else None
            return {"error": type(error).__name__, "text": str(error), "errno": number, "has_cause": cause is not None}
        return {"tree_hash": proof.tree_hash, "hash_from": proof.hash_from}

    def check(self, token: str | None) -> str | None:
        """Say why the errand cannot be run here; None where it can.

        Args:
            token: name of what is unfinished in a destination that is a folder; None where it is none.
        """
        try:
            with self._account() as account:
                account.vault(self.vault)
            destination = folder_at(self.destination)
            if token is not None and isinstance(destination, LocalDestination):
                _check_shared(destination, token)
        except CasfsError as error:
            return str(error)
        return None

    @contextmanager
    def _account(self) -> Iterator[Account]:
        """Lend an account that nobody else uses meanwhile; its connections are kept for the next one."""
        key = repr(self)
        with _lock:
            idle = _idle.setdefault(key, [])
            account = idle.pop() if idle else None
        if account is None:
            account = connect(self.source, **(MEMORY | dict(self.options) | {"connections": str(self.connections)}))
        try:
            yield account
        except BaseException:
            account.close()
            raise
        with _lock:
            _idle[key].append(account)


def plain(entry: Entry) -> Plain:
    """Return an archive as plain values."""
    names = ("number", "id", "size", "tree_hash", "created", "path", "job")
    return {name: getattr(entry, name) for name in names}


def proof_in(told: Plain) -> Proof:
    """Return the proof in what came of an errand.

    Raises:
        CasfsError: the error in it.
    """
    if "error" not in told:
        return Proof(str(told["tree_hash"]), str(told["hash_from"]))
    kind = getattr(errors, str(told["error"]), CasfsError)
    error: CasfsError = kind(str(told["text"]))
    if not told["has_cause"]:
        raise error
    number = told["errno"]
    raise error from (OSError(number, os.strerror(number)) if isinstance(number, int) else CasfsError("elsewhere"))


def _check_shared(destination: LocalDestination, token: str) -> None:
    """Raise DestinationError unless *destination* is the folder in which the run has begun something."""
    parts = destination.where(UNFINISHED)
    if not os.path.isfile(os.path.join(parts, token)):  # noqa: PTH113, PTH118 - names that are no text stay as they are
        raise DestinationError(f"{destination.where('')} is not the folder of the run: all workers must share it")
    if not os.access(parts, os.W_OK | os.X_OK):
        raise DestinationError(f"{destination.where('')} cannot be written to")
