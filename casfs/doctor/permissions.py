"""What the account may ask, operation by operation and vault by vault."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from casfs.api.client import Client
from casfs.doctor.check import Check, fail, ok, warn
from casfs.errors import AccessDeniedError, CasfsError, NotFoundError
from casfs.models import Job, Output, RangeResponse
from casfs.waiting import Deadline

MOST_VAULTS = 50
"""That are looked at: four requests each."""
MOST_JOBS = 1000
"""Of a vault, among which one with an output is looked for: those of one page."""
ASK_S = 10.0
"""For one question."""

NOT_ASKED = "nothing to try it on"
DENIED = "may not be asked"


@dataclass(slots=True)
class FirstByte:
    """Takes the first byte of an output, which is what it costs to know whether it may be read."""

    byte: memoryview = field(default_factory=lambda: memoryview(bytearray(1)))

    def buffer(self, _index: int, /) -> memoryview:
        """Return where it goes."""
        return self.byte

    def filled(self, index: int, /) -> None:
        """Take note of nothing."""

    def accept(self, response: RangeResponse, /) -> None:
        """Take whatever comes: it is thrown away."""

    def received(self, count: int, /) -> None:
        """Take note of nothing."""

    def is_cancelled(self) -> bool:
        """Say that it is wanted."""
        return False


@dataclass(frozen=True, slots=True)
class Answers:
    """What a vault may be asked.

    Attributes:
        said: by operation: what came of it, "" where it may be asked.
    """

    said: dict[str, str]

    def may(self, operation: str) -> bool:
        """Whether nothing speaks against it."""
        return self.said[operation] in ("", NOT_ASKED)

    @property
    def is_usable(self) -> bool:
        """Whether outputs can be found and read."""
        by_id = (
            self.said["List Jobs"] == DENIED
            and self.may("Describe Job")
            and self.said["Describe Vault"] in ("", DENIED)
        )
        return (self.may("List Jobs") or by_id) and self.may("Get Job Output")


def checks(client: Client, names: list[str] | None, root: str | None) -> Iterator[Check]:
    """Yield what the account may ask.

    Args:
        client: asks.
        names: of the vaults that were listed, None where they may not be.
        root: the vault that is to be the root of the mount, None for all.
    """
    if names is None:
        mending = "allow List Vaults; until then enter vaults by name"
        yield warn("permission to list vaults", "is missing", "" if root else mending)
    else:
        yield ok("permission to list vaults", f"is there; {len(names)} vaults")
    asked = [root] if root is not None else (names or [])[:MOST_VAULTS]
    found = {name: answers_of(client, name) for name in asked}
    is_any = any(answers.is_usable for answers in found.values())
    for name, answers in found.items():
        yield _of_vault(name, answers, must=not is_any)
    if names is not None and len(names) > MOST_VAULTS and root is None:
        yield ok("permissions of other vaults", f"{len(names) - MOST_VAULTS} were not looked at")


def answers_of(client: Client, vault: str) -> Answers:
    """Return what came of asking *vault* each operation that a mount asks."""
    said = {"Describe Vault": _said(lambda: client.vault(vault, Deadline.after(ASK_S)))}
    jobs: list[Job] = []
    said["List Jobs"] = _said(lambda: jobs.extend(islice(client.jobs(vault, Deadline.after(ASK_S)), MOST_JOBS)))
    job = next((job for job in jobs if job.output is not None), jobs[0] if jobs else None)
    # Whoever may not describe jobs is told so, be there one of that name or not.
    id_ = "no-such-job" if job is None else job.id
    said["Describe Job"] = _said(lambda: client.job(vault, id_, Deadline.after(ASK_S)), is_missing_fine=job is None)
    output = None if job is None else job.output
    said["Get Job Output"] = NOT_ASKED if output is None else _said(lambda: _first_byte(client, output))
    return Answers(said)


def _first_byte(client: Client, output: Output) -> None:
    client.probe(output, FirstByte(), Deadline.after(ASK_S))


def _said(ask: Callable[[], object], *, is_missing_fine: bool = False) -> str:
    try:
        ask()
    except AccessDeniedError:
        return DENIED
    except NotFoundError as error:
        return "" if is_missing_fine else str(error)
    except CasfsError as error:
        return str(error)
    return ""


def _of_vault(name: str, answers: Answers, *, must: bool) -> Check:
    what = f"permissions of vault {name}"
    refused = {operation: said for operation, said in answers.said.items() if not answers.may(operation)}
    if not refused:
        return ok(what, ", ".join(answers.said))
    is_denied = set(refused.values()) == {DENIED}
    mending = (
        f"allow {', '.join(refused)} for this vault" if is_denied else "look at SOURCE, and at the service's words"
    )
    verdict = fail if must and not answers.is_usable else warn
    return verdict(what, "; ".join(f"{operation}: {said}" for operation, said in refused.items()), mending)
