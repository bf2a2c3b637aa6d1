"""A mount over a service that casfs's authors did not write with the client in mind: see tests/other_service.py.

Every job type of the documents, with the sizes, times, bytes and attributes that the documents promise.
"""

import errno
import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mounting import Mounting
from tests.other_service import MIB, OtherJob, OtherService, tree_hash

pytestmark = pytest.mark.fuse

VAULT = "Vault_A.1"
WHOLE = "-nVoA6erIw71cTwI4gY6kaYpCrV1ehUrqXCkDHNfObQSfkqk_f5KyeKcxVvo--8A"
CREATED, COMPLETED = "2026-11-19T08:29:41.123456789Z", "2026-11-19T12:00:00.5Z"
COMPLETED_NS = 1_795_089_600_500_000_000
CREATED_NS = 1_795_076_981_123_456_789
ARCHIVE = random.Random(1).randbytes(6 * MIB + 7)
CSV = b"ArchiveId,ArchiveDescription,CreationDate,Size\r\nabc,a,2026-11-19T08:29:41.000Z,5\r\n"
INVENTORY = b'{"VaultQCS": "qcs", "InventoryDate": "2026-11-18T00:00:00Z", "ArchiveList": []}'


def _document(job: str, action: str, **fields: Any) -> dict[str, Any]:
    return {
        "Action": action,
        "JobId": job,
        "JobDescription": None,
        "CallBackUrl": "",
        "CreationDate": CREATED,
        "CompletionDate": COMPLETED,
        "Completed": True,
        "StatusCode": "Succeeded",
        "StatusMessage": "Succeeded",
        "VaultQCS": f"qcs:id/0:cas:ap-chengdu:uid/1250000000:vaults/{VAULT}",
    } | fields


def _archive(job: str, start: int, stop: int, *, hashed: bool) -> OtherJob:
    part = ARCHIVE[start:stop]
    document = _document(
        job,
        "ArchiveRetrieval",
        ArchiveId="-archive",
        ArchiveSizeInBytes=len(ARCHIVE),
        ArchiveSHA256TreeHash=tree_hash(ARCHIVE).hex(),
        RetrievalByteRange=f"{start}-{stop - 1}",
        SHA256TreeHash=tree_hash(part).hex() if hashed else None,
        Tier="Standard",
    )
    return OtherJob(document, part, hashed=hashed)


def _inventory(job: str, content: bytes, size: object, kind: str, content_type: str) -> OtherJob:
    document = _document(
        job,
        "InventoryRetrieval",
        InventorySizeInBytes=size,
        InventoryRetrievalParameters={"Format": kind, "StartDate": None, "EndDate": None, "Limit": 0, "Marker": ""},
    )
    return OtherJob(document, content, content_type)


def _jobs() -> dict[str, OtherJob]:
    running = {"Completed": False, "StatusCode": "InProgress", "StatusMessage": "InProgress", "CompletionDate": None}
    cos = {"ArchiveId": "a", "ArchiveSizeInBytes": 5, "Bucket": "b-125.cos.ap-chengdu.myqcloud.com", "Object": "k/ä"}
    condition = {"If-Modified-Since": None, "If-Umodified-Since": "x"}
    return {
        WHOLE: _archive(WHOLE, 0, len(ARCHIVE), hashed=True),
        "aligned": _archive("aligned", 2 * MIB, 4 * MIB, hashed=True),
        "unaligned": _archive("unaligned", MIB, 4 * MIB, hashed=False),
        "tail": _archive("tail", 4 * MIB, len(ARCHIVE), hashed=True),
        "json": _inventory("json", INVENTORY, str(len(INVENTORY)), "JSON", "application/json"),
        "csv": _inventory("csv", CSV, len(CSV), "CSV", "text/csv"),
        "running": OtherJob(_document("running", "ArchiveRetrieval", RetrievalByteRange="0-9") | running),
        "failed": OtherJob(_document("failed", "InventoryRetrieval", StatusCode="Failed", StatusMessage="no")),
        "push": OtherJob(_document("push", "PushToCOS", RetrievalByteRange="0-4", **cos)),
        "pull": OtherJob(_document("pull", "PullFromCOS", Condition=condition, **cos)),
        "future": OtherJob(_document("future", "Teleport", StatusCode="Paused", Flux=1.21)),
    }


OUTPUTS = {WHOLE, "aligned", "unaligned", "tail", "json", "csv"}


@pytest.fixture(name="service")
def _service() -> Iterator[OtherService]:
    with OtherService({VAULT: _jobs(), "empty": {}}) as service:
        yield service


def _names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()}


def _attributes(path: Path) -> dict[str, str]:
    return {name: os.getxattr(path, name).decode("ascii") for name in os.listxattr(path)}


def _run(*command: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(word) for word in command], check=False, capture_output=True, timeout=120)


def test_every_vault_and_job_is_a_directory_and_only_finished_retrievals_have_an_output(
    service: OtherService, mounting: Mounting
) -> None:
    with mounting(service) as root:
        assert _names(root) == {VAULT, "empty"}
        assert _names(root / "empty") == set()
        assert _names(root / VAULT) == set(service.vaults[VAULT])
        assert {job for job in _names(root / VAULT) if _names(root / VAULT / job) == {"output"}} == OUTPUTS


