"""What somebody meant who wrote a word that nobody knows."""

import difflib
from collections.abc import Iterable


def or_nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that says there is no *word*: the nearest of those that are *known*, if one is near.

    >>> "there is no such option" + or_nearest("alow_other", ["allow_other", "uid"])
    'there is no such option; did you mean allow_other?'
    """
    found = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {found[0]}?" if found else ""
