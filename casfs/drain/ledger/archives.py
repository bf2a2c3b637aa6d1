"""The archives of a ledger: entered in the order of the inventory, named, chosen, and moved from state to state."""

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from casfs.drain import clashes, names
from casfs.drain.archive import MISSING, Archive, Entry, State
from casfs.drain.ledger.database import Database
from casfs.drain.names import Naming
from casfs.errors import ProtocolError

BATCH = 1000
"""Archives that are entered at once: a megabyte."""
FEW = 50
"""Archives at each end of the inventory by which it is told from that of another vault."""
MOST_ROUNDS = 20
"""How often names that clash are made anew: the second round is for what is meant to clash, and there is no third."""

MANIFEST_KEYS = (
    "archive_id", "description", "creation_date", "size", "tree_hash", "hash_from", "path", "job", "verified_at"
)  # fmt: skip
"""Of a line of the manifest."""
_TO_COME = "state NOT IN ('done', 'asked', 'ready', 'loading')"
_ENTRY = "number, id, size, tree_hash, created, path, state, job, expires_ns, attempts, why"


def escaped(text: str) -> str:
    """Return *text* in ASCII, as JSON escapes it: SQLite takes no surrogates."""
    return json.dumps(text)[1:-1]


def unescaped(text: str) -> str:
    """Return what was escaped."""
    found: str = json.loads(f'"{text}"')
    return found


