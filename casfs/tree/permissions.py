"""What the account may not ask, so that not every look-up costs a request that is refused.

Policies are written operation by operation and vault by vault. A refusal is believed for the listing TTL where another
question leads to the same answer; whoever asks for a listing has it asked anew.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

from cachetools import TTLCache

from casfs.errors import AccessDeniedError, CredentialsError
from casfs.waiting import Clock

MAX_REFUSALS = 10_000
"""Refusals remembered at most: of each permission one for each vault that an account may have, and as many again."""

T = TypeVar("T")


class Permission(StrEnum):
    """What an account may be allowed to ask; all but the first are about a vault."""

    LIST_VAULTS = "List Vaults"
    DESCRIBE_VAULT = "Describe Vault"
    LIST_JOBS = "List Jobs"
    DESCRIBE_JOB = "Describe Job"


class Permissions:
    """The permissions that were found missing lately.

    Threads: any thread may call. The lock is held for dictionary work only.
    """

    def __init__(self, clock: Clock, ttl_s: float) -> None:
        self._lock = threading.Lock()
        self._refused: TTLCache[tuple[Permission, str], AccessDeniedError] = TTLCache(MAX_REFUSALS, ttl_s, timer=clock)

    def is_refused(self, permission: Permission, vault: str = "") -> bool:
        """Return whether what takes *permission* was refused for *vault*, and not answered since."""
        return self._of(permission, vault) is not None

    @contextmanager
    def recording(self, permission: Permission, vault: str = "") -> Iterator[None]:
        """Record whether *permission*, which the block takes, is missing."""
        try:
            yield
        except CredentialsError:
            raise
        except AccessDeniedError as error:
            with self._lock:
                self._refused[permission, vault] = error
            raise
        with self._lock:
            self._refused.pop((permission, vault), None)

    def ask(self, permission: Permission, vault: str, ask: Callable[[], T]) -> T:
        """Return what *ask* returns, unless the *permission* that it takes was missing lately.

        Raises:
            AccessDeniedError: it is missing, or was.
            CasfsError: whatever else *ask* raises.
        """
        refusal = self._of(permission, vault)
        if refusal is not None:
            raise refusal.with_traceback(None)
        with self.recording(permission, vault):
            return ask()

    def _of(self, permission: Permission, vault: str) -> AccessDeniedError | None:
        with self._lock:
            return self._refused.get((permission, vault))
