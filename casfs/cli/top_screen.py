"""The screen of ``casfs top``."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from casfs.cli.results import duration, printable, size

NOTHING = "-"
TOTALS = (
    ("errors", "errors"),
    ("retries", "retries"),
    ("throttled", "throttled"),
    ("hash mismatches", "hash_mismatches"),
)


def show(views: Iterator[dict[str, Any]]) -> None:
    """Show each view in the place of the one before, on the terminal's other screen; one where it has none."""
    console = Console()
    if console.is_dumb_terminal:
        show_once(next(views))
        return
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live:
        for fields in views:
            live.update(screen(fields), refresh=True)


def show_once(fields: dict[str, Any]) -> None:
    """Show one view."""
    Console().print(screen(fields))


def screen(fields: dict[str, Any]) -> Group:
    """Return the whole of it."""
    up = f"up {duration(fields['uptime_s'])}"
    head = Text(printable(f"{fields['mountpoint']}  {fields['source']}  {up}"), style="bold", no_wrap=True)
    body = (_figures(fields), _totals(fields), _reading(fields), _expiring(fields))
    return Group(head, *(part for each in body for part in (Text(), each)))


def _figures(fields: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, *said in (
        ("read", _speed(fields["read_bytes_per_s"]), _rate(fields["reads_per_s"]), _took(fields["read_latency_s"])),
        (
            "fetched",
            _speed(fields["fetched_bytes_per_s"]),
            _rate(fields["requests_per_s"]),
            _took(fields["request_latency_s"]),
        ),
        ("memory", _share(fields["memory"]), _hits(fields["memory"]["hit_rate"])),
        *(() if fields["disk"] is None else (("disk", _share(fields["disk"]), _health(fields["disk"])),)),
    ):
        table.add_row(Text(name, style="bold"), *map(Text, said))
    return table


def _totals(fields: dict[str, Any]) -> Text:
    style = "red" if fields["errors"] or fields["hash_mismatches"] else ""
    counted = ", ".join(f"{name} {fields[field]}" for name, field in TOTALS)
    return Text.assemble(("since it is up  ", "bold"), (counted, style), f"; {fields['in_flight']} in flight")


def _reading(fields: dict[str, Any]) -> Table:
    table = _table(f"being read ({_number(fields['open_outputs'])} open)", "output", ">at", ">of", ">rate", "last read")
    for one in fields["reading"]:
        whole, at = one["size"], one["position"]
        share = f"{size(at)}  {at * 100 // whole} %" if whole else size(at)
        idle = NOTHING if one["idle_s"] is None else f"{duration(one['idle_s'])} ago"
        of = NOTHING if whole is None else size(whole)
        _add(table, f"{one['vault']}/{one['job']}", share, of, _speed(one["bytes_per_s"]), idle)
    return table


def _expiring(fields: dict[str, Any]) -> Table:
    found = fields["expiring"]
    which = "expires next" if fields["disk"] is None else "expires next, not whole on disk"
    table = _table(which if found is not None else f"{which}: not known yet", "output", ">size", ">in")
    for one in found or ():
        left = NOTHING if one["seconds"] is None else duration(one["seconds"])
        of = NOTHING if one["size"] is None else size(one["size"])
        _add(table, f"{one['vault']}/{one['job']}", of, left)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in columns:
        is_number = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if is_number else "left", no_wrap=True, overflow="ellipsis")
    return table


def _add(table: Table, *texts: str) -> None:
    table.add_row(*(Text(printable(text)) for text in texts))


def _number(count: float | None) -> str:
    return NOTHING if count is None else f"{count:.0f}"


def _speed(bytes_per_s: float | None) -> str:
    return NOTHING if bytes_per_s is None else f"{size(bytes_per_s)}/s"


def _rate(per_s: float | None) -> str:
    return NOTHING if per_s is None else f"{per_s:.1f} a second"


def _took(latency: dict[str, float] | None) -> str:
    return "" if latency is None else f"half in {_time(latency['p50'])}, 99 % in {_time(latency['p99'])}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _share(cache: dict[str, Any]) -> str:
    taken, limit = (NOTHING if cache[name] is None else size(cache[name]) for name in ("bytes", "limit_bytes"))
    return f"{taken} of {limit}"


def _hits(rate: float | None) -> str:
    return "" if rate is None else f"{rate * 100:.0f} % of blocks were there"


def _health(disk: dict[str, Any]) -> str:
    return "the disk fails" if disk["fails"] else f"{_number(disk['blocks_damaged'])} blocks damaged"
