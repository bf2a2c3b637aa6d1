"""Lines of a hash and a name, as sha256sum writes and reads them. Pure.

Source: GNU coreutils manual, "sha2 utilities" and "md5sum invocation", read 2026-11-27.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

LINE = re.compile(rb"(\\?)([0-9A-Fa-f]{64}) [ *]([^\0]+)", re.DOTALL)
ESCAPES = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}
MEANINGS = {escape: byte for byte, escape in ESCAPES.items()}


class Line(NamedTuple):
    """A line, read."""

    tree_hash: str
    name: bytes


def line(tree_hash: str, name: bytes) -> bytes:
    """Return the line of a file, without its end: one line whatever the name holds."""
    has_any = any(byte in name for byte in ESCAPES)
    return (b"\\" if has_any else b"") + tree_hash.encode() + b"  " + (_escaped(name) if has_any else name)


def verdict(name: bytes, text: str) -> bytes:
    """Return the line that says what a check came to, without its end."""
    shown = b"\\" + _escaped(name) if b"\n" in name or b"\r" in name else name
    return shown + b": " + text.encode()


def is_to_check(text: bytes) -> bool:
    """Say whether a line is neither empty nor a comment."""
    return bool(text.strip()) and not text.startswith(b"#")


def parsed(text: bytes) -> Line | None:
    """Return what a line says, None where it is none."""
    found = LINE.fullmatch(text.removesuffix(b"\n").removesuffix(b"\r"))
    if found is None:
        return None
    name = re.sub(rb"\\[\\nr]", lambda escape: MEANINGS[escape[0]], found[3]) if found[1] else found[3]
    return Line(found[2].decode().lower(), name)


def summary(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield what was not as it should be in a list, in numbers.

    Args:
        counts: of its lines, by what came of each.
    """
    texts = {
        "malformed": "{} of its lines are no tree hash and a name",
        "FAILED open or read": "{} of its files could not be read",
        "FAILED": "{} of its files have another tree hash",
    }
    return (text.format(counts[what]) for what, text in texts.items() if counts.get(what))


def _escaped(name: bytes) -> bytes:
    return re.sub(rb"[\\\n\r]", lambda found: ESCAPES[found[0]], name)