class Archives:
    """What one vault holds, and where each archive of it stands.

    Threads: that of the run.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, archives: Iterable[Archive], naming: Naming) -> int:
        """Enter *archives*, within a step, and return how many there were."""
        insert = "INSERT INTO archive (id, description, created, size, tree_hash, path, folded) VALUES (?,?,?,?,?,?,?)"
        rows, count = (self._row(archive, naming) for archive in archives), 0
        while batch := list(itertools.islice(rows, BATCH)):
            self._database.run_many(insert, batch)
            count += len(batch)
        return count

    def count(self) -> int:
        """Return how many were entered."""
        row = self._database.row("SELECT count(*) FROM archive")
        return int(row[0]) if row else 0

    def some(self) -> list[str]:
        """Return the ids of a few archives: of the first and of the last, since the oldest may be deleted first."""
        query = (
            "SELECT id FROM (SELECT id FROM archive ORDER BY number LIMIT ?)"
            " UNION SELECT id FROM (SELECT id FROM archive ORDER BY number DESC LIMIT ?)"
        )
        return [id_ for (id_,) in self._database.rows(query, FEW, FEW)]

    def finish(self) -> None:
        """Take out what was entered twice, and see to it that no two names are the same; within a step.

        Raises:
            ProtocolError: two archives have one id.
        """
        run = self._database.run
        run("CREATE INDEX archive_id ON archive (id)")
        self._drop_twins()
        run("CREATE INDEX archive_folded ON archive (folded)")
        self._part_names()
        run("DROP INDEX archive_folded")
        run("CREATE UNIQUE INDEX archive_folded ON archive (folded)")
        run("CREATE INDEX archive_state ON archive (state, expires_ns, size) WHERE chosen")

    def described(self) -> Iterator[tuple[int, Archive, bool]]:
        """Yield number, archive and whether it is chosen, of every archive."""
        query = "SELECT number, id, description, created, size, tree_hash, chosen FROM archive ORDER BY number"
        for number, id_, description, created, size, tree_hash, chosen in self._database.rows(query):
            yield number, Archive(id_, unescaped(description), created, size, tree_hash), bool(chosen)

    def sizes_to_come(self, has: Callable[[Archive], bool] | None) -> Iterator[int]:
        """Yield the sizes of the archives of a choice, all for None, to be asked for, whatever is chosen."""
        if has is None:
            query = f"SELECT size FROM archive WHERE {_TO_COME} ORDER BY number"  # noqa: S608 - the condition is a constant here
            yield from (size for (size,) in self._database.rows(query))
            return
        query = f"SELECT id, description, created, size, tree_hash FROM archive WHERE {_TO_COME} ORDER BY number"  # noqa: S608 - the condition is a constant here
        for id_, description, created, size, tree_hash in self._database.rows(query):
            archive = Archive(id_, unescaped(description), created, size, tree_hash)
            if has(archive):
                yield size

    def choose(self, numbers: Iterable[tuple[int, bool]]) -> None:
        """Note which archives are chosen, of those that are named; within a step."""
        rows = ((chosen, number) for number, chosen in numbers)
        while batch := list(itertools.islice(rows, BATCH)):
            self._database.run_many("UPDATE archive SET chosen = ? WHERE number = ?", batch)

    def clear(self) -> None:
        """Let what was given up be tried again, and what was being downloaded wait; within a step."""
        run = self._database.run
        run(
            "UPDATE archive SET state = 'new', why = NULL, job = NULL, expires_ns = NULL"
            " WHERE state IN ('failed', 'gone')"
        )
        run("UPDATE archive SET state = 'ready' WHERE state = 'loading'")

    def totals(self) -> Mapping[State, tuple[int, int]]:
        """Return archives and bytes of those that are chosen, by state."""
        query = "SELECT state, count(*), sum(size) FROM archive WHERE chosen GROUP BY state"
        found = {State(state): (count, size) for state, count, size in self._database.rows(query)}
        return {state: found.get(state, (0, 0)) for state in State}

    def sizes(self, attempts: int) -> Iterator[int]:
        """Yield the sizes of the chosen archives that are to be asked for: new, or given up by an earlier run.

        Args:
            attempts: retrievals of one archive, after which no other one is begun.
        """
        query = "SELECT size FROM archive WHERE chosen AND state = ? AND attempts < ? ORDER BY expires_ns, number"
        for state in (State.NEW, *MISSING):
            for (size,) in self._database.rows(query, state, attempts):
                yield size

    def entries(self, state: State, limit: int = -1) -> list[Entry]:
        """Return chosen archives in a state, *limit* at most: soonest to expire first, else in their order."""
        query = (
            f"SELECT {_ENTRY} FROM archive WHERE chosen AND state = ?"  # noqa: S608 - names of columns
            " ORDER BY expires_ns, number LIMIT ?"
        )
        return [_entry(row) for row in self._database.rows(query, state, limit)]

    def knows(self, id_: str) -> bool:
        """Say whether an archive with an id is in the inventory, chosen or not."""
        return self._database.row("SELECT 1 FROM archive WHERE id = ?", id_) is not None

    def by_id(self, id_: str) -> Entry | None:
        """Return the chosen archive with an id, None where there is none."""
        row = self._database.row(f"SELECT {_ENTRY} FROM archive WHERE chosen AND id = ?", id_)  # noqa: S608 - as above
        return _entry(row) if row else None

    def move(
        self,
        number: int,
        state: State,
        *,
        job: str | None = None,
        expires_ns: int | None = None,
        why: str | None = None,
    ) -> None:
        """Note where an archive stands now; within a step."""
        self._database.run(
            "UPDATE archive SET state = ?, job = ?, expires_ns = ?, why = ? WHERE number = ?",
            state, job, expires_ns, escaped(why) if why else None, number,
        )  # fmt: skip

    def done(self, number: int, tree_hash: str | None, hash_from: str, verified_at: str) -> None:
        """Note that an archive is where it was to go, and how that was shown; within a step."""
        self._database.run(
            "UPDATE archive SET state = 'done', expires_ns = NULL, why = NULL, tree_hash = ?, hash_from = ?,"
            " verified_at = ? WHERE number = ?",
            tree_hash, hash_from, verified_at, number,
        )  # fmt: skip

    def by_number(self, number: int) -> Entry:
        """Return an archive, chosen or not."""
        (row,) = self._database.rows(f"SELECT {_ENTRY} FROM archive WHERE number = ?", number)  # noqa: S608 - as above
        return _entry(row)

    def manifest(self) -> Iterator[dict[str, Any]]:
        """Yield what the manifest tells of each archive that is done, in the order of the inventory."""
        query = (
            "SELECT id, description, created, size, tree_hash, hash_from, path, job, verified_at FROM archive"
            " WHERE state = 'done' ORDER BY number"
        )
        for row in self._database.rows(query):
            line = dict(zip(MANIFEST_KEYS, row, strict=True))
            verified_at = re.sub(r"\.\d+", "", line["verified_at"])  # the second is enough for people
            yield line | {"description": unescaped(line["description"]), "verified_at": verified_at}

    def reasons(self) -> list[tuple[str, int]]:
        """Return why archives were given up, the most frequent reason first, and how many for each."""
        query = (
            "SELECT coalesce(why, state), count(*) FROM archive WHERE chosen AND state IN ('failed', 'gone')"
            " GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
        )
        return [(unescaped(why), count) for why, count in self._database.rows(query)]

    def soonest_expiry_ns(self) -> int | None:
        """Return when the next output that waits may be gone."""
        row = self._database.row("SELECT min(expires_ns) FROM archive WHERE chosen AND state IN ('ready', 'loading')")
        return row[0] if row else None

    def _row(self, archive: Archive, naming: Naming) -> tuple[Any, ...]:
        path = names.path_of(naming, archive.id, archive.description)
        key = clashes.sort_key(names.folded(path))
        description = escaped(archive.description)
        return archive.id, description, archive.created, archive.size, archive.tree_hash, path, key

    def _drop_twins(self) -> None:
        """Keep each archive once: pages may overlap by what their marker names."""
        for id_, first in list(
            self._database.rows("SELECT id, min(number) FROM archive GROUP BY id HAVING count(*) > 1")
        ):
            query = "SELECT count(DISTINCT size || ' ' || coalesce(tree_hash, '')) FROM archive WHERE id = ?"
            if self._database.row(query, id_) != (1,):
                raise ProtocolError(f"the inventory cannot be used: two archives are called {id_[:80]!a}")
            self._database.run("DELETE FROM archive WHERE id = ? AND number > ?", id_, first)

    def _part_names(self) -> None:
        run, rows = self._database.run, self._database.rows
        run("CREATE TEMP TABLE IF NOT EXISTS clash (number INTEGER PRIMARY KEY, depth INTEGER)")
        everyone = "SELECT folded, number FROM archive ORDER BY folded, number"
        marked = (
            "SELECT folded, archive.number, clash.number IS NOT NULL FROM archive LEFT JOIN clash USING (number)"
            " ORDER BY folded, archive.number"
        )
        for times in range(1, MOST_ROUNDS):
            run("DELETE FROM clash")
            self._note(clashes.losers(rows(everyone)))
            self._note(clashes.within_files(rows(marked)))
            query = "SELECT number, id, path, depth FROM clash JOIN archive USING (number) ORDER BY number"
            found = 0
            for number, id_, path, depth in rows(query):
                found += 1
                made = names.with_id(path, id_, depth, times)
                key = clashes.sort_key(names.folded(made))
                run("UPDATE archive SET path = ?, folded = ? WHERE number = ?", made, key, number)
            if not found:
                return
        raise ProtocolError("the inventory cannot be used: its archives cannot be told apart by names")

    def _note(self, found: Iterator[clashes.Clash]) -> None:
        """Note what has to give way; what is noted already, at the depth that is found now."""
        rows = ((clash.number, clash.depth) for clash in found)
        for batch in iter(lambda: list(itertools.islice(rows, BATCH)), []):
            self._database.run_many("INSERT OR REPLACE INTO clash VALUES (?, ?)", batch)


def _entry(row: tuple[Any, ...]) -> Entry:
    number, id_, size, tree_hash, created, path, state, job, expires_ns, attempts, why = row
    return Entry(
        number,
        id_,
        size,
        tree_hash,
        created,
        path,
        State(state),
        job,
        expires_ns,
        attempts,
        unescaped(why) if why else None,
    )
