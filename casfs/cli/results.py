"""What a command found, on standard output: objects for machines, a table on a terminal, else lines with tabs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import click

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
AGES = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Row:
    """One result.

    Attributes:
        fields: for machines that ask for JSON: what is not known is None.
        plain: for scripts: exact, a text for each column.
        shown: for people: rounded, a text for each column.
    """

    fields: Mapping[str, object]
    plain: Sequence[str]
    shown: Sequence[str]


def write(rows: Iterable[Row], titles: Sequence[str], *, as_json: bool) -> None:
    """Write *rows*, each as it comes unless it is for a table.

    Args:
        rows: the results.
        titles: of the columns; one that begins with ``>`` is of numbers.
        as_json: whether objects were asked for.
    """
    if not as_json and sys.stdout.isatty():
        _write_table(rows, titles)
        return
    for row in rows:
        write_line(json.dumps(row.fields) if as_json else "\t".join(map(printable, row.plain)))


def write_line(text: str) -> None:
    """Write one line at once, so that whoever reads a pipe has it."""
    click.echo(text)
    sys.stdout.flush()


def printable(text: str) -> str:
    """Return *text* without what a terminal would take for a command, or a script for the end of a column."""
    return text if text.isprintable() else ascii(text)[1:-1]


def size(count: float) -> str:
    """Return a number of bytes for people.

    >>> size(1536), size(7), size(5 << 40)
    ('1.5 KiB', '7 B', '5.0 TiB')
    """
    for unit in UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == UNITS[0] else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {UNITS[-1]}"


def duration(seconds: float) -> str:
    """Return a time for people, in whole units.

    >>> duration(7300), duration(0.2)
    ('2 h', '0 s')
    """
    for length, unit in AGES:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return "0 s"


def _write_table(rows: Iterable[Row], titles: Sequence[str]) -> None:
    from rich.console import Console  # noqa: PLC0415 - 60 ms that scripts do without
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in titles:
        table.add_column(title.lstrip(">"), justify="right" if title.startswith(">") else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(text)) for text in row.shown))
    Console().print(table)