@pytest.mark.parametrize("job", sorted(OUTPUTS), ids=lambda job: job.strip("-")[:9])
def test_size_times_and_bytes_are_those_of_the_job(
    service: OtherService, mounting: Mounting, job: str, tmp_path: Path
) -> None:
    content = service.vaults[VAULT][job].output
    assert content is not None
    with mounting(service) as root:
        path = root / VAULT / job / "output"
        status = path.stat()
        assert (status.st_size, status.st_mtime_ns, status.st_ctime_ns) == (len(content), COMPLETED_NS, CREATED_NS)
        assert path.parent.stat().st_mtime_ns == COMPLETED_NS
        assert _run("cp", "--", path, tmp_path / "copy").returncode == 0
        assert (tmp_path / "copy").read_bytes() == content


def test_attributes_are_the_document_and_its_fields(service: OtherService, mounting: Mounting) -> None:
    with mounting(service) as root:
        path = root / VAULT / WHOLE / "output"
        path.read_bytes()
        document = service.vaults[VAULT][WHOLE].document
        attributes = _attributes(path)
        described = json.loads(attributes["user.cas.describe"])
        assert (described, list(described)) == (document, list(document))
        assert attributes["user.cas.tree_hash"] == tree_hash(ARCHIVE).hex()
        assert attributes["user.cas.expires"].startswith("2026-11-20T12:00:00")
        assert (attributes["user.cas.verified"], attributes["user.mime_type"]) == ("whole", "application/octet-stream")
        assert attributes["user.cas.retrieval_byte_range"] == f"0-{len(ARCHIVE) - 1}"
        assert "user.cas.job_description" not in attributes


def test_an_output_without_a_hash_says_so(service: OtherService, mounting: Mounting) -> None:
    with mounting(service) as root:
        path = root / VAULT / "unaligned" / "output"
        path.read_bytes()
        assert _attributes(path)["user.cas.verified"] == "unavailable"
        with pytest.raises(OSError, match="No data") as caught:
            os.getxattr(path, "user.cas.tree_hash")
        assert caught.value.errno == errno.ENODATA


def test_directories_carry_the_job_whatever_its_state(service: OtherService, mounting: Mounting) -> None:
    with mounting(service) as root:
        assert _attributes(root / VAULT / "running")["user.cas.status_code"] == "InProgress"
        assert _attributes(root / VAULT / "failed")["user.cas.status_message"] == "no"
        assert _attributes(root / VAULT / "push")["user.cas.object"] == "k/\\u00e4"
        assert _attributes(root / VAULT / "future")["user.cas.flux"] == "1.21"
        assert json.loads(_attributes(root / VAULT)["user.cas.describe"])["VaultName"] == VAULT


def test_the_whole_tree_is_copied_without_a_complaint(
    service: OtherService, mounting: Mounting, tmp_path: Path
) -> None:
    with mounting(service) as root:
        first = _run("rsync", "-a", f"{root}/", tmp_path / "copy")
        assert (first.returncode, first.stderr) == (0, b"")
        # The first run looked at each vault before it listed its jobs, which are what the time of a vault is made of.
        times = _run("rsync", "-ai", f"{root}/", tmp_path / "copy")
        assert (times.returncode, {line[:4] for line in times.stdout.splitlines()}) == (0, {b".d.."})
        again = _run("rsync", "-ani", f"{root}/", tmp_path / "copy")
        assert (again.returncode, again.stdout) == (0, b"")
    for job in OUTPUTS:
        assert (tmp_path / "copy" / VAULT / job / "output").read_bytes() == service.vaults[VAULT][job].output


def test_an_expired_job_vanishes_and_what_was_open_says_stale(service: OtherService, mounting: Mounting) -> None:
    with mounting(service) as root, (root / VAULT / "aligned" / "output").open("rb", buffering=0) as opened:
        del service.vaults[VAULT]["aligned"]
        with pytest.raises(OSError, match="Stale") as caught:
            opened.read(10)
        assert caught.value.errno == errno.ESTALE
        assert not (root / VAULT / "aligned").exists()


def test_an_account_that_may_not_list_vaults_still_uses_the_one_it_may(
    service: OtherService, mounting: Mounting
) -> None:
    service.list_vaults_allowed = False
    with mounting(service) as root:
        with pytest.raises(PermissionError):
            _names(root)
        assert (root / VAULT / "csv" / "output").read_bytes() == CSV
    with mounting(service, suffix=f"/-/{VAULT}") as root:
        assert (root / "csv" / "output").read_bytes() == CSV


@pytest.mark.long
def test_a_listing_of_2500_jobs_costs_three_requests_and_nothing_after_it(
    service: OtherService, mounting: Mounting
) -> None:
    template = _archive("x", 0, MIB, hashed=True)
    jobs = {f"job-{n:05}": OtherJob(template.document | {"JobId": f"job-{n:05}"}, b"") for n in range(2500)}
    service.vaults["many"] = jobs
    with mounting(service, "--list-ttl", 3600) as root:  # getfattr asks 180,000 times, on a busy machine for minutes
        service.asked.clear()
        assert _run("ls", "-l", root / "many").stdout.count(b"\n") == 2501
        assert (service.count("list_jobs"), service.count("describe_job")) == (3, 0)
        service.asked.clear()
        assert _run("find", root / "many", "-name", "output").stdout.count(b"\n") == 2500
        assert _run("getfattr", "-R", "-d", root / "many").returncode == 0
        assert service.asked == []


def test_a_cold_path_costs_one_describe(service: OtherService, mounting: Mounting) -> None:
    with mounting(service) as root:
        service.asked.clear()
        assert (root / VAULT / WHOLE / "output").stat().st_size == len(ARCHIVE)
        assert [operation for operation, _, _ in service.asked] == ["describe_job"]
