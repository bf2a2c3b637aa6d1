"""``casfs top``: a live view of one mount."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import click

from casfs.cli import top_screen
from casfs.cli.options import json_option
from casfs.cli.paths import located_mount
from casfs.cli.results import Row, write
from casfs.mount.mountpoint import own
from casfs.operate.inquiry import Inquiry, Told
from casfs.operate.view import Place, View

HELP = """Show what the mount at MOUNTPOINT is at, until Ctrl-C.

Throughput, times of reads and requests, the cache, which outputs are being read, and which expire soon. The mount tells
it out of its memory: nothing is asked of the service, and no read waits for it. Whoever may read the mount may look.
"""

LOOK_AGAIN_S = 0.1
"""How soon it is looked again where the mount looks aside at what it was asked for, the first time."""
LOOKS_AT_FIRST = 20
"""How often: what expires is known within 2 s, but of very many jobs."""


@click.command(help=HELP)
@click.argument("mountpoint")
@click.option("--once", is_flag=True, help="Show it once, of one interval; so it is where output is no terminal.")
@click.option("--interval", metavar="SECONDS", type=click.FloatRange(0.1, 3600), default=2.0, show_default=True)
@json_option
def top(mountpoint: str, *, once: bool, interval: float, as_json: bool) -> None:
    """Look at a mount, and go on."""
    mounted = own(located_mount(mountpoint))
    place = Place(mounted.path, mounted.source)
    with closing(Inquiry(mounted.path)) as inquiry:
        views = (View(place, before, now).fields() for before, now in pairwise(_looks(inquiry, interval)))
        if once or not sys.stdout.isatty():
            _write(next(views), as_json=as_json)
            return
        try:
            _go_on(views, as_json=as_json)
        except KeyboardInterrupt:  # which is how one ends it
            return


def _looks(inquiry: Inquiry, interval_s: float) -> Iterator[Told]:
    """Yield what the mount tells, every so often; for ever."""
    told = inquiry.ask()
    for _ in range(LOOKS_AT_FIRST):
        if told.activity.get("expiring", []) is not None:
            break
        time.sleep(LOOK_AGAIN_S)
        told = inquiry.ask()
    while True:
        yield told
        time.sleep(interval_s)
        told = inquiry.ask()


def _go_on(views: Iterator[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for fields in views:
            _write(fields, as_json=True)
    else:
        top_screen.show(views)


def _write(fields: dict[str, Any], *, as_json: bool) -> None:
    """Write one view: as an object, on a terminal as the screen is, else a line a figure."""
    if not as_json and sys.stdout.isatty():
        top_screen.show_once(fields)
    else:
        rows = [Row(fields, (), ())] if as_json else [Row({}, row, row) for row in _flat("", fields)]
        write(rows, (), as_json=as_json)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield each figure with a name that says where it stands: ``reading.0.job``."""
    match value:
        case dict():
            for key, each in value.items():
                yield from _flat(f"{name}.{key}" if name else key, each)
        case list():
            for number, each in enumerate(value):
                yield from _flat(f"{name}.{number}", each)
        case _:
            yield name, "-" if value is None else str(value)
