"""The inventory of a vault from the service into a ledger, over a real socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import casfs
from casfs.drain.inventory.chain import Inventory, NoInventoryError
from casfs.drain.inventory.jobs import OURS
from casfs.drain.ledger.ledger import Ledger, Page
from casfs.drain.names import Naming
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.errors import CasfsError, ConfigError, GoneError, NotFoundError
from tests.conftest import Announce
from tests.drain.vaults import SECRET, VAULT, archives_of, vault_of
from tests.mounting import environment
from tests.providers import DIALECTS, EVERY_PROVIDER

PAGED = replace(DIALECTS["cas"], inventories=replace(DIALECTS["cas"].inventories, page=4))
Begun = list[Page]


class Scene:
    """A vault on a socket, and a ledger."""

    def __init__(self, server: Server, account: casfs.Account, folder: Path) -> None:
        self.server = server
        self.account = account
        self.ledger_path = folder / "ledger"
        self.notes: list[str] = []
        self.may_begin = True

    def enter(self, named: str | None = None) -> list[str]:
        """Have the inventory entered, and return the ids in the ledger."""
        with Ledger(self.ledger_path) as ledger:
            Inventory(
                self.account, VAULT, ledger, Naming.ID, 0.05, self._allow, self.notes.append
            ).enter(named)  # fmt: skip
            return sorted(archive.id for _, archive, _ in ledger.archives.described())

    def pages(self) -> list[Page]:
        with Ledger(self.ledger_path) as ledger:
            return ledger.pages()

    @property
    def ids(self) -> list[str]:
        return sorted(archives_of(self.server.state))

    def begun(self) -> int:
        """Return how many jobs were begun that list the vault."""
        vault = self.server.state.vault(VAULT)
        assert vault is not None
        return sum(job.action == "InventoryRetrieval" for job in vault.jobs.values())

    def _allow(self, page: Page) -> None:
        if not self.may_begin:
            raise NoInventoryError(f"no inventory, part {page.number}")


@contextmanager
def scene(folder: Path, monkeypatch: pytest.MonkeyPatch, provider: str = "cas", count: int = 10) -> Iterator[Scene]:
    for name, text in environment(folder, "id", SECRET).items():
        monkeypatch.setenv(name, text)
    state = vault_of(provider, [f"d-{number}" for number in range(count)], size=10)
    dialect = PAGED if provider == "cas" else DIALECTS[provider]
    with (
        Server(state, dialect=dialect, credentials={"id": SECRET}) as server,
        casfs.connect(server.url, provider=provider) as account,
    ):
        yield Scene(server, account, folder)


@EVERY_PROVIDER
def test_an_inventory_is_begun_waited_for_and_entered_part_after_part(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(tmp_path, monkeypatch, provider) as vault:
        assert vault.enter() == vault.ids
        parts = 3 if provider == "cas" else 1
        assert vault.begun() == parts
        assert [page.archives for page in vault.pages()] == ([4, 4, 2] if provider == "cas" else [10])
        vault.server.journal.clear()
        assert vault.enter() == vault.ids
        assert vault.server.requests == []


def test_parts_that_were_entered_are_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene(tmp_path, monkeypatch) as vault:
        vault.account.wait(VAULT, vault.account.retrieve_inventory(VAULT), None, 0.05)
        vault.may_begin = False
        with pytest.raises(NoInventoryError, match="part 2"):
            vault.enter()
        assert [page.archives for page in vault.pages()] == [4]
        vault.may_begin = True
        assert vault.enter() == vault.ids
        assert vault.begun() == 3


def test_a_part_whose_job_was_begun_before_a_kill_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(tmp_path, monkeypatch) as vault:
        assert vault.enter() == vault.ids
        vault.ledger_path.unlink()
        assert vault.enter() == vault.ids
        assert vault.begun() == 3


def test_what_lists_a_part_of_the_vault_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene(tmp_path, monkeypatch, "glacier") as vault:
        retrieve = vault.account.retrieve_inventory
        made = [retrieve(VAULT, limit=3), retrieve(VAULT, start_date="2020-01-01T00:00:00Z")]
        made += [retrieve(VAULT, end_date="2060-01-01T00:00:00Z")]
        for job in made:
            vault.account.wait(VAULT, job, None, 0.05)
        assert vault.enter() == vault.ids
        assert vault.begun() == 4
        vault.ledger_path.unlink()
        with pytest.raises(ConfigError, match="no whole inventory"):
            vault.enter(made[0])


def test_what_began_in_the_middle_and_lists_less_than_the_vault_has_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(tmp_path, monkeypatch) as vault:
        job = vault.account.retrieve_inventory(VAULT, marker=vault.ids[8])
        vault.account.wait(VAULT, job, None, 0.05)
        assert vault.enter() == vault.ids
        assert "lists 2 archives, and the vault has 10" in vault.notes[0]


def test_the_newest_of_others_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene(tmp_path, monkeypatch, "glacier") as vault:
        for form in ("JSON", "CSV"):
            vault.account.wait(VAULT, vault.account.retrieve_inventory(VAULT, form), None, 0.05)
        assert vault.enter() == vault.ids
        assert vault.begun() == 2


@pytest.mark.parametrize("form", ["JSON", "CSV"])
@EVERY_PROVIDER
def test_a_file_is_as_good_as_a_job(provider: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene(tmp_path, monkeypatch, provider, count=4) as vault:
        job = vault.account.retrieve_inventory(VAULT, form)
        vault.account.wait(VAULT, job, None, 0.05)
        data = vault.account.open(VAULT, job).read()
        path = tmp_path / "inventory"
        path.write_bytes(data[:-5])
        with pytest.raises(CasfsError, match="cut off"):
            vault.enter(str(path))
        path.write_bytes(data)
        assert vault.enter(str(path)) == vault.ids
        with pytest.raises(ConfigError, match="leave out --inventory"):
            vault.enter(job)


def test_an_inventory_that_does_not_come_as_its_hash_says_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, announce: Announce
) -> None:
    announce("SHA-256|mismatch|hash")
    with scene(tmp_path, monkeypatch, "glacier") as vault:
        job = vault.account.retrieve_inventory(VAULT)
        vault.account.wait(VAULT, job, None, 0.05)
        held = vault.server.state.vault(VAULT)
        assert held is not None
        held.jobs[job] = replace(held.jobs[job], overrides={"SHA256TreeHash": "0" * 64})
        with pytest.raises(CasfsError):
            vault.enter(job)
        assert vault.pages()[0].archives is None
        with Ledger(vault.ledger_path) as ledger:
            assert ledger.archives.count() == 0


def test_a_job_that_expires_or_fails_is_replaced_unless_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, announce: Announce
) -> None:
    announce("get_job_output")
    with scene(tmp_path, monkeypatch, "glacier") as vault:
        job = vault.account.retrieve_inventory(VAULT)
        vault.account.wait(VAULT, job, None, 0.05)
        vault.server.faults.add(Fault(kind=Kind.EXPIRE, operation="get_job_output", times=1))
        assert vault.enter() == vault.ids
        assert vault.begun() == 2
        vault.ledger_path.unlink()
        with pytest.raises((GoneError, NotFoundError)):
            vault.enter(job)


def test_jobs_of_a_drain_say_what_they_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene(tmp_path, monkeypatch) as vault:
        vault.enter()
        vault.account.forget()
        said = sorted(job.fields["JobDescription"] for job in vault.account.jobs(VAULT))
        assert [text[: len(OURS) + 1] for text in said] == [f"{OURS}{number}" for number in (1, 2, 3)]
