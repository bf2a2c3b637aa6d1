"""What a run does not find as it was put there: noted while it looks, in a table that ends with the run."""

import itertools
from collections.abc import Iterable, Iterator

from casfs.drain.ledger.archives import escaped
from casfs.drain.ledger.database import Database

BATCH = 1000
"""Archives that are noted at once."""

_PLACED = "SELECT number, path, size, verified_at FROM archive"

Placed = tuple[int, str, int, str]
"""Number, path, size and verified_at of an archive that is done."""
Doubt = tuple[int, int | None]
"""Number of such an archive, and when it was changed since it was verified; None where it is missed."""


class Doubts:
    """Archives of a ledger that are done and may not be where they were put, or may not be what they were.

    Threads: that of the run.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def placed(self) -> Iterator[Placed]:
        """Yield each archive that is where it was to go, in their order."""
        return self._placed(f"{_PLACED} WHERE state = 'done' ORDER BY number")

    def missed(self) -> Iterator[Placed]:
        """Yield those that the first look missed."""
        doubted = "number IN (SELECT number FROM doubt WHERE changed_ns IS NULL)"
        return self._placed(f"{_PLACED} WHERE {doubted} ORDER BY number")

    def begin(self, found: Iterable[Doubt]) -> None:
        """Note what a first look doubts, and nothing of an earlier one."""
        self._database.run("DROP TABLE IF EXISTS temp.doubt")
        self._database.run("CREATE TEMP TABLE doubt (number INTEGER PRIMARY KEY, changed_ns INTEGER, looks INTEGER)")
        self._note(found, 1)

    def confirm(self, found: Iterable[Doubt]) -> None:
        """Note what another look doubts of what is missed, and forget what it does not."""
        self._note(found, 2)
        self._database.run("DELETE FROM doubt WHERE changed_ns IS NULL AND looks = 1")

    def changed(self, after: int, limit: int) -> list[tuple[int, int]]:
        """Return numbers behind *after* of what was changed, and when; *limit* at most."""
        query = "SELECT number, changed_ns FROM doubt WHERE changed_ns NOT NULL AND number > ? ORDER BY number LIMIT ?"
        return [(number, changed_ns) for number, changed_ns in self._database.rows(query, after, limit)]

    def verify(self, number: int, verified_at: str) -> None:
        """Note that an archive was found to be what it was; within a step."""
        self._database.run("UPDATE archive SET verified_at = ? WHERE number = ?", verified_at, number)
        self._database.run("DELETE FROM doubt WHERE number = ?", number)

    def totals(self, *, is_changed: bool) -> tuple[int, int]:
        """Return how many are changed, or missed, and their bytes."""
        query = (
            "SELECT count(*), coalesce(sum(size), 0) FROM doubt JOIN archive USING (number)"
            " WHERE (changed_ns NOT NULL) = ?"
        )
        row = self._database.row(query, is_changed)
        return (row[0], row[1]) if row else (0, 0)

    def lose(self, why: str) -> None:
        """Note that all of them are to be brought: what a job told of one has to be told again; within a step."""
        self._database.run(
            "UPDATE archive SET state = 'new', job = NULL, why = ?, verified_at = NULL, hash_from = NULL,"
            " tree_hash = CASE hash_from WHEN 'job' THEN NULL ELSE tree_hash END"
            " WHERE number IN (SELECT number FROM doubt)",
            escaped(why),
        )

    def _placed(self, query: str) -> Iterator[Placed]:
        return ((number, path, size, verified_at) for number, path, size, verified_at in self._database.rows(query))

    def _note(self, found: Iterable[Doubt], look: int) -> None:
        rows = ((number, changed_ns, look) for number, changed_ns in found)
        while batch := list(itertools.islice(rows, BATCH)):
            self._database.run_many("INSERT OR REPLACE INTO doubt VALUES (?, ?, ?)", batch)
