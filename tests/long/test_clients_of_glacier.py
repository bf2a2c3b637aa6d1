"""``casfs emulate --provider glacier`` as AWS' own clients see it: boto3, the command line, the SDK for JavaScript.

Each goes the way of a retrieval: a vault is made, an archive uploaded, a job begun, listed and described, its output
read whole and in ranges, and every checksum compared with one that is computed here or by the client.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.client import MIB, tree_hash
from tests.long.tools import INSTALL_S, aws_cli, node_modules
from tests.mounting import environment

pytestmark = [pytest.mark.long, pytest.mark.timeout(2 * INSTALL_S)]

BYTES = (bytes(range(251)) * (1 << 14))[: 3 * MIB + 7]
COMMAND_S = 120
"""More than any client takes for what it does here."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Run the service; gives the environment that it says opens it, with its address as ENDPOINT."""
    command = [sys.executable, "-m", "casfs", "emulate", "--provider", "glacier", "--job-time", "0"]
    env = environment(tmp_path)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        export, mount = process.stdout.readline(), process.stdout.readline()
        told = dict(word.split("=", 1) for word in export.split()[1:])
        try:
            yield env | told | {"ENDPOINT": mount.split()[-2]}
        finally:
            process.kill()


RANGES = {"a node of the tree": (0, 2 * MIB - 1), "the tail": (2 * MIB, len(BYTES) - 1), "no node": (MIB, 3 * MIB - 1)}


def checksum_of(first: int, last: int) -> str | None:
    """Return the checksum that goes with a range of BYTES, None for one that is no node of the tree."""
    return None if (first, last) == RANGES["no node"] else tree_hash(BYTES[first : last + 1])


def test_boto3_goes_the_whole_way(service: dict[str, str]) -> None:
    client = pytest.importorskip("boto3", reason="boto3 is not installed").client(
        "glacier",
        endpoint_url=service["ENDPOINT"],
        region_name=service["AWS_DEFAULT_REGION"],
        aws_access_key_id=service["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=service["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_vault(vaultName="python")
    archive = client.upload_archive(vaultName="python", body=BYTES)
    wish = {"Type": "archive-retrieval", "ArchiveId": archive["archiveId"], "Tier": "Bulk", "Description": "why"}
    job_id = client.initiate_job(vaultName="python", jobParameters=wish)["jobId"]
    vaults = [vault for page in client.get_paginator("list_vaults").paginate() for vault in page["VaultList"]]
    assert {vault["VaultName"] for vault in vaults} == {"empty", "ledger", "photos", "python"}
    job = client.describe_job(vaultName="python", jobId=job_id)
    assert (job["StatusCode"], job["JobDescription"], job["SHA256TreeHash"]) == ("Succeeded", "why", tree_hash(BYTES))
    del job["ResponseMetadata"]
    assert client.list_jobs(vaultName="python", completed="true")["JobList"] == [job]
    whole = client.get_job_output(vaultName="python", jobId=job_id)
    assert (whole["status"], whole["checksum"], whole["body"].read()) == (200, tree_hash(BYTES), BYTES)
    for first, last in RANGES.values():
        part = client.get_job_output(vaultName="python", jobId=job_id, range=f"bytes={first}-{last}")
        assert (part["status"], part["contentRange"]) == (206, f"bytes {first}-{last}/{len(BYTES)}")
        assert (part["body"].read(), part.get("checksum")) == (BYTES[first : last + 1], checksum_of(first, last))


class CommandLine:
    """``aws glacier``, for one vault of the service."""

    def __init__(self, service: dict[str, str], vault: str) -> None:
        self.command = [str(aws_cli()), "--endpoint-url", service["ENDPOINT"], "--output", "json", "glacier"]
        self.env = {name: value for name, value in service.items() if name != "ENDPOINT"}
        self.vault = vault

    def run(self, operation: str, *arguments: object) -> Any:
        """Return what an operation on the vault prints."""
        return self.of_account(operation, "--vault-name", self.vault, *arguments)

    def of_account(self, operation: str, *arguments: object) -> Any:
        """Return what an operation on the account prints."""
        command = [*self.command, operation, "--account-id", "-", *map(str, arguments)]
        done = subprocess.run(
            command,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


def test_the_command_line_goes_the_whole_way(service: dict[str, str], tmp_path: Path) -> None:
    aws, sent, got = CommandLine(service, "shell"), tmp_path / "sent", tmp_path / "got"
    sent.write_bytes(BYTES)
    aws.run("create-vault")
    uploaded = aws.run("upload-archive", "--body", sent)
    assert uploaded["checksum"] == tree_hash(BYTES)
    wish = {"Type": "archive-retrieval", "ArchiveId": uploaded["archiveId"], "Tier": "Bulk"}
    job_id = aws.run("initiate-job", "--job-parameters", json.dumps(wish))["jobId"]
    names = {vault["VaultName"] for vault in aws.of_account("list-vaults")["VaultList"]}
    assert names == {"empty", "ledger", "photos", "shell"}
    job = aws.run("describe-job", f"--job-id={job_id}")
    assert (job["StatusCode"], job["ArchiveSizeInBytes"]) == ("Succeeded", len(BYTES))
    assert aws.run("list-jobs")["JobList"] == [job]
    whole = aws.run("get-job-output", f"--job-id={job_id}", got)
    assert (whole["status"], whole["checksum"], got.read_bytes()) == (200, tree_hash(BYTES), BYTES)
    for first, last in RANGES.values():
        part = aws.run("get-job-output", f"--job-id={job_id}", "--range", f"bytes={first}-{last}", got)
        assert (part["status"], part.get("checksum")) == (206, checksum_of(first, last))
        assert got.read_bytes() == BYTES[first : last + 1]


def test_the_command_line_reads_an_inventory(service: dict[str, str], tmp_path: Path) -> None:
    aws, got = CommandLine(service, "photos"), tmp_path / "got"
    job_id = aws.run("initiate-job", "--job-parameters", '{"Type": "inventory-retrieval"}')["jobId"]
    aws.run("get-job-output", f"--job-id={job_id}", got)
    assert aws.run("describe-job", f"--job-id={job_id}")["InventorySizeInBytes"] == got.stat().st_size
    listed = json.loads(got.read_bytes())["ArchiveList"]
    assert {archive["ArchiveDescription"] for archive in listed} == {"album.tar", 'film, the "long" cut.mkv'}


def test_the_sdk_for_javascript_goes_the_whole_way(service: dict[str, str]) -> None:
    env = service | {"NODE_PATH": os.fspath(node_modules()), "AWS_REGION": service["AWS_DEFAULT_REGION"]}
    script = Path(__file__).with_name("glacier.cjs")
    done = subprocess.run(
        ["node", script, service["ENDPOINT"]], env=env, capture_output=True, text=True, timeout=COMMAND_S, check=False
    )
    assert done.returncode == 0, done.stderr
    part = {"status": 206, "right": True}
    assert json.loads(done.stdout) == {
        "vaults": ["empty", "javascript", "ledger", "photos"],
        "listed": [True],
        "uploaded": True,
        "job": ["ArchiveRetrieval", "Succeeded", "Bulk", len(BYTES), True],
        "whole": {"status": 200, "contentRange": None, "right": True, "checked": True},
        "node": part | {"contentRange": f"bytes 0-{2 * MIB - 1}/{len(BYTES)}", "checked": True},
        "noNode": part | {"contentRange": f"bytes {MIB}-{3 * MIB - 1}/{len(BYTES)}", "checked": None},
        "refused": ["ResourceNotFoundException", 404],
    }
