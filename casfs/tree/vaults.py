"""The vaults that the service has told of, and for how long its word is believed.

A listing, and a single answer, are believed for the listing TTL; that there is no such vault, for 5 s unless a listing
says so. Where a vault may not be described, what else the account may ask says whether it is there.

A vault that was known once is walked through afterwards without a request, since the kernel looks up every directory on
the way to a file and a path shall cost one request: the job's. What ends it: a listing without it, or a job of it that
is asked for and not found.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from cachetools import TLRUCache

from casfs.errors import NotFoundError
from casfs.models import Vault
from casfs.tree.existence import find_vault, named
from casfs.tree.lister import Lister
from casfs.tree.names import HiddenNames, can_be_vault
from casfs.tree.permissions import Permission, Permissions
from casfs.tree.single_flight import LISTING_S, SingleFlight
from casfs.tree.stale_names import StaleNames
from casfs.tree.threads import Threads
from casfs.tree.times import NEGATIVE_TTL_S, newest_ns
from casfs.waiting import Deadline

MAX_LOOKED_UP_VAULTS = 10_000
"""Single answers remembered at most: ten times the vaults an account may have. Source: CAS limits, 572/8742."""


@dataclass(frozen=True, slots=True)
class RememberedVault:
    """What is remembered of one name: the vault, or that there is none."""

    vault: Vault | None


class Vaults:
    """What is known of the vaults.

    Threads: any thread may call. The lock is held for dictionary work only.
    Invariants: ``_known`` holds the last word on every vault it holds.
    """

    def __init__(
        self, lister: Lister, threads: Threads, stale_names: StaleNames, permissions: Permissions, list_ttl_s: float
    ) -> None:
        self._lister = lister
        self._stale_names = stale_names
        self._permissions = permissions
        self._list_ttl_s = list_ttl_s
        self._clock = threads.clock
        self._lock = threading.Lock()
        self._known: dict[str, Vault] = {}
        self._changed_ns: int | None = None
        self._listed_until_s = float("-inf")
        self._taken_over: frozenset[str] = frozenset()
        self._successor: Vaults | None = None
        self._looked_up: TLRUCache[str, RememberedVault] = TLRUCache(
            MAX_LOOKED_UP_VAULTS, self._believed_until_s, timer=threads.clock
        )
        self._look_ups: SingleFlight[str, Vault | None] = SingleFlight(threads.look_ups, str)
        self._listings: SingleFlight[None, list[Vault]] = SingleFlight(threads.listings, str, LISTING_S)

    def seed(self, vaults: Iterable[Vault]) -> None:
        """Believe *vaults* to be all."""
        hidden = HiddenNames("vaults")
        listed = {vault.name: vault for vault in vaults if hidden.shows(vault.name)}
        hidden.warn()
        with self._lock:
            self._stale_names.extend((name,) for name in self._taken_over.union(self._known) if name not in listed)
            self._taken_over = frozenset()
            self._known = listed
            self._changed_ns = newest_ns(*(vault.created_ns for vault in listed.values()))
            self._looked_up.clear()
            self._listed_until_s = self._clock() + self._list_ttl_s

    def hand_over_to(self, successor: "Vaults") -> None:
        """Let *successor*, which begins anew, believe nothing of this but which names were shown."""
        with self._lock:
            self._successor = successor
            names = self._taken_over.union(self._known)
        successor.take_over(names)

    def take_over(self, names: Iterable[str]) -> None:
        """Take note of names that were shown."""
        with self._lock:
            successor, self._taken_over = self._successor, self._taken_over.union(names)
        if successor is not None:
            successor.take_over(names)

    def all(self) -> list[Vault]:
        """Return every vault, in the service's order, with one listing where the last one is too old.

        Raises:
            AccessDeniedError: the account may not list vaults.
            CasfsError: the service does not answer. What it said before is no longer shown then: a listing that may
                be wrong is worse than an error that says so.
        """
        with self._lock:
            if self._clock() < self._listed_until_s:
                return list(self._known.values())
        return self._listings.ask(None, self._list, "list vaults")

    def changed_ns(self) -> int | None:
        """Return when the newest of the vaults that are known was made, None where none is or nobody says."""
        with self._lock:
            return self._changed_ns

    def count(self) -> int:
        """Return how many vaults are known."""
        with self._lock:
            return len(self._known)

    def get(self, name: str, *, fresh: bool = False) -> Vault | None:
        """Return the vault *name*, None where there is none, with one Describe where it was never heard of.

        Where the account may not have it described, it is asked for in other ways, and its document is the last that
        is known, or "".

        Args:
            name: any text; one that no vault can have costs no request.
            fresh: whether what is older than the listing TTL must be asked for anew.

        Raises:
            AccessDeniedError: nothing that tells whether it is there may be asked.
            CasfsError: the service does not answer.
        """
        answer = self.remembered(name, fresh=fresh)
        if answer is not None:
            return answer.vault
        if not can_be_vault(name):
            return None
        return self._look_ups.ask(name, lambda deadline: self._describe(name, deadline), f"describe vault {name}")

    def remembered(self, name: str, *, fresh: bool = False) -> RememberedVault | None:
        """Return what is known of the vault *name* without a request, or None where it has to be asked for."""
        with self._lock:
            vault = self._known.get(name)
            if self._clock() < self._listed_until_s or name in self._looked_up or (vault is not None and not fresh):
                return RememberedVault(vault)
        return None

    def forget(self, name: str) -> None:
        """Take note that the service does not have the vault *name*."""
        self._learn(name, None)

    def _list(self, deadline: Deadline) -> list[Vault]:
        with self._permissions.recording(Permission.LIST_VAULTS):
            vaults = list(self._lister.vaults(deadline))
        self.seed(vaults)
        with self._lock:
            successor, listed = self._successor, list(self._known.values())
        if successor is not None:
            successor.take_over(frozenset(vault.name for vault in listed))
        return listed

    def _describe(self, name: str, deadline: Deadline) -> Vault | None:
        try:
            vault = find_vault(
                self._lister, self._permissions, name, lambda: named(self._list(deadline), name), deadline
            )
        except NotFoundError:
            return self._learn(name, None)
        return self._learn(name, vault)

    def _learn(self, name: str, vault: Vault | None) -> Vault | None:
        with self._lock:
            if vault is not None and not vault.document:
                vault = self._known.get(name, vault)
            self._looked_up[name] = RememberedVault(vault)
            if vault is None:
                if self._known.pop(name, None) is not None or name in self._taken_over:
                    self._stale_names.add(name)
            else:
                self._known[name] = vault
                self._changed_ns = newest_ns(self._changed_ns, vault.created_ns)
        return vault

    def _believed_until_s(self, _name: str, answer: RememberedVault, now_s: float) -> float:
        return now_s + (NEGATIVE_TTL_S if answer.vault is None else self._list_ttl_s)
