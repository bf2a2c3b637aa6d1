"""MANIFEST.jsonl of another drain: it stays, and so do its files, though both drains were told one destination."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.drain.archive import Archive
from casfs.drain.destinations.destination import LONGEST_LINE, Label
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import folder_at
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.manifest import Manifest
from casfs.drain.names import Naming
from casfs.emulator.content import InMemory
from casfs.errors import ConfigError
from tests.drain.destinations.contents import files_below
from tests.drain.simulation import Simulation, contents
from tests.drain.test_command import inventory_file
from tests.drain.vaults import VAULT, serving, vault_of
from tests.drain.whole_runs import run
from tests.mounting import COMMAND_LIMIT_S, wait_until

NAMES = ["db.dump", "only-here"]
SOME = contents(2)
FOLDERS: dict[str, Callable[[Path], str]] = {"folder": str, "URL": lambda path: f"local://{path}"}


class KilledError(Exception):
    """What nobody foresaw: it leaves what a kill does."""


def of_others(knows: Callable[[str], bool], text: bytes, folder: str) -> bool:
    """Say whether a manifest with this text is refused."""
    destination = folder_at(folder)
    with destination.part("MANIFEST.jsonl", "manifest") as part:
        part.write(memoryview(bytearray(text)))
        part.commit(Label())
    try:
        Manifest(destination).check_own(knows)
    except ConfigError as error:
        assert "tells of 1 archives that are not in the inventory" in str(error)  # noqa: PT017 - of some alone
        return True
    return False


@pytest.mark.parametrize("where", FOLDERS.values(), ids=FOLDERS)
def test_a_manifest_is_of_others_where_it_tells_of_an_archive_that_is_not_known(
    tmp_path: Path, where: Callable[[Path], str]
) -> None:
    folder = where(tmp_path)
    Manifest(folder_at(folder)).check_own("a".__eq__)  # there is none
    own, strange = b'{"archive_id": "a"}\n', b'{"archive_id": "b"}\n'
    assert of_others("a".__eq__, own + strange + own, folder)
    nonsense = b'x\n[]\n{}\n{"archive_id": 1}\n{"archive_id": "\\ud800"}\n' + b"[" * 100_000 + b"\n\xff\n"
    assert not of_others("a".__eq__, own + nonsense + b" " * LONGEST_LINE + b"x\n" + own, folder)


@pytest.mark.parametrize("where", FOLDERS.values(), ids=FOLDERS)
def test_word_that_archives_come_is_of_others_where_none_of_them_is_known(
    tmp_path: Path, where: Callable[[Path], str]
) -> None:
    manifest = Manifest(folder_at(where(tmp_path)))
    manifest.check_claim("a".__eq__)  # there is none
    manifest.claim(["x"])
    manifest.claim(["a", "b"])
    manifest.sweep()
    manifest.check_claim("b".__eq__)
    with pytest.raises(ConfigError, match=r"casfs-part\* tells of a drain of other archives"):
        manifest.check_claim("x".__eq__)
    manifest.disclaim()
    manifest.check_claim("x".__eq__)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", FOLDERS.values(), ids=FOLDERS)
def test_a_vault_goes_nowhere_where_the_first_run_of_another_one_was_killed(
    tmp_path: Path, where: Callable[[Path], str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    destination = folder_at(where(out))
    killed, other = Simulation(tmp_path, SOME, takes_ns=0), Simulation(tmp_path / "other", SOME)
    killed.enter()
    for name in SOME:
        killed.service.begin(name)
    with Ledger(other.ledger) as ledger, ledger.step():
        ledger.archives.add([Archive(f"other-{name}", name, "", 1, None) for name in SOME], Naming.DESCRIPTION)
        ledger.archives.finish()
        ledger.put("inventory", "2026-01-01")

    def kill(job: str) -> None:
        if "archive-001" in job:
            wait_until((out / "archive-000").exists, "the first one is there")
            raise KilledError

    killed.service.on_open = kill
    with Ledger(killed.ledger) as ledger, pytest.raises(KilledError):
        run(killed, ledger, destination)
    left = files_below(out)
    assert left["archive-000"] == SOME["archive-000"]
    assert "MANIFEST.jsonl" not in left

    for is_dry in (True, False):
        with Ledger(other.ledger) as ledger, pytest.raises(ConfigError, match="tells of a drain of other archives"):
            run(other, ledger, destination, is_dry=is_dry)
        assert files_below(out) == left
    killed.service.on_open = lambda _: None
    killed.ledger.unlink()
    killed.enter()
    with Ledger(killed.ledger) as ledger:
        run(killed, ledger, destination)
    assert set(files_below(out)) == {*SOME, "MANIFEST.jsonl"}


def test_a_link_in_place_of_a_manifest_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b'{"archive_id": "b"}\n')
    (tmp_path / "MANIFEST.jsonl").symlink_to("elsewhere")
    assert not list(LocalDestination(str(tmp_path)).lines("MANIFEST.jsonl"))


def test_a_vault_goes_nowhere_where_another_one_has_gone(tmp_path: Path) -> None:
    state = vault_of("cas", NAMES)
    with serving(state, "cas", tmp_path) as vault:
        assert vault.drain().returncode == 0
        state.add_vault("other", inventory_s=state.clock())
        state.add_archive("other", InMemory(b"other bytes"), NAMES[0])
        command = vault.command("--ledger", tmp_path / "of-other")
        other = [word.replace(f"/{VAULT}", "/other") for word in command]
        for options in ([], ["--dry-run"]):
            done = subprocess.run([*other, *options], env=vault.env, capture_output=True, text=True, check=False)
            assert (done.returncode, f"{vault.out}/MANIFEST.jsonl tells of 2 archives" in done.stderr) == (1, True)
        vault.check()


def test_a_manifest_that_another_drain_leaves_meanwhile_stays(tmp_path: Path) -> None:
    state, ahead_s = vault_of("cas", NAMES), [0.0]
    state.clock, state.job_takes_s = (lambda: time.time() + ahead_s[0]), 3600.0
    options = ("--inventory", inventory_file(tmp_path, state))
    with serving(state, "cas", tmp_path) as vault, vault.running(*options) as process:
        wait_until(lambda: vault.requests("initiate_job") == len(NAMES), "the archives are asked for")
        theirs = vault.out / "MANIFEST.jsonl"
        theirs.write_text('{"archive_id": "theirs"}\n')
        ahead_s[0] += 3601
        said = process.communicate(timeout=COMMAND_LIMIT_S)[1]
    assert (process.returncode, theirs.read_text()) == (1, '{"archive_id": "theirs"}\n'), said
    assert "tells of 1 archives" in said
