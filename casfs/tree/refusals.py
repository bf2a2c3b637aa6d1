"""Which questions the account may not ask, so that not every look-up costs a request that is refused.

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

REFUSALS = 10_000
"""Refusals remembered at most: of each question one for each vault that an account may have, and as many again."""

T = TypeVar("T")


class Question(StrEnum):
    """What one permission lets an account ask; all but the first are asked of a vault."""

    LIST_VAULTS = "List Vaults"
    DESCRIBE_VAULT = "Describe Vault"
    LIST_JOBS = "List Jobs"
    DESCRIBE_JOB = "Describe Job"


class Refusals:
    """The questions that were refused lately.

    Threads: any thread may call. The lock is held for dictionary work only.
    """

    def __init__(self, clock: Clock, ttl_s: float) -> None:
        self._lock = threading.Lock()
        self._refused: TTLCache[tuple[Question, str], AccessDeniedError] = TTLCache(REFUSALS, ttl_s, timer=clock)

    def holds(self, question: Question, vault: str = "") -> bool:
        """Return whether *question* about *vault* was refused, and not answered since."""
        return self._of(question, vault) is not None

    @contextmanager
    def noting(self, question: Question, vault: str = "") -> Iterator[None]:
        """Take note whether *question*, which is asked in the block, is refused for want of a permission."""
        try:
            yield
        except CredentialsError:
            raise
        except AccessDeniedError as error:
            with self._lock:
                self._refused[question, vault] = error
            raise
        with self._lock:
            self._refused.pop((question, vault), None)

    def asked(self, question: Question, vault: str, ask: Callable[[], T]) -> T:
        """Return what *ask* returns, unless *question* was refused lately.

        Raises:
            AccessDeniedError: it is refused, or was.
            CasfsError: whatever else *ask* raises.
        """
        refusal = self._of(question, vault)
        if refusal is not None:
            raise refusal.with_traceback(None)
        with self.noting(question, vault):
            return ask()

    def _of(self, question: Question, vault: str) -> AccessDeniedError | None:
        with self._lock:
            return self._refused.get((question, vault))
