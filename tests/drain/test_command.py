"""``casfs drain`` in a process of its own: what it asks, says, refuses and leaves when it is stopped."""

import json
import signal
import sqlite3
from pathlib import Path

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.state import State
from tests.drain.vaults import SECRET, VAULT, archives_of, serving, vault_of
from tests.mounting import COMMAND_LIMIT_S, casfs, environment, wait_until
from tests.providers import EVERY_PROVIDER

NAMES = [f"d-{number}" for number in range(6)]


def events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_dry_run_begins_nothing_and_says_what_makes_an_inventory(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        done = vault.drain("--dry-run")
        assert done.returncode == 1
        assert done.stderr == (
            f"casfs: there is no inventory; this makes one: casfs retrieve {vault.place} --inventory\n"
        )
        assert vault.requests("initiate_job") == 0

        done = vault.drain(yes=False)
        assert done.returncode == 1
        assert "nothing is begun without --yes" in done.stderr
        assert vault.requests("initiate_job") == 0


@EVERY_PROVIDER
def test_a_plan_is_told_before_anything_is_begun_and_nothing_is_without_a_yes(provider: str, tmp_path: Path) -> None:
    with serving(vault_of(provider, NAMES), provider, tmp_path) as vault:
        path = inventory_file(vault.folder, vault.state)
        done = vault.drain("--dry-run", "--inventory", path, "--json", "--ahead", "7K", "--only", "d-[0-4]")
        assert done.returncode == 0, done.stderr
        (plan,) = events(done.stdout)
        is_priced = provider == "glacier"
        assert (plan["event"], plan["archives"], plan["waves"]) == ("plan", 5, 3)
        assert plan["currency"] == ("USD" if is_priced else None)
        done = vault.drain("--dry-run")
        assert "to retrieve: 6 archives" in done.stdout, "a dry run keeps no choice"
        told = "USD for retrievals" if is_priced else "no price is published for this: 6 jobs"
        assert told in done.stdout
        done = vault.drain(yes=False)
        assert done.returncode == 1
        assert "to retrieve: 6 archives" in done.stdout
        assert "nothing is begun without --yes where there is no terminal" in done.stderr
        assert vault.requests("initiate_job") == 0

        prices = tmp_path / "prices.toml"
        prices.write_text(
            f'[{provider}]\ndate = "2026-11"\nsource = "us"\n[{provider}.{region(provider)}]\n'
            "Bulk = { per_1000 = 1000, per_gb = 0 }\nout_per_gb = 0\n"
        )
        done = vault.drain("--dry-run", "--prices", prices, "--json")
        assert events(done.stdout)[0]["cost"] == (6.0 if is_priced else None)


def region(provider: str) -> str:
    return "us-west-2" if provider == "glacier" else "ap-chengdu"


def inventory_file(folder: Path, state: State) -> Path:
    path = folder / "inventory.json"
    listed = [
        {"ArchiveId": each.id, "ArchiveDescription": each.description, "CreationDate": "2014-03-01T12:00:00.000Z",
         "Size": each.content.size, "SHA256TreeHash": each.tree.root}
        for each in archives_of(state).values()
    ]  # fmt: skip
    path.write_text(json.dumps({"ArchiveList": listed}))
    return path


def test_a_choice_is_kept_widened_and_not_narrowed(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        path = inventory_file(vault.folder, vault.state)
        assert vault.drain("--inventory", path, "--only", "d-[01]").returncode == 0
        vault.check(2)
        assert vault.retrievals() == 2
        done = vault.drain("--only", "d-[12]")
        assert done.returncode == 1
        assert "was begun with --only d-[01], and --only d-[12] leaves out 1 archives" in done.stderr
        assert vault.drain("--only", "d-[012]").returncode == 0
        vault.check(3)
        assert vault.drain("--newer", "2014-03-01", "--older", "2014-03-02").returncode == 0
        vault.check(6)
        assert vault.retrievals() == 6
        told = vault.status()
        assert (told["chosen"], told["missing"], told["retrievals"]) == (6, 0, 6)
        assert told["archives"]["done"] == 6


@pytest.mark.parametrize("choice", [("--only", "("), ("--newer", "soon"), ("--older", "2014-13-01")], ids=" ".join)
def test_a_choice_that_cannot_be_read_is_status_2_and_nobody_is_asked(choice: tuple[str, str], tmp_path: Path) -> None:
    done = casfs("drain", *choice, "http://127.0.0.1:9/-/v", tmp_path / "out", env=environment(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"{choice[0]}: '{choice[1]}' is no" in done.stderr


def test_names_may_be_ids_and_a_ledger_is_of_one_drain(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        assert vault.drain("--name", "id").returncode == 0
        vault.check()
        assert {line["path"] for line in vault.manifest()} == set(archives_of(vault.state))
        done = vault.drain("--name", "description")
        assert done.returncode == 1
        assert "its name is id, and not description" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_the_next_run_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    with serving(vault_of("cas", NAMES, size=3 << 20), "cas", tmp_path) as vault:
        vault.server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", times=None))
        path = inventory_file(vault.folder, vault.state)
        with vault.running("--inventory", path) as run:
            wait_until(lambda: vault.requests("get_job_output") > 0, "a download is on its way", COMMAND_LIMIT_S)
            second = vault.drain()
            assert second.returncode == 1
            assert "another run has this ledger" in second.stderr
            run.send_signal(number)
            _, error = run.communicate(timeout=COMMAND_LIMIT_S)
        assert run.returncode == 1
        assert error.endswith(
            f"casfs: stopped: 6 of 6 archives are missing, {total(vault.state)} bytes; run it again to go on\n"
        )
        vault.server.faults.clear()
        done = vault.drain()
        assert done.returncode == 0, done.stderr
        vault.check()
        assert vault.retrievals() == 6


def total(state: State) -> int:
    return sum(each.content.size for each in archives_of(state).values())


def test_what_is_missing_is_the_last_line_and_the_manifest_is_true(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        path = inventory_file(vault.folder, vault.state)
        lost = next(iter(archives_of(vault.state).values()))
        held = vault.state.vault(VAULT)
        assert held is not None
        del held.archives[lost.id]
        done = vault.drain("--inventory", path, "--json")
        assert done.returncode == 1
        assert events(done.stdout)[-1]["missing"] == 1
        assert done.stderr.startswith(f"casfs: 1 of 6 archives are missing, {lost.content.size} bytes: ")
        vault.check(5)


def test_a_ledger_lies_where_no_archive_goes(tmp_path: Path) -> None:
    with serving(vault_of("cas", ["ledger"]), "cas", tmp_path) as vault:
        (tmp_path / "link").symlink_to(vault.out)
        for ledger in (vault.out / "ledger", tmp_path / "link/deep/ledger"):
            done = vault.drain("--ledger", ledger)
            assert (done.returncode, done.stdout) == (2, "")
            assert "is in DESTINATION, where an archive may take its name" in done.stderr
        assert not vault.retrievals()


def test_no_secret_is_in_what_is_said_and_kept(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        done = vault.drain("--json")
        assert done.returncode == 0
        connection = sqlite3.connect(vault.ledger)
        dumped = "\n".join(connection.iterdump())
        connection.close()
        kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        for text in (done.stdout, done.stderr, dumped, *(data.decode("latin-1") for data in kept)):
            assert SECRET not in text
            assert "q-signature" not in text


def test_a_choice_of_which_nothing_was_begun_binds_nobody(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        assert vault.drain("--only", "d-9").returncode == 0  # the inventory is there now, and nothing else
        assert "nothing is begun without --yes" in vault.drain(yes=False).stderr
        done = vault.drain("--only", "d-[01]")
        assert done.returncode == 0, done.stderr
        vault.check(2)


def test_a_destination_that_takes_nothing_is_said_before_money_is_spent(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        vault.out.symlink_to(tmp_path / "nowhere")
        done = vault.drain()
        assert done.returncode == 1
        assert vault.retrievals() == 0
        vault.out.unlink()
        (vault.out / "MANIFEST.jsonl").mkdir(parents=True)
        assert "and it is no file" in vault.drain().stderr
        assert vault.retrievals() == 0


def test_a_destination_that_is_refused_leaves_no_ledger(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        done = vault.drain(to="nonsense://place")
        assert (done.returncode, vault.server.requests) == (1, [])
        assert not list(tmp_path.glob("ledger*"))


def test_a_run_that_a_signal_ends_leaves_a_manifest_of_what_is_there(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES, size=1 << 20), "cas", tmp_path) as vault:
        slow = list(archives_of(vault.state))[-1]
        vault.server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", archive=slow, times=None))
        with vault.running("--inventory", inventory_file(vault.folder, vault.state)) as run:
            wait_until(lambda: vault.status().get("missing") == 1, "the others are there, and noted", COMMAND_LIMIT_S)
            run.send_signal(signal.SIGTERM)
            _, error = run.communicate(timeout=COMMAND_LIMIT_S)
        assert (run.returncode, "1 of 6 archives are missing" in error) == (1, True)
        assert {line["path"] for line in vault.manifest()} == set(NAMES[:-1])
