r"""An inventory in CSV, read as a stream.

Two forms are known. Of Glacier's own a field may be within quotes, where a quote is ``\"`` and a backslash is a
backslash; of RFC 4180 a quote is doubled, and a field may have line ends. No text is of both: in the first a backslash
stands before each quote, in the second another quote. The other columns say where a description begins and ends.

Source: docs/semantics.md; docs/wire.md section 5.
"""

import re
from collections.abc import Iterator

from casfs.drain.archive import Archive
from casfs.drain.inventory.fields import COLUMNS, archive_from
from casfs.errors import ProtocolError

LONGEST_ROW = 64 << 10
"""Characters of one archive at most: a description has 1,024, and may be doubled by quotes."""

_CELL = r'"?([^",]*)"?'
_START, _END = rf"{_CELL},(.*),{_CELL},", r'"?(\d{1,19})"?'
_FIVE = re.compile(rf'{_START}{_END},"?([0-9a-fA-F]{{64}}|)"?', re.DOTALL)
_FOUR = re.compile(f"{_START}{_END}", re.DOTALL)
_DOUBLED = re.compile(r'(?:[^"]|"")*')


def archives(pieces: Iterator[bytes]) -> Iterator[Archive]:
    """Yield the archives of a CSV inventory, in its order; with a line of names on top, or without one.

    Args:
        pieces: its bytes, in order. A last line without an end must end in a hash: a number may be half of one.

    Raises:
        ProtocolError: it is no inventory, is cut off within a line, or has an archive that cannot be used.
    """
    row: re.Pattern[str] | None = None
    held, number = "", 0
    for line, is_ended in _lines(pieces):
        if row is None and not held and _is_header(line):
            row = _FIVE if line.count(",") == len(COLUMNS) - 1 else _FOUR
            continue
        if not held and not line:
            continue
        held += line
        forms = (_FIVE, _FOUR) if row is None else (row,)
        found = next(((form, match) for form in forms if (match := form.fullmatch(held))), None)
        if found is None:
            if '"' not in held or len(held) > LONGEST_ROW:
                raise ProtocolError(f"the inventory is cut off, or no CSV: archive {number + 1}")
            held += "\n"  # which is within quotes
            continue
        row, match = found
        number, held = number + 1, ""
        if not is_ended and (row is _FOUR or not match[5]):
            raise ProtocolError(f"the inventory is cut off: archive {number} may not be all of its line")
        id_, description, *others = match.groups()
        yield archive_from(number, [id_, _unquoted(description), *others, *[None] * (row is _FOUR)])
    if held:
        raise ProtocolError(f"the inventory is cut off within archive {number + 1}")


def _lines(pieces: Iterator[bytes]) -> Iterator[tuple[str, bool]]:
    """Yield lines without their ends, and whether they had one; a description may have other ends than those of CSV."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > LONGEST_ROW * 4:
            raise ProtocolError("the inventory has a line that is too long")
        yield from ((_text(line), True) for line in whole)
    if rest:
        yield _text(rest), False


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape").removeprefix("\ufeff").removesuffix("\r")


def _is_header(line: str) -> bool:
    names = [name.strip().strip('"') for name in line.split(",")]
    if not names or names[0] != COLUMNS[0]:
        return False
    if tuple(names) not in (COLUMNS, COLUMNS[:4]):
        raise ProtocolError(f"the inventory has columns that nobody knows: {line[:200]!a}")
    return True


def _unquoted(text: str) -> str:
    if not (len(text) > 1 and text[0] == text[-1] == '"'):
        return text
    inner = text[1:-1]
    return inner.replace('""', '"') if _DOUBLED.fullmatch(inner) else inner.replace('\\"', '"')
