"""The ledger of one drain: of one vault into one destination."""

import hashlib
import json
import os
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from casfs.drain.ledger.archives import Archives
from casfs.drain.ledger.database import Database
from casfs.drain.ledger.doubts import Doubts
from casfs.drain.ledger.retrievals import Retrievals
from casfs.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the inventory, as one job lists it.

    Attributes:
        number: which one, from 1 on.
        marker: where it begins; "" for the first one.
        job: that lists it, or the file.
        following: where the next one begins; None for the last one.
        archives: how many it has; None until it was entered.
        made: InventoryDate or when the job was begun, as text.
    """

    number: int
    marker: str
    job: str
    following: str | None = None
    archives: int | None = None
    made: str = ""


class Ledger:
    """The truth about what was done.

    Attributes:
        path: its file.
        archives: what the vault holds.
        retrievals: jobs that were begun.
        doubts: what is done and was not found as it was.

    Threads: that of the run, which alone writes.
    """

    def __init__(self, path: Path, *, is_looking: bool = False) -> None:
        self.path = path
        self._database = Database(path, is_looking=is_looking)
        self.archives = Archives(self._database)
        self.retrievals = Retrievals(self._database)
        self.doubts = Doubts(self._database)

    def __enter__(self) -> Self:
        """Return this ledger, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._database.close()

    def step(self) -> AbstractContextManager[None]:
        """Make what is written in the block one step: all of it is on disk afterwards, or nothing.

        Raises:
            LedgerError: it cannot be written; nothing is.
        """
        return self._database.step()

    def get(self, key: str) -> Any:
        """Return what is noted under *key*, None where nothing is."""
        row = self._database.row("SELECT value FROM meta WHERE key = ?", key)
        return json.loads(row[0]) if row else None

    def put(self, key: str, value: object) -> None:
        """Note *value* under *key*; within a step."""
        self._database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, json.dumps(value))

    def belong(self, **whose: str) -> None:
        """Note whose ledger this is, if it is new.

        Raises:
            ConfigError: it is another one's.
        """
        for key, value in whose.items():
            noted = self.get(key)
            if noted is None:
                with self.step():
                    self.put(key, value)
            elif noted != value:
                raise ConfigError(f"{self.path} is the ledger of another drain: its {key} is {noted}, and not {value}")

    def pages(self) -> list[Page]:
        """Return the parts of the inventory that are known, in order."""
        query = "SELECT number, marker, job, following, archives, made FROM page ORDER BY number"
        return [Page(*row) for row in self._database.rows(query)]

    def put_page(self, page: Page) -> None:
        """Note a part of the inventory; within a step."""
        self._database.run(
            "INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?, ?, ?)",
            page.number, page.marker, page.job, page.following, page.archives, page.made,
        )  # fmt: skip

    def drop_page(self, number: int) -> None:
        """Forget a part of the inventory that was not entered; within a step."""
        self._database.run("DELETE FROM page WHERE number = ? AND archives IS NULL", number)

    def forget_inventory(self) -> None:
        """Forget the parts of an inventory that was not entered to its end."""
        with self.step():
            self._database.run("DELETE FROM page")
            self._database.run("DELETE FROM archive")

    @property
    def is_entered(self) -> bool:
        """Whether all of the inventory is in it."""
        return bool(self.get("inventory"))


def default_path(vault: str, whose: str, home: Path | None) -> Path:
    """Return where the ledger of a drain is if nobody says.

    Args:
        vault: name of the vault.
        whose: what tells drains apart.
        home: of the user, None for one without.

    Raises:
        ConfigError: the user has no place for state.
    """
    # What is relative would depend on the working directory. Source: XDG Base Directory Specification 0.8.
    named = Path(os.environ.get("XDG_STATE_HOME") or "")
    if not named.is_absolute():
        if home is None:
            raise ConfigError("there is no home for a ledger: name one with --ledger FILE")
        named = home / ".local" / "state"
    digest = hashlib.sha256(whose.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return named / "casfs" / "drain" / f"{re.sub('[^A-Za-z0-9_-]', '_', vault)[:100]}-{digest}.ledger"
