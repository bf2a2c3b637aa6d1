"""An archive as an inventory lists it, and where it stands on its way out. Plain values."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where an archive stands."""

    NEW = "new"
    """No job of it is known that could bring it."""
    ASKING = "asking"
    """A job is being begun: it may be there, whether or not an answer comes."""
    ASKED = "asked"
    """A job is in progress."""
    READY = "ready"
    """An output waits to be downloaded."""
    LOADING = "loading"
    """It is being downloaded."""
    DONE = "done"
    """It is where it was to go, whole, with the right tree hash."""
    FAILED = "failed"
    """It was given up, for a reason."""
    GONE = "gone"
    """The vault has no such archive any more."""


UNDER_WAY = (State.ASKING, State.ASKED, State.READY, State.LOADING)
"""Those of which a retrieval was asked for, and which are not downloaded."""
OPEN = (State.NEW, *UNDER_WAY)
"""Those that a run still works on."""
MISSING = (State.FAILED, State.GONE)
"""Those that a run has given up."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One line of an inventory.

    Attributes:
        id: as the service gave it.
        description: as the service gave it, surrogates and all; "" where there is none.
        created: CreationDate as the service wrote it.
        size: bytes.
        tree_hash: SHA256TreeHash as 64 lower-case hex digits, None where the inventory has none.
    """

    id: str
    description: str
    created: str
    size: int
    tree_hash: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An archive in the ledger, as far as work on it goes.

    Attributes:
        number: its place in the inventory.
        id: as above.
        size: as above.
        tree_hash: as above.
        created: as above.
        path: its name in the destination.
        state: where it stands.
        job: the job that brings it, None where there is none.
        expires_ns: when the output of that job may be gone, None where nobody knows.
        attempts: retrievals of it, over all runs.
        why: the last thing that went wrong.
    """

    number: int
    id: str
    size: int
    tree_hash: str | None
    created: str
    path: str
    state: State
    job: str | None = None
    expires_ns: int | None = None
    attempts: int = 0
    why: str | None = None
