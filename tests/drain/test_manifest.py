"""MANIFEST.jsonl of another drain: it stays, and so do its files, though both drains were told one destination."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.drain.destinations.destination import LONGEST_LINE, Label
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import folder_at
from casfs.drain.manifest import Manifest
from casfs.emulator.content import InMemory
from casfs.errors import ConfigError
from tests.drain.test_command import inventory_file
from tests.drain.vaults import VAULT, serving, vault_of
from tests.mounting import COMMAND_LIMIT_S, wait_until

NAMES = ["db.dump", "only-here"]
FOLDERS: dict[str, Callable[[Path], str]] = {"folder": str, "URL": lambda path: f"local://{path}"}


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
