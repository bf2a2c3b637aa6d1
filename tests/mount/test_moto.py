"""A mount over moto's server, set up by boto3: neither was written here, and moto is wrong in ways worth surviving."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("moto", reason="moto is not installed")

import boto3

from tests import moto_server
from tests.mounting import casfs, environment, names, processes_of, wait_until

pytestmark = pytest.mark.fuse

MIB = 1 << 20
BYTES = (bytes(range(251)) * (1 << 14))[: 3 * MIB + 7]
DESCRIPTION = 'the "long" cut, 2'
WRONG_SIZE = 10_000
"""InventorySizeInBytes of every job of moto, whatever the truth."""


@dataclass(frozen=True)
class Moto:
    """What boto3 has put into the server.

    Attributes:
        url: where it answers.
        archive: id of the job that retrieved the archive.
        inventory: id of the job that retrieved the inventory.
        client: boto3's.
    """

    url: str
    archive: str
    inventory: str
    client: Any


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with moto_server.running() as url:
        keys = {"aws_access_key_id": "id", "aws_secret_access_key": "key"}
        client = boto3.client("glacier", region_name="us-west-2", endpoint_url=url, **keys)
        client.create_vault(vaultName="vault")
        archive_id = client.upload_archive(vaultName="vault", archiveDescription=DESCRIPTION, body=BYTES)["archiveId"]
        archive = retrieved(client, {"Type": "archive-retrieval", "ArchiveId": archive_id, "Tier": "Expedited"})
        inventory = retrieved(client, {"Type": "inventory-retrieval", "Tier": "Expedited"})
        wait_until(lambda: all(is_done(client, job) for job in (archive, inventory)), "moto's jobs succeed")
        yield Moto(url, archive, inventory, client)


def retrieved(client: Any, parameters: dict[str, str]) -> str:
    return str(client.initiate_job(vaultName="vault", jobParameters=parameters)["jobId"])


def is_done(client: Any, job: str) -> bool:
    time.sleep(0.1)
    return bool(client.describe_job(vaultName="vault", jobId=job)["Completed"])


@pytest.fixture
def vault(moto: Moto, path: Path, tmp_path: Path) -> Path:
    """Mount the server anew, and return the directory of the vault."""
    done = casfs("mount", "--provider", "glacier", moto.url, path, env=environment(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    return path / "vault"


def test_vault_and_jobs_are_there(vault: Path, moto: Moto) -> None:
    assert names(vault) == sorted((moto.archive, moto.inventory))


def test_a_size_that_moto_does_not_tell_is_right_in_the_first_stat(vault: Path, moto: Moto) -> None:
    described = moto.client.describe_job(vaultName="vault", jobId=moto.archive)
    assert (described["ArchiveSizeInBytes"], described.get("RetrievalByteRange")) == (0, None)
    assert (vault / moto.archive / "output").stat().st_size == len(BYTES)


def test_a_size_that_moto_tells_wrong_is_right_once_the_file_is_open(vault: Path, moto: Moto) -> None:
    described = moto.client.describe_job(vaultName="vault", jobId=moto.inventory)
    assert described["InventorySizeInBytes"] == WRONG_SIZE
    output = vault / moto.inventory / "output"
    with output.open("rb") as fh:
        content = fh.read()
    assert output.stat().st_size == len(content) < WRONG_SIZE
    inventory = json.loads(content)
    assert [(each["ArchiveDescription"], each["Size"]) for each in inventory["ArchiveList"]] == [
        (DESCRIPTION, len(BYTES))
    ]


PROGRAMS = {
    "cat": ["sh", "-c", 'cat "$0" > "$1"'],
    "cp": ["cp"],
    "dd": ["sh", "-c", 'dd if="$0" of="$1" bs=100K status=none'],
    "rsync": ["rsync", "-c"],
    "tar": ["sh", "-c", 'tar -cC "${0%/*}" output | tar -xO > "$1"'],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_copy_is_whole_though_moto_ignores_range_and_tells_sizes_wrong(
    program: str, vault: Path, moto: Moto, tmp_path: Path
) -> None:
    check_copies(program, vault, moto, tmp_path)


def test_a_copy_after_a_stat_that_was_wrong_is_whole(vault: Path, moto: Moto, tmp_path: Path) -> None:
    """The copy_file_range of cp stops at the size that the kernel remembers."""
    assert (vault / moto.inventory / "output").stat().st_size == WRONG_SIZE
    check_copies("cp", vault, moto, tmp_path)


def check_copies(program: str, vault: Path, moto: Moto, into: Path) -> None:
    for job in (moto.archive, moto.inventory):
        subprocess.run([*PROGRAMS[program], vault / job / "output", into / job], check=True, timeout=120)
    assert (into / moto.archive).read_bytes() == BYTES
    listed = json.loads((into / moto.inventory).read_bytes())["ArchiveList"]
    assert [archive["ArchiveDescription"] for archive in listed] == [DESCRIPTION]


def test_parts_are_cut_out_of_the_whole_that_moto_sends(vault: Path, moto: Moto) -> None:
    with (vault / moto.archive / "output").open("rb") as fh:
        for offset in (2 * MIB + 5, 7, 3 * MIB):
            fh.seek(offset)
            assert fh.read(100) == BYTES[offset : offset + 100]


def test_a_tree_is_copied_and_then_there_is_nothing_to_do(vault: Path, tmp_path: Path) -> None:
    moved = [
        subprocess.run(
            ["rsync", "-a", "--out-format=%n", f"{vault}/", tmp_path / "copy"],
            check=True, timeout=120, capture_output=True, text=True,
        ).stdout
        for _ in range(3)
    ]  # fmt: skip
    assert moved[0].count("output") == 2
    assert moved[1:] == ["./\n", ""], "the time of the vault is known once its jobs were listed"


def test_an_unknown_vault_is_no_such_file(vault: Path) -> None:
    assert not (vault.parent / "nothing").exists()
    assert processes_of(vault.parent)
