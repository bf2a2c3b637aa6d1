"""Plain folders served as vaults."""

import os
from pathlib import Path

import pytest

from casfs.emulator.folders import state_of
from casfs.emulator.server import Server
from tests.emulator.client import MIB, Client, tree_hash

FILES = {"a.bin": os.urandom(MIB + 5), "sub/b c.txt": b"text", "sub/-d": b"-"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        path = tmp_path / "vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "vault" / "empty file").touch()
    (tmp_path / "empty vault").mkdir()
    (tmp_path / "no vault").write_bytes(b"")
    return tmp_path


def test_folders_are_vaults_and_files_are_archives_that_have_been_retrieved(root: Path) -> None:
    with Server(state_of(root)) as server, Client(server.url) as client:
        vaults = client.get("/-/vaults").json["VaultList"]
        assert [vault["VaultName"] for vault in vaults] == ["empty vault", "vault"]
        jobs = client.get("/-/vaults/vault/jobs").json["JobList"]
        retrieved = {job["JobDescription"]: job for job in jobs if job["Action"] == "ArchiveRetrieval"}
        assert retrieved.keys() == FILES.keys()
        for name, data in FILES.items():
            reply = client.get(f"/-/vaults/vault/jobs/{retrieved[name]['JobId']}/output")
            assert (reply.body, retrieved[name]["SHA256TreeHash"]) == (data, tree_hash(data))


def test_names_that_are_no_text_are_archives_too(root: Path) -> None:
    (root / "vault" / os.fsdecode(b"caf\xe9")).write_bytes(b"coffee")
    vault = state_of(root).vault("vault")
    assert vault is not None
    (found,) = {archive.description for archive in vault.archives.values()} - FILES.keys()
    assert found == "caf\udce9"


def test_each_vault_has_an_inventory_of_its_files(root: Path) -> None:
    with Server(state_of(root)) as server, Client(server.url) as client:
        for vault, names in (("vault", set(FILES)), ("empty%20vault", set())):
            jobs = client.get(f"/-/vaults/{vault}/jobs").json["JobList"]
            (job,) = [job for job in jobs if job["Action"] == "InventoryRetrieval"]
            listed = client.get(f"/-/vaults/{vault}/jobs/{job['JobId']}/output").json["ArchiveList"]
            assert {archive["ArchiveDescription"] for archive in listed} == names


def test_ids_are_the_same_after_a_restart_until_the_file_changes(root: Path) -> None:
    def ids() -> set[str]:
        vault = state_of(root).vault("vault")
        assert vault is not None
        return set(vault.job_ids)

    before = ids()
    assert ids() == before
    (root / "vault" / "a.bin").write_bytes(b"changed")
    assert len(ids() & before) == len(before) - 1
