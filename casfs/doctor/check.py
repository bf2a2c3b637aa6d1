"""One look at one thing that a mount takes."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from casfs.errors import CasfsError

log = logging.getLogger(__name__)


class Verdict(StrEnum):
    """What a look came to."""

    OK = "ok"
    WARN = "warn"
    """A mount can be made, and something is not as it should be."""
    FAIL = "fail"
    """No mount can be made, or nothing could be read there."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was seen.

    Attributes:
        name: of what was looked at.
        verdict: what it came to.
        said: what was seen, in a line.
        mending: what mends it; "" where there is nothing to mend, or *said* tells it.
    """

    name: str
    verdict: Verdict
    said: str
    mending: str = ""


def ok(name: str, said: str) -> Check:
    """Return a look at what is as it should be."""
    return Check(name, Verdict.OK, said)


def warn(name: str, said: str, mending: str = "") -> Check:
    """Return a look at what is not as it should be, though a mount can be made."""
    return Check(name, Verdict.WARN, said, mending)


def fail(name: str, said: str, mending: str = "") -> Check:
    """Return a look at what keeps a mount from being made, or used."""
    return Check(name, Verdict.FAIL, said, mending)


@dataclass(frozen=True, slots=True)
class Look:
    """Something to be looked at.

    Attributes:
        name: of it, for when the look itself fails.
        checks: looks, and yields what it sees.
        limit_s: how long it may take.
    """

    name: str
    checks: Callable[[], Iterable[Check]]
    limit_s: float = 30.0


def looked(look: Look) -> Iterator[Check]:
    """Yield what *look* sees, on this thread's time: a look that hangs, in a network or a disk, is left behind.

    Threads: the look has one of its own, a daemon.
    """
    seen: list[Check] = []

    def work() -> None:
        try:
            seen.extend(look.checks())
        except CasfsError as error:
            seen.append(fail(look.name, str(error)))
        except Exception as error:
            log.debug("looking at %s failed", look.name, exc_info=True)
            seen.append(fail(look.name, f"could not be looked at: {type(error).__name__}: {error}"))

    thread = threading.Thread(target=work, name=f"look at {look.name}", daemon=True)
    thread.start()
    thread.join(look.limit_s)
    if thread.is_alive():
        seen = [*seen, fail(look.name, f"nothing was seen within {look.limit_s:.0f} s")]
    yield from seen
