"""One archive that another process downloads: plain values there, plain values back, and keys that it finds itself."""

import importlib.metadata
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
from casfs.drain.destinations.opening import folder_at
from casfs.errors import AccessDeniedError, CasfsError, ConfigError
from casfs.library import Account, connect
from casfs.models import Vault

Plain = Mapping[str, Any]

MEMORY = {"block_cache_size": "64M", "read_ahead": "32M"}
"""For each archive that is downloaded, unless a user says otherwise: a process has several."""

WHOSE = ("VaultQCS", "VaultARN", "VaultName", "CreationDate")
"""Fields of a vault by which one is told from another of the same name. Source: CAS and Glacier, Describe Vault."""

_idle: dict[str, list[Account]] = {}
_fit: set[str] = set()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Errand:
    """What all downloads of a drain have in common. It holds no secret, and may be read by anybody on the way.

    Attributes:
        version: of casfs; first, so that every other version reads it right.
        source: a SOURCE without a vault; what it leads to is found where the errand is run.
        options: of ``connect``, as text.
        vault: name of the vault.
        whose: tells which vault is meant, of all that have the name; None where nobody may know.
        destination: as a user names it, shared by all who run this.
        mark: what the run has left there, for as long as it lasts.
        connections: requests that each download has in flight at most.
    """

    version: str
    source: str
    options: Mapping[str, str]
    vault: str
    whose: str | None
    destination: str
    mark: str
    connections: int

    def run(self, told: Plain) -> Plain:
        """Download the archive that *told* tells of; return the proof or the error, as plain values.

        What is no fault of the archive, and would be found with each, has ``unfit`` in it.
        """
        entry = Entry(state=State.LOADING, **told)
        is_fit = False
        try:
            self._check_once()
            is_fit = True
            with self._account() as account:
                proof = deliver(
                    account, self.vault, folder_at(self.destination), entry, lambda _: None, secrets.token_hex(16)
                )
        except CasfsError as error:
            return dict(told_of(error)) | {"unfit": _is_lasting(error, is_fit=is_fit)}
        return {"tree_hash": proof.tree_hash, "hash_from": proof.hash_from, "since_ns": proof.since_ns}

    def check(self) -> None:
        """Raise CasfsError unless the errand can be run here: with keys, to this vault, and where all others put it."""
        if self.version != version():
            raise ConfigError(f"this is casfs {version()}, and the run is by {self.version}")
        with self._account() as account:
            found = identity_of(account.vault(self.vault))
        if None not in (found, self.whose) and found != self.whose:
            raise ConfigError(f"{self.source} is another one here: its vault {self.vault} is {found}, not {self.whose}")
        folder_at(self.destination).check_mark(self.mark)

    def _check_once(self) -> None:
        """As ``check``, in each process until it has been right once: it may have come after the run had begun."""
        key = repr(self)
        with _lock:
            if key in _fit:
                return
        self.check()
        with _lock:
            _fit.add(key)

    @contextmanager
    def _account(self) -> Iterator[Account]:
        """Lend an account that nobody else uses meanwhile; its connections are kept for the next one."""
        key = repr(self)
        with _lock:
            idle = _idle.pop(key, [])
            of_others = [each for others in _idle.values() for each in others]
            _idle.clear()
            _idle[key] = idle
            account = idle.pop() if idle else None
        for each in of_others:  # of runs before: their memory is wanted, and so are keys as they are now
            each.close()
        if account is None:
            account = connect(self.source, **(MEMORY | dict(self.options) | {"connections": str(self.connections)}))
        try:
            yield account
        except BaseException:
            account.close()
            raise
        with _lock:
            _idle.setdefault(key, []).append(account)


def version() -> str:
    """Return the version of casfs that is here."""
    try:
        return importlib.metadata.version("casfs")
    except importlib.metadata.PackageNotFoundError:  # a checkout on the path of Python
        return "unknown"


def plain(entry: Entry) -> Plain:
    """Return an archive as plain values."""
    names = ("number", "id", "size", "tree_hash", "created", "path", "job")
    return {name: getattr(entry, name) for name in names}


def told_of(error: CasfsError) -> Plain:
    """Return what tells of *error* in plain values; ``proof_in`` makes an error of it again."""
    cause = error.__cause__
    return {
        "error": type(error).__name__,
        "text": str(error),
        "errno": cause.errno if isinstance(cause, OSError) else None,
        "has_cause": cause is not None,
        "may_pass": error.may_pass,
    }


def proof_in(told: Plain) -> Proof:
    """Return the proof in what came of an errand.

    Raises:
        CasfsError: the error in it.
    """
    if "error" not in told:
        since_ns = told["since_ns"]
        return Proof(str(told["tree_hash"]), str(told["hash_from"]), since_ns if isinstance(since_ns, int) else None)
    kind = getattr(errors, str(told["error"]), CasfsError)
    error: CasfsError = kind(str(told["text"]))
    error.may_pass = bool(told["may_pass"])
    if not told["has_cause"]:
        raise error
    number = told["errno"]
    raise error from (OSError(number, os.strerror(number)) if isinstance(number, int) else CasfsError("elsewhere"))


def identity_of(vault: Vault) -> str | None:
    """Return what tells a vault from others of its name; None where the account may not know."""
    fields = vault.fields
    return " ".join(str(fields[name]) for name in WHOSE if name in fields) or None


def _is_lasting(error: CasfsError, *, is_fit: bool) -> bool:
    """Say whether *error* would come of each archive here, and may not elsewhere."""
    if is_fit:
        return isinstance(error, AccessDeniedError | ConfigError)
    return not error.is_for_now
