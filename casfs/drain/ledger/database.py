"""The file of a ledger: SQLite, held by one run at a time, and never half of a step in it.

Beside it lies ``FILE.lock``, which the run that has the ledger holds; the lock goes with its process, however that
ends. Whoever only looks needs none.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from casfs.errors import ConfigError, LedgerError

VERSION = 1
"""Of the tables below."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE page (
    number INTEGER PRIMARY KEY, marker TEXT NOT NULL, job TEXT NOT NULL, following TEXT, archives INTEGER,
    made TEXT NOT NULL
);
CREATE TABLE archive (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, description TEXT NOT NULL, created TEXT NOT NULL,
    size INTEGER NOT NULL, tree_hash TEXT, hash_from TEXT, path TEXT NOT NULL, folded TEXT NOT NULL,
    chosen INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL DEFAULT 'new', job TEXT, expires_ns INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0, why TEXT, verified_at TEXT
);
CREATE TABLE retrieval (
    job TEXT PRIMARY KEY, archive TEXT NOT NULL, asked_ns INTEGER NOT NULL, bytes INTEGER NOT NULL, over TEXT
) WITHOUT ROWID;
CREATE INDEX retrieval_of ON retrieval (archive);
CREATE INDEX retrieval_when ON retrieval (asked_ns);
"""

_CACHE_KIB = 8 << 10
"""Memory for pages of the file, which is also what sorting for an index takes: 7 million archives are to be planned in
100 MiB."""
BATCH = 1000
"""Rows that are read at once."""
HEED_STEPS = 1_000_000
"""Steps of SQLite after which Python has a turn, in which it heeds signals: some tens of milliseconds. An index over
millions of archives takes a minute, and Ctrl-C is to end that too."""
BUSY_S = 5.0
"""How long to wait for whoever looks at the ledger meanwhile."""


class Database:
    """An open ledger.

    Threads: that of the run, which alone writes.

    Args:
        path: the file; made, with its folder, where it is missing.
        is_looking: whether nothing will be written: then it must be there, and another run may have it.

    Raises:
        ConfigError: another run has it; or it is no ledger, or of another version.
        LedgerError: it cannot be opened.
    """

    def __init__(self, path: Path, *, is_looking: bool = False) -> None:
        self.path = path
        self._lock: int | None = None
        with failing(path):
            if not is_looking:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = _locked(path)
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            address = f"{path.absolute().as_uri()}?mode={'ro' if is_looking else 'rw'}"
            self.connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_S)
            try:
                self._prepare(is_looking=is_looking)
            except BaseException:
                self.close()
                raise

    @contextmanager
    def step(self) -> Iterator[None]:
        """Make what is written in the block one step: all of it is on disk afterwards, or nothing.

        Raises:
            LedgerError: it cannot be written; nothing is.
        """
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.run("ROLLBACK")
            raise

    def rows(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield what *query* finds, row by row.

        Raises:
            LedgerError: it cannot be read.
        """
        with failing(self.path):
            found = self.connection.execute(query, values)
        while True:
            with failing(self.path):
                batch = found.fetchmany(BATCH)
            if not batch:
                return
            yield from batch

    def row(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        """Return the first row that *query* finds, None where there is none."""
        with failing(self.path):
            found: tuple[Any, ...] | None = self.connection.execute(query, values).fetchone()
        return found

    def run(self, statement: str, *values: Any) -> int:
        """Run *statement*, within a step; return how many rows it changed.

        Raises:
            LedgerError: it cannot be written.
        """
        with failing(self.path):
            return self.connection.execute(statement, values).rowcount

    def run_many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run *statement* for each of *rows*, within a step.

        Raises:
            LedgerError: it cannot be written.
        """
        with failing(self.path):
            self.connection.executemany(statement, rows)

    def close(self) -> None:
        """Let it go."""
        self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare(self, *, is_looking: bool) -> None:
        self.connection.set_progress_handler(lambda: 0, HEED_STEPS)
        execute = self.connection.execute
        version = execute("PRAGMA user_version").fetchone()[0]
        is_new = not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version != VERSION and (is_looking or not is_new):
            raise ConfigError(f"{self.path} is no ledger of this version of casfs")
        execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if is_looking:
            return
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        if is_new:
            with self.step():
                for statement in filter(str.strip, _TABLES.split(";")):
                    execute(statement)
                execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def failing(path: Path) -> Iterator[None]:
    """Make a LedgerError of each failure of SQLite or the system, and a ConfigError of what is no ledger."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_INTERRUPT":  # a handler of a signal raised within a statement, which takes no exception
            raise KeyboardInterrupt from error
        if name == "SQLITE_NOTADB":
            raise ConfigError(f"{path} is no ledger") from error
        raise LedgerError(f"{path}: {error}") from error
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error


def _locked(path: Path) -> int:
    """Return the lock of a ledger, held."""
    lock = os.open(f"{os.path.realpath(path)}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigError(f"{path}: another run has this ledger") from None
    return lock
