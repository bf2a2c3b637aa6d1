"""``casfs warm``: outputs brought into a cache on disk before they expire."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import click

from casfs.cache.named import Shelves, is_path, located
from casfs.cache.plan import without_room
from casfs.cache.target import Outcome, Target
from casfs.cache.warming import Listener, Warming, why_not
from casfs.cli.options import given, json_option
from casfs.cli.progress import Progress
from casfs.cli.results import Row, size, write
from casfs.cli.session import connect_options, session
from casfs.cli.statuses import line_of
from casfs.config.library import NAMES
from casfs.config.values import seconds
from casfs.errors import CasfsError
from casfs.iso_time import iso_utc

HELP = """Fetch outputs, or all outputs of vaults, into the cache on disk.

Each NAME is a path in a mount that has a cache, or a PLACE: NAME:VAULT, REGION:VAULT or
http[s]://HOST[:PORT]/ACCOUNT/VAULT, with /JOB behind it where one output is meant. The soonest to expire is fetched
first. What is there already is left; run again, it goes on. Ends with 0 when all of it is there, whole and checked.
"""


DEADLINE = seconds(0, 30 * 86_400)
TITLES = ("output", ">size", "cached", "checked", "expires")
MANY = 5
"""Names that one warning has at most."""


@click.command(help=HELP)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@connect_options
@click.option("--deadline", metavar="SECONDS", help="Stop after that time, with status 1 where something is missing.")
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Outputs fetched side by side.")
@json_option
def warm(names: tuple[str, ...], deadline: str | None, jobs: int, as_json: bool, **arguments: Any) -> None:  # noqa: FBT001 - click's arguments
    """Bring what is named into its caches."""
    ends_s = None if deadline is None else time.time() + _seconds(deadline)
    paths = tuple(map(located, names))
    shelves = Shelves(paths, {name: text for name, text in given(arguments).items() if name in NAMES})
    run = Run(shelves, paths, jobs, ends_s)
    with session(arguments), closing(shelves):
        write(run.rows(), TITLES, as_json=as_json)
    if run.failures:
        raise CasfsError(f"{run.failures} of {run.failures + run.successes} outputs are not whole and checked")


class Run:
    """One run of the command.

    Attributes:
        failures: outputs, and names, of which not all is there.
        successes: outputs that are.
    """

    def __init__(self, shelves: Shelves, names: tuple[str, ...], side_by_side: int, ends_s: float | None) -> None:
        self._shelves = shelves
        self._names = names
        self._side_by_side = side_by_side
        self._ends_s = ends_s
        self._say: Callable[[str], None] = partial(click.echo, err=True)
        self.failures = 0
        self.successes = 0

    def rows(self) -> Iterator[Row]:
        """Fetch what is named, and yield what came of each as it is known; say on standard error what failed."""
        found = list(self._shelves.survey(self._names))
        yield from (self._row(one) for one in found if isinstance(one, Outcome))
        targets = [one for one in found if isinstance(one, Target)]
        refused = {target.name for target in without_room(targets)}
        for target in targets:
            if target.name in refused:
                yield self._row(_failure(target, "the cache has no room for it beside the others: see --cache-size"))
            elif target.holding.is_done:
                yield self._row(_looked_at_again(Outcome(target.name, target, target.holding)))
        owed = [one for one in targets if one.name not in refused and not one.holding.is_done]
        self._warn_of_expired(owed)
        yield from self._fetched(owed)

    def _fetched(self, owed: list[Target]) -> Iterator[Row]:
        done: list[Outcome] = []
        with Progress("fetching", sum(target.size for target in owed)) as progress:
            self._say = progress.say  # above the bar
            warming = Warming(owed, Listener(progress.advance, self._warn_of_late), self._side_by_side, self._ends_s)
            for outcome in warming.outcomes():
                done += [outcome] if outcome.error is None else []
                yield self._row(outcome)
        for outcome in map(_looked_at_again, done):
            if outcome.error is not None:
                self.successes -= 1
                yield self._row(outcome)

    def _row(self, outcome: Outcome) -> Row:
        if outcome.error is None:
            self.successes += 1
        else:
            self.failures += 1
            self._say(line_of(f"{outcome.name}: {outcome.error}"))
        return _row(outcome)

    def _warn_of_expired(self, owed: Sequence[Target]) -> None:
        now_ns = time.time_ns()
        expired = [target for target in owed if target.expires_ns is not None and target.expires_ns <= now_ns]
        if expired:
            self._warn(f"{len(expired)} outputs are past their 24 hours, and tried last: {_listed(expired)}")

    def _warn_of_late(self, late: Sequence[Target], rate: float) -> None:
        speed = f"at {size(rate)}/s " if rate else ""
        self._warn(f"{speed}{len(late)} outputs will not be there in time, and are tried last: {_listed(late)}")

    def _warn(self, text: str) -> None:
        self._say(line_of(f"warning: {text}"))


def _looked_at_again(outcome: Outcome) -> Outcome:
    """Return what is true now: what came later may have driven out what was there."""
    target = outcome.target
    if target is None:
        return outcome
    try:
        holding = target.shelf.look(target)
    except CasfsError as error:
        return _failure(target, str(error))
    return Outcome(outcome.name, target, holding, why_not(holding))


def _failure(target: Target, error: str) -> Outcome:
    return Outcome(target.name, target, target.holding, error)


def _listed(targets: Sequence[Target]) -> str:
    names = [target.name for target in targets[:MANY]]
    return ", ".join([*names, f"and {len(targets) - MANY} more"] if len(targets) > MANY else names)


def _row(outcome: Outcome) -> Row:
    target, holding = outcome.target, outcome.holding
    expires = iso_utc(target.expires_ns) if target is not None and target.expires_ns is not None else None
    fields = {
        "path" if is_path(outcome.name) else "place": outcome.name,
        "vault": target.vault or None if target is not None else None,
        "job": target.job if target is not None else None,
        "size": target.size if target is not None else None,
        "expires": expires,
        "cached": holding.cached,
        "verification": holding.verification,
        "ok": outcome.error is None,
        "error": outcome.error,
    }
    count = target.size if target is not None else 0
    plain = (outcome.name, str(count), holding.cached, holding.verification, expires or "-")
    return Row(fields, plain, (outcome.name, size(count), *plain[2:]))


def _seconds(text: str) -> float:
    try:
        return float(str(DEADLINE.read(text)))
    except ValueError as error:
        raise click.BadParameter(f"{text!a} {error}", param_hint="--deadline") from None
