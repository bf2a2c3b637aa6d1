"""Vaults to be emptied, some of whose archives are described by enemies, and what is asked of their service."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from casfs.emulator.content import Generated
from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.glacier import glacier
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, Archive
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from casfs.emulator.state import State, StoredVault

MIB = 1 << 20
KEYS = ("AKIDofTheOneWhoDrains", "a-secret-that-nobody-may-ever-see-0123456789")
DIALECTS = {"cas": CAS, "glacier": glacier()}
HOSTILE = (
    "../../../outside",
    "/absolute/outside",
    "..",
    ".",
    "",
    "a/../../b",
    "MANIFEST.jsonl",
    ".casfs-part/part",
    "file/below/a/file",
    "file",
    "C:\\new\\..\\old",
    "nul\0 bell\a escape\x1b[31m delete\x7f",
    "line\nbreak\r\n",
    'quote " comma , \\"',
    "lone \ud800 and \udfff",
    "pair \U0001f4be",
    "caf\u00e9",
    "cafe\u0301",
    "twin",
    "twin",
    "TWIN",
    "\u202egpj.exe",
    "x" * 5000,
    "CON",
    "aux.txt/nul",
    "ends in a dot.",
    "~/.ssh/authorized_keys",
    "-rf",
    "$(reboot)`reboot`;reboot",
    "deep/" * 300 + "down",
)
"""Names that lead elsewhere, that are taken, that are none, that are the same, and that somebody's shell believes."""


@dataclass(frozen=True)
class Served:
    """A vault, and the service that has it.

    Attributes:
        provider: name of the service.
        server: that runs.
        vault: that is to be emptied.
    """

    provider: str
    server: Server
    vault: StoredVault

    @property
    def url(self) -> str:
        """Where the service answers."""
        return self.server.url

    @property
    def place(self) -> str:
        """The vault, as a command line names it."""
        return f"{self.server.url}/-/{self.vault.name}"

    @property
    def archives(self) -> Mapping[str, Archive]:
        """What is in the vault."""
        return self.vault.archives

    def paid(self) -> Counter[str]:
        """Return how often each archive was retrieved."""
        jobs = [job for job in self.vault.jobs.values() if job.action == ARCHIVE_RETRIEVAL]
        return Counter(job.retrieves.archive.id for job in jobs if job.retrieves and job.retrieves.archive)

    def inventories(self) -> int:
        """Return how many inventories were made."""
        return sum(job.action == INVENTORY_RETRIEVAL for job in self.vault.jobs.values())

    def downloads(self) -> Counter[str]:
        """Return how often the whole of each archive was sent, to somebody who was still there."""
        sent: dict[str, Counter[int]] = {}
        for record in self.server.journal.delivered():
            if record.operation == "get_job_output" and record.archive and record.status in (200, 206):
                blocks = sent.setdefault(record.archive, Counter())
                blocks.update(_blocks(record.range, self.archives[record.archive].content.size))
        sizes = {archive: self.archives[archive].content.size for archive in sent}
        return Counter({each: min(sent[each][at] for at in range(-(-sizes[each] // MIB))) for each in sent})


def _blocks(header: str | None, size: int) -> range:
    """Return the blocks that lie in what was sent."""
    first, _, last = header.removeprefix("bytes=").partition("-") if header else ("0", "", "")
    stop = min(int(last) + 1, size) if last else size
    return range(-(-int(first) // MIB), stop // MIB if stop < size else -(-size // MIB))


@contextmanager
def served(
    provider: str,
    count: int,
    *,
    hostile: int = len(HOSTILE),
    page: int | None = None,
    shaping: Shaping = Shaping(),  # noqa: B008 - a frozen value
) -> Iterator[Served]:
    """Serve a vault of *count* archives, the first of them described by enemies, in inventories of *page*."""
    dialect = _paged(DIALECTS[provider], page)
    state = State(region=dialect.region, account=dialect.account, job_takes_s=0.1)
    vault = state.add_vault("vault", inventory_s=state.clock())
    for number in range(count):
        described = HOSTILE[number] if number < min(hostile, len(HOSTILE)) else f"folder {number % 7}/file {number}.bin"
        state.add_archive(
            "vault",
            Generated(size_of(number), seed=number),
            described,
            archive_id=state.fresh_id(dialect.archive_id_length),
            created_s=1.5e9 + number,
        )
    with Server(state, dialect=dialect, credentials=dict([KEYS]), shaping=shaping) as server:
        yield Served(provider, server, vault)


def size_of(number: int) -> int:
    """Return how large the archive of a number is: most are small, some have several blocks, and a rest."""
    usual = (1, 17_000, 65_537, 130_000, 200_001)
    return {5: MIB, 6: MIB + 1, 7: 3 * MIB + 7, 40: 5 * MIB, 41: 12 * MIB + 12_345}.get(number, usual[number % 5])


def _paged(dialect: Dialect, page: int | None) -> Dialect:
    return dialect if page is None else replace(dialect, inventories=replace(dialect.inventories, page=page))
