"""What was put somewhere and is not there any more: the next run misses it, says so, and has it brought again."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from casfs.drain.archive import State
from casfs.drain.destinations.destination import Found
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.presence import Lost, Presence
from casfs.drain.way import Download
from tests.drain.simulation import HOUR, Simulation, contents
from tests.drain.test_command import NAMES, events, inventory_file
from tests.drain.vaults import VAULT, Vault, serving, vault_of
from tests.mounting import COMMAND_LIMIT_S, wait_until


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def lead_elsewhere(path: Path) -> None:
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


def be_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


WAYS: tuple[Callable[[Path], object], ...] = (Path.unlink, cut, lead_elsewhere)


def test_a_finished_drain_misses_what_is_gone_and_has_it_brought_from_the_jobs_that_there_are(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        assert vault.drain("--inventory", inventory_file(tmp_path, vault.state)).returncode == 0
        for name, spoil in zip(NAMES, WAYS, strict=False):
            spoil(vault.out / name)
        told = vault.status()
        assert (told["missing"], told["archives"]["done"], told["archives"]["new"]) == (3, 3, 3)

        said, dry = events(vault.drain("--dry-run", "--json").stdout)
        assert str(said["text"]).startswith("3 archives, ")
        assert (dry["archives"], dry["under_way"], dry["done"]) == (0, 3, 3), "a dry run says what a run will"
        refused = vault.drain("--json", yes=False)
        assert refused.returncode == 1
        (plan,) = events(refused.stdout)
        assert (plan["archives"], plan["under_way"], plan["done"]) == (0, 3, 3), "jobs bring them, at no price"
        assert {line["path"] for line in vault.manifest()} == set(NAMES[3:]), "the manifest is true meanwhile"

        (vault.out / NAMES[2]).with_suffix(".elsewhere").unlink()
        assert vault.drain().returncode == 0
        vault.check()
        assert vault.retrievals() == len(NAMES)


def test_what_goes_away_while_others_are_waited_for_is_missing_in_the_end(tmp_path: Path) -> None:
    """As from a disk that is gone, or by a program that tidies up, in the hours that a wave takes."""
    state, ahead_s = vault_of("cas", ["one", "two"]), [0.0]
    state.clock, state.job_takes_s = (lambda: time.time() + ahead_s[0]), 3600.0
    options = ("--inventory", inventory_file(tmp_path, state), "--ahead", "1")
    with serving(state, "cas", tmp_path) as vault:
        with vault.running(*options) as process:
            wait_until(lambda: vault.requests("initiate_job") == 1, "the first is asked for")
            ahead_s[0] += 3601
            wait_until(lambda: vault.requests("initiate_job") == 2, "the second is asked for")
            (first,) = (vault.out / name for name in ("one", "two") if (vault.out / name).exists())
            first.unlink()
            ahead_s[0] += 3601
            said = process.communicate(timeout=COMMAND_LIMIT_S)[1]
        assert process.returncode == 1
        last = said.splitlines()[-1]
        assert last.startswith("casfs: 1 of 2 archives are missing, ")
        assert last.endswith(" bytes: run it again to go on")
        assert first.name not in {line["path"] for line in vault.manifest()}, "the manifest is true"
        assert vault.drain(*options).returncode == 0
        vault.check()
        assert vault.retrievals() == 2


def test_what_is_changed_in_the_second_in_which_it_was_verified_is_read_again(tmp_path: Path) -> None:
    """As by a program that runs right behind the drain: brought, found to be there, and read again for a change."""
    with serving(vault_of("cas", ["one"]), "cas", tmp_path) as vault:
        file = vault.out / "one"
        for options in ([], ["--ledger", tmp_path / "another"]):
            assert vault.drain(*options).returncode == 0
            file.write_bytes(bytes(file.stat().st_size))
            assert vault.drain(*options).returncode == 0
            vault.check()
        file.touch()
        assert vault.drain().returncode == 0
        file.write_bytes(bytes(file.stat().st_size))
        assert vault.drain().returncode == 0
        vault.check()


def test_what_no_job_brings_again_is_priced_before_and_retrieved_once_more(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        assert vault.drain("--inventory", inventory_file(tmp_path, vault.state)).returncode == 0
        expire(vault)
        (vault.out / NAMES[0]).unlink()
        (plan,) = (each for each in events(vault.drain("--dry-run", "--json").stdout) if each["event"] == "plan")
        assert (plan["archives"], plan["done"]) == (1, 5)
        assert vault.status()["missing"] == 1
        assert vault.drain("--attempts", 1).returncode == 1, "attempts count over all runs"
        assert len(vault.manifest()) == len(NAMES) - 1
        assert vault.drain().returncode == 0
        vault.check()
        assert vault.retrievals() == len(NAMES) + 1

        (vault.out / "MANIFEST.jsonl").unlink()
        vault.server.journal.clear()
        assert vault.drain().returncode == 0
        assert vault.requests("initiate_job") + vault.requests("get_job_output") == 0
        vault.check()


def expire(vault: Vault) -> None:
    held = vault.state.vault(VAULT)
    assert held is not None
    for id_ in list(held.jobs):
        vault.state.expire(VAULT, id_)


def test_what_was_changed_at_the_same_length_is_read_again(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        assert vault.drain("--inventory", inventory_file(tmp_path, vault.state)).returncode == 0
        noted_long_ago(vault)
        changed = vault.out / NAMES[0]
        before = changed.stat()
        changed.write_bytes(bytes(before.st_size))
        os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
        told = (vault.out / "MANIFEST.jsonl").read_text("utf-8")
        (vault.out / "MANIFEST.jsonl").write_text(told.replace("path", "htap"), "utf-8")
        done = vault.drain()
        assert done.returncode == 0, done.stderr
        assert "6 archives, 18021 bytes, were changed since they were verified: reading" in done.stderr
        assert "1 archives, 3001 bytes, were there, and are not any more" in done.stderr
        vault.check()
        assert vault.retrievals() == len(NAMES), "the job that lives brings it"

        assert vault.drain().stderr == "", "what was read again is verified"


def noted_long_ago(vault: Vault) -> None:
    """Have all of it verified a year before: what is as it was is found to be so by reading it."""
    with closing(sqlite3.connect(vault.ledger, isolation_level=None)) as ledger:
        ledger.execute("UPDATE archive SET verified_at = '2025-01-01T00:00:00Z'")
        ledger.execute("UPDATE meta SET value = '1735689600' WHERE key = 'manifest_at'")


def test_a_disk_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        assert vault.drain("--inventory", inventory_file(tmp_path, vault.state)).returncode == 0
        vault.out.rename(tmp_path / "unmounted")
        vault.out.mkdir()
        expire(vault)
        done = vault.drain()
        assert (done.returncode, vault.retrievals()) == (1, len(NAMES))
        assert "nothing is there of the 6 archives that were put there" in done.stderr
        vault.out.rmdir()
        (tmp_path / "unmounted").rename(vault.out)
        vault.server.journal.clear()
        assert vault.drain().returncode == 0
        assert vault.requests("initiate_job") == 0
        vault.check()


@pytest.mark.parametrize("spoil", [*WAYS, be_a_folder])
def test_the_hash_of_what_is_lost_is_the_jobs_again(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    drain = Simulation(tmp_path, contents(3))
    drain.enter(hashes=False)
    assert drain.run() == {State.DONE: 3}
    drain.service.now_ns += 48 * HOUR
    spoil(drain.out / "archive-001")
    with Ledger(drain.ledger) as ledger:
        lost = presence(ledger, drain).check(is_empty=lambda: False)
        assert lost == Lost(1, 1001, is_all=False)
        assert list(ledger.archives.sizes(3)) == [1001]
        assert len(list(ledger.archives.manifest())) == 2
        assert presence(ledger, drain).check(is_empty=lambda: False) == Lost(0, 0, is_all=False)
    if spoil is not be_a_folder:
        assert drain.run() == {State.DONE: 3}
        assert drain.service.begun.count("archive-001") == 2
        with Ledger(drain.ledger) as ledger:
            assert {line["hash_from"] for line in ledger.archives.manifest()} == {"job"}


class Forgetful(LocalDestination):
    """Does not list, in its first looks, what it has; as a store may whose listings lag behind."""

    def __init__(self, root: str, *listed: int) -> None:
        super().__init__(root)
        self.looks = list[int]()
        self.listed = list(listed)

    def look(self, paths: Iterable[str]) -> Iterator[Found | None]:
        found = list(super().look(paths))
        self.looks.append(len(found))
        listed = self.listed.pop(0) if self.listed else len(found)
        return iter(found[:listed] + [None] * (len(found) - listed))


@pytest.mark.parametrize("listed", [0, 2])
def test_what_one_look_misses_and_the_next_one_finds_is_there(tmp_path: Path, listed: int) -> None:
    drain = Simulation(tmp_path, contents(3))
    assert drain.run() == {State.DONE: 3}
    forgetful = Forgetful(str(drain.out), listed)
    with Ledger(drain.ledger) as ledger:
        lost = presence(ledger, drain, forgetful).check(is_empty=lambda: True)
        assert (lost, forgetful.looks) == (Lost(0, 0, is_all=False), [3, 3 - listed])
        assert len(list(ledger.archives.manifest())) == 3


def test_all_is_looked_at_once_whatever_is_lost_or_changed(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(5))
    assert drain.run() == {State.DONE: 5}
    (drain.out / "archive-000").unlink()
    (drain.out / "archive-001").write_bytes(bytes(1001))
    forgetful = Forgetful(str(drain.out))
    with Ledger(drain.ledger) as ledger:
        found = presence(ledger, drain, forgetful)
        assert found.check(is_empty=lambda: False) == Lost(2, 2001, is_all=False)
        assert forgetful.looks == [5, 1], "what is missed is looked for again, and nothing else"
        assert {line["path"] for line in ledger.archives.manifest()} == {f"archive-{number:03}" for number in (2, 3, 4)}


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
@pytest.mark.parametrize("hashes", [True, False])
def test_what_no_file_can_replace_costs_no_retrieval(
    tmp_path: Path,
    make: Callable[[Path], None],
    hashes: bool,  # noqa: FBT001
) -> None:
    drain = Simulation(tmp_path, contents(3))
    drain.enter(hashes=hashes)
    drain.out.mkdir()
    make(drain.out / "archive-001")
    assert drain.run() == {State.DONE: 2, State.FAILED: 1}
    assert drain.service.begun == ["archive-000", "archive-002"]
    assert drain.reasons() == [f"{drain.out}/archive-001: there is something, and it is no file"]


def presence(ledger: Ledger, drain: Simulation, destination: LocalDestination | None = None) -> Presence:
    way = Download(drain.service, "v", destination or drain.destination, "Bulk")
    return Presence(ledger, way, lambda: drain.service.each_job("v"), list[str]().append, lambda: drain.service.now_ns)
