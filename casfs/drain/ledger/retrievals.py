"""The retrievals of a ledger: each is a job, and money."""

from collections.abc import Iterator

from casfs.drain.ledger.database import Database


class Retrievals:
    """Jobs of archives, those that others began too.

    Threads: that of the run.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: str, archive: str, asked_ns: int, size: int) -> bool:
        """Note a job, which counts as an attempt to get its archive; within a step.

        Args:
            job: its id.
            archive: id of the archive.
            asked_ns: when it was begun.
            size: bytes that it retrieves.

        Returns:
            Whether it is new.
        """
        insert = "INSERT OR IGNORE INTO retrieval (job, archive, asked_ns, bytes) VALUES (?, ?, ?, ?)"
        is_new = self._database.run(insert, job, archive, asked_ns, size) == 1
        if is_new:
            self._database.run("UPDATE archive SET attempts = attempts + 1 WHERE id = ?", archive)
        return is_new

    def end(self, job: str, why: str) -> None:
        """Note that a job brings nothing (any more), and why; within a step."""
        self._database.run("UPDATE retrieval SET over = ? WHERE job = ?", why.encode("ascii", "replace").decode(), job)

    def over(self, archive: str) -> frozenset[str]:
        """Return the jobs of an archive that bring nothing any more."""
        query = "SELECT job FROM retrieval WHERE archive = ? AND over IS NOT NULL"
        return frozenset(job for (job,) in self._database.rows(query, archive))

    def count(self) -> tuple[int, int]:
        """Return how many there were, and their bytes."""
        row = self._database.row("SELECT count(*), coalesce(sum(bytes), 0) FROM retrieval")
        return (row[0], row[1]) if row else (0, 0)

    def since(self, at_ns: int) -> Iterator[tuple[int, int]]:
        """Yield when each was begun that is later, and its bytes; in order."""
        query = "SELECT asked_ns, bytes FROM retrieval WHERE asked_ns > ? ORDER BY asked_ns"
        return ((asked_ns, size) for asked_ns, size in self._database.rows(query, at_ns))
