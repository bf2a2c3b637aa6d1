"""Sample vaults that show every kind of job: what ``casfs demo`` mounts.

photos    archives whole and in parts: aligned, unaligned to the tree, the tail; one job about to expire
ledger    inventories as JSON and CSV, a job in progress, a failed one, jobs that have no output
empty     a vault without archives or jobs
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

from casfs.emulator.content import Generated, InMemory, StoredContent
from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.initiation import part
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import (
    ARCHIVE_RETRIEVAL,
    INVENTORY_RETRIEVAL,
    PULL_FROM_COS,
    PUSH_TO_COS,
    SELECT,
    Archive,
    Json,
    StoredOutput,
)
from casfs.emulator.state import DAY_S, Clock, State, StoredVault, id_of

MIB = 1 << 20
HOUR_S = 3600.0
LETTER = "".join(f"Line {number} of a letter that has been in the archive for a while.\n" for number in range(1, 1001))
BYTE_RANGES = {
    "aligned": f"{2 * MIB}-{4 * MIB - 1}",
    "no node of the tree": f"{MIB}-{4 * MIB - 1}",
    "tail": f"{4 * MIB}-{6 * MIB + MIB // 2 - 1}",
}
"""Parts of an archive of 6.5 MiB, which has seven leaves."""
STANDARD: dict[str, Json] = {"Tier": "Standard"}
OBJECT: dict[str, Json] = {
    "Bucket": "backup-1250000000.cos.ap-chengdu.myqcloud.com",
    "Object": "letters/letter.txt",
    "Condition": dict.fromkeys(("If-Modified-Since", "If-Umodified-Since", "If-Match", "If-None-Match")),
}


class _More(TypedDict, total=False):
    job_id: str
    created_s: float
    takes_s: float
    failure: str
    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """A vault that is being filled, as its service does it."""

    state: State
    vault: StoredVault
    dialect: Dialect

    def archive(self, content: StoredContent, description: str) -> Archive:
        """Put an archive there."""
        fresh = self.state.fresh_id(self.dialect.archive_id_length)
        return self.state.add_archive(self.vault.name, content, description, archive_id=fresh)

    def id_of(self, *of: object) -> str:
        """Return the id that a job has for what it is."""
        return id_of(self.dialect.job_id_length, *of)

    def job(self, action: str, description: str, retrieves: StoredOutput, **more: Unpack[_More]) -> None:
        """Add a job that began an hour ago, with an id that follows from what it is, unless told otherwise."""
        usual: _More = {
            "job_id": self.id_of(self.vault.name, description),
            "created_s": self.state.clock() - HOUR_S,
        }
        self.state.add_job(self.vault.name, action, retrieves, description=description, **(usual | more))

    def retrieval(self, description: str, retrieves: StoredOutput, **more: Unpack[_More]) -> None:
        """Add a job that retrieves an archive."""
        usual: _More = {"fields": STANDARD}
        self.job(ARCHIVE_RETRIEVAL, description, retrieves, **(usual | more))


def sample_state(clock: Clock = time.time, dialect: Dialect = CAS) -> State:
    """Return an account that holds the sample vaults; the same names, ids and bytes on every call."""
    state = State(clock=clock, region=dialect.region, account=dialect.account)
    state.add_vault("empty")
    _photos(_Shelf(state, state.add_vault("photos", inventory_s=clock() - HOUR_S), dialect))
    _ledger(_Shelf(state, state.add_vault("ledger", inventory_s=clock() - HOUR_S), dialect))
    return state


def _photos(shelf: _Shelf) -> None:
    album = shelf.archive(Generated(6 * MIB + MIB // 2, seed=1), "album.tar")
    film = shelf.archive(Generated(64 * MIB, seed=2), 'film, the "long" cut.mkv')
    shelf.retrieval("album", part(album))
    for name, byte_range in BYTE_RANGES.items():
        shelf.retrieval(f"album, {name}", part(album, byte_range))
    shelf.retrieval("film", part(film), job_id="-" + shelf.id_of("film")[:-1])
    began_s = shelf.state.clock() - DAY_S + HOUR_S / 4
    shelf.retrieval("expires in a quarter of an hour", part(album), created_s=began_s)


def _ledger(shelf: _Shelf) -> None:
    letter = part(shelf.archive(InMemory(LETTER.encode()), "letter.txt"))
    for form in ("JSON", "CSV"):
        listed, fields = inventory(shelf.vault, shelf.state, shelf.dialect, form=form)
        shelf.job(INVENTORY_RETRIEVAL, f"inventory as {form}", listed, fields=fields)
    shelf.retrieval("letter", letter)
    shelf.retrieval("in progress", letter, takes_s=4 * HOUR_S)
    shelf.retrieval("failed", letter, failure="The archive cannot be read.")
    without_output = {
        PUSH_TO_COS: ("to COS", OBJECT | STANDARD),
        PULL_FROM_COS: ("from COS", OBJECT | {"ArchiveDescription": "letter.txt"}),
        SELECT: ("some lines", STANDARD),
    }
    for action in without_output.keys() & shelf.dialect.job_fields.keys():
        description, fields = without_output[action]
        shelf.job(action, description, letter, fields=fields)
