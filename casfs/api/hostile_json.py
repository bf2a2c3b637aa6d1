"""JSON of which one value may be hostile: what cannot be used is marked where it stands, and the rest is read.

A number of 5,000 digits, 1e400, NaN or 100,000 levels in one job's document would else make a page of a thousand jobs
no JSON. What holds an ``Unusable`` cannot be written again: whoever writes it learns that this one is no document.
"""

import json
import math
import re
from typing import Any

LONGEST_NUMBER = 300
"""Digits of a number that is read: no float has more, and thousands take Python a time that grows with their square."""

DEEPEST = 100
"""Levels of a document that is used; those of the service have five. Fewer than a reader of JSON takes, at whatever
depth of its own stack it reads what is kept here."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
"""A string, so that no bracket in it counts, or a bracket. Possessive: text without an end costs one pass."""


class Unusable:
    """Stands where the service sent a value that nobody can use."""


UNUSABLE = Unusable()


def loads(text: str) -> Any:
    """Return what *text* says, with ``UNUSABLE`` in place of each value that cannot be used.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return _loads(text)
    except RecursionError:
        return _loads(_shallow(text))


def dumps(value: object) -> str:
    """Return *value* as one line of ASCII JSON.

    Raises:
        ValueError: something in it cannot be used, or it is nested too deeply.
    """
    try:
        text = json.dumps(value, separators=(",", ":"))
    except (TypeError, RecursionError) as error:
        raise ValueError("a value that cannot be used") from error
    if text.count("[") + text.count("{") > DEEPEST and _shallow(text) != text:
        raise ValueError("nested too deeply")
    return text


def _loads(text: str) -> Any:
    return json.loads(text, parse_int=_integer, parse_float=_finite, parse_constant=lambda _: UNUSABLE)


def _integer(digits: str) -> int | Unusable:
    return int(digits) if len(digits) <= LONGEST_NUMBER else UNUSABLE


def _finite(digits: str) -> float | Unusable:
    value = float(digits)
    return UNUSABLE if math.isinf(value) else value


def _shallow(text: str) -> str:
    """Return *text* with NaN in place of whatever stands more than DEEPEST levels deep; without a stack."""
    kept: list[str] = []
    depth = begin = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept += [text[begin : token.start()], "NaN"]
        elif token[0] in "]}":
            depth -= 1
            if depth == DEEPEST:
                begin = token.end()
    # where a bracket is missing at the end, what is kept is no JSON, as the whole was none
    return "".join(kept) + ("" if depth > DEEPEST else text[begin:])
