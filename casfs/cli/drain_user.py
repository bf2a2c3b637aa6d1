"""Who runs a drain, at a terminal or by a script: what is told of it, and what is asked."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from casfs.cli.results import duration, printable, size, write_line
from casfs.drain.archive import MISSING, UNDER_WAY, State
from casfs.drain.needs import Progress
from casfs.drain.prices import Price
from casfs.drain.run import Estimate
from casfs.errors import CasfsError
from casfs.log.redaction import redact

if TYPE_CHECKING:
    from rich.live import Live

EVERY_S = 1.0
"""How often progress is shown."""
EVERY_JSON_S = 10.0
"""How often it is written where nobody looks."""


class NotAllowedError(CasfsError):
    """Nobody has allowed what costs money."""


class DrainUser:
    """Tells and asks; as ``User`` of ``drain.run``.

    Args:
        as_json: whether each thing told is an object on a line of standard output.
        yes: whether everything is allowed.

    Threads: that of the run.
    """

    def __init__(self, *, as_json: bool, yes: bool) -> None:
        self._as_json = as_json
        self._yes = yes
        self._live: Live | None = None
        self._shown_s = float("-inf")
        self._price: Price | None = None

    def __enter__(self) -> Self:
        """Tell, until the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take away what is shown."""
        self._hide()

    def note(self, text: str) -> None:
        """Say one thing that happened."""
        self._hide()  # until the next progress, which comes within a second
        text = redact(" ".join(text.split()))
        if self._as_json:
            write_line(json.dumps({"event": "note", "text": text}))
        else:
            click.echo(f"casfs: {printable(text)}", err=True)

    def plan(self, estimate: Estimate) -> None:
        """Say what is to be done."""
        self._price = estimate.price
        if self._as_json:
            write_line(json.dumps({"event": "plan", **fields_of(estimate)}))
            return
        for line in lines_of(estimate):
            write_line(line)

    def allow(self, what: str) -> None:
        """Ask whether *what* may be begun; each is asked for, as each costs money."""
        if self._yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise NotAllowedError("nothing is begun without --yes where there is no terminal to ask at")
        if not click.confirm(f"{what[:1].upper()}{what[1:]}: go on?", err=True):
            raise NotAllowedError("nothing was begun")

    def progress(self, progress: Progress) -> None:
        """Say how far it is, now and then."""
        now_s = time.monotonic()
        is_live = not self._as_json and sys.stderr.isatty()
        if now_s < self._shown_s + (EVERY_S if is_live else EVERY_JSON_S):
            return
        self._shown_s = now_s
        if self._as_json:
            write_line(json.dumps({"event": "progress", **progress_fields(progress, self._price)}))
        elif is_live:
            self._show(progress)

    def result(self, totals: Mapping[State, tuple[int, int]], destination: str, shown_by: str) -> None:
        """Say how it ended, where nothing is missing."""
        self._hide()
        count, whole = totals[State.DONE]
        if self._as_json:
            write_line(json.dumps({"event": "result", "archives": count, "bytes": whole, "missing": 0}))
        else:
            write_line(f"{count} archives, {size(whole)}, are in {printable(destination)}, {printable(shown_by)}")

    def missing(self, text: str, totals: Mapping[State, tuple[int, int]]) -> None:
        """Say to machines how it ended, where something is missing."""
        if self._as_json:
            done, missing = totals[State.DONE], [totals[state] for state in State if state is not State.DONE]
            counts = {"missing": sum(each for each, _ in missing), "missing_bytes": sum(each for _, each in missing)}
            write_line(
                json.dumps({"event": "result", "archives": done[0], "bytes": done[1], **counts, "error": redact(text)})
            )

    def _show(self, progress: Progress) -> None:
        from rich.console import Console  # noqa: PLC0415 - 60 ms that scripts do without
        from rich.live import Live  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        if self._live is None:
            self._live = Live(console=Console(stderr=True), transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(Text(shown(progress, self._price, time.time_ns())), refresh=True)

    def _hide(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def fields_of(estimate: Estimate) -> dict[str, Any]:
    """Return a plan for machines."""
    plan, price = estimate.plan, estimate.price
    told: dict[str, Any] = {
        "archives": plan.archives, "bytes": plan.size, "waves": plan.waves, "days": round(plan.days, 2),
        "under_way": estimate.under_way[0], "under_way_bytes": estimate.under_way[1],
        "done": estimate.done[0], "done_bytes": estimate.done[1], "inventory": estimate.inventory,
        "jobs": plan.archives, "cost": None, "cost_out": None, "currency": None, "prices": None,
    }  # fmt: skip
    if price is not None:
        cost, out = price.of(plan.archives, plan.size)
        told |= {"cost": round(cost, 2), "cost_out": round(out, 2), "currency": price.currency}
        told |= {"prices": {"date": price.date, "source": price.source}}
    return told


def lines_of(estimate: Estimate) -> list[str]:
    """Return a plan for people."""
    plan, price = estimate.plan, estimate.price
    lines = [f"inventory: {printable(estimate.inventory)}"]
    for what, (count, whole) in (("done", estimate.done), ("under way", estimate.under_way)):
        if count:
            lines.append(f"{what}: {count} archives, {size(whole)}")
    lines.append(f"to retrieve: {plan.archives} archives, {size(plan.size)} ({plan.size} bytes)")
    waves = f"{plan.waves} wave{'s' if plan.waves != 1 else ''}"
    lines.append(f"time: {waves}, {plan.days:.1f} days at least")
    if price is None:
        lines.append(
            f"cost: no price is published for this: {plan.archives} jobs and {plan.size} bytes are charged for"
        )
    else:
        cost, out = price.of(plan.archives, plan.size)
        lines.append(
            f"cost: {cost:.2f} {price.currency} for retrievals, {out:.2f} {price.currency} for data that leaves the"
            f" provider's network (prices of {price.date}: {price.source})"
        )
    return lines


def progress_fields(progress: Progress, price: Price | None) -> dict[str, Any]:
    """Return how far a drain is, for machines."""
    told = asdict(progress)
    told["archives"] = {state.value: count for state, (count, _) in progress.totals.items()}
    told["bytes"] = {state.value: whole for state, (_, whole) in progress.totals.items()}
    told["retrievals"], told["retrieved_bytes"] = progress.retrievals
    told["cost"] = None if price is None else round(price.of(*progress.retrievals)[0], 2)
    del told["totals"]
    return told


def shown(progress: Progress, price: Price | None, now_ns: int) -> str:
    """Return how far a drain is, for people: a line of archives, a line of bytes, and what it waits for."""
    totals = progress.totals
    counts = {state: count for state, (count, _) in totals.items()}
    under_way, waiting = (sum(totals[state][which] for state in UNDER_WAY) for which in (0, 1))
    missing = sum(counts[state] for state in MISSING)
    left = waiting + totals[State.NEW][1]
    first = f"{counts[State.DONE]} done, {under_way} under way ({counts[State.READY] + counts[State.LOADING]} ready), "
    lines = [first + f"{counts[State.NEW]} to ask for, {missing} given up"]
    rate = f"{size(progress.speed)}/s, {duration(left / progress.speed)} to go" if progress.speed else "no rate yet"
    lines.append(f"{size(totals[State.DONE][1])} done, {size(left)} left, {size(progress.moved)} moved; {rate}")
    lines.append(f"{progress.retrievals[0]} retrievals of {size(progress.retrievals[1])} so far")
    if price is not None:
        lines[-1] += f", {price.of(*progress.retrievals)[0]:.2f} {price.currency}"
    if progress.soonest_expiry_ns is not None:
        lines[-1] += f"; the next output expires in {duration(max(0, progress.soonest_expiry_ns - now_ns) / 1e9)}"
    if progress.waits_for:
        lines.append(f"new retrievals wait for {printable(progress.waits_for)}")
    return "\n".join(lines)
