"""What programs see of the sample vaults, the same over every provider."""

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casfs.emulator.content import read
from casfs.emulator.jobs import StoredJob, StoredOutput
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from tests.emulator.client import tree_hash
from tests.mounting import Mounting, names
from tests.providers import DIALECTS, EVERY_PROVIDER, state_of

pytestmark = [pytest.mark.fuse, EVERY_PROVIDER]

MIB = 1 << 20


@dataclass(frozen=True)
class Mounted:
    """The sample vaults, mounted."""

    server: Server
    root: Path

    def jobs(self) -> list[tuple[Path, StoredJob]]:
        """Return every job with its directory."""
        return [
            (self.root / vault.name / job.id, job)
            for vault in self.server.state.vaults()
            for job in vault.jobs.values()
        ]

    def outputs(self) -> list[tuple[Path, StoredOutput, StoredJob]]:
        """Return every output that there is to download with its file, the film left out: it is long."""
        return [
            (path / "output", job.output, job)
            for path, job in self.jobs()
            if job.output and job.status(self.server.state.clock()) == "Succeeded" and job.output.size < 32 * MIB
        ]

    def one(self, description: str) -> tuple[Path, StoredOutput, StoredJob]:
        """Return the output of the job of that description."""
        return next(found for found in self.outputs() if found[2].description == description)


@pytest.fixture
def mounted(provider: str, mounting: Mounting) -> Iterator[Mounted]:
    dialect = DIALECTS[provider]
    with (
        Server(sample_state(dialect=dialect), credentials={"id": "key"}, dialect=dialect) as server,
        mounting(server, "--provider", provider) as root,
    ):
        yield Mounted(server, root)


def bytes_of(output: StoredOutput) -> bytes:
    return read(output.content, output.start, output.stop)


def run(*command: object) -> str:
    return subprocess.run(list(map(str, command)), check=True, timeout=120, capture_output=True, text=True).stdout


def test_vaults_and_jobs_are_directories_and_outputs_are_there_where_there_are_any(mounted: Mounted) -> None:
    assert names(mounted.root) == ["empty", "ledger", "photos"]
    for path, job in mounted.jobs():
        has_output = job.output is not None and job.status(mounted.server.state.clock()) == "Succeeded"
        assert names(path) == ["output"] * has_output


def milliseconds(at_s: float) -> int:
    """Return a moment in the whole milliseconds that a document has of it, which cuts off the rest of a datetime."""
    moment = datetime.fromtimestamp(at_s, UTC)
    return int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000


def test_outputs_have_the_right_bytes_sizes_and_times(mounted: Mounted) -> None:
    for path, output, job in mounted.outputs():
        assert path.read_bytes() == bytes_of(output)
        status = path.stat()
        assert status.st_size == output.size
        assert status.st_mtime_ns // 1_000_000 == milliseconds(job.completes_s)


def test_directories_have_the_times_of_what_was_listed_in_them(mounted: Mounted) -> None:
    now_s = mounted.server.state.clock()
    newest_s = {"empty": 0.0}
    for path, job in mounted.jobs():
        changed_s = job.completes_s if job.status(now_s) in {"Succeeded", "Failed"} else job.created_s
        newest_s[path.parent.name] = max(changed_s, newest_s.get(path.parent.name, 0))
        assert path.stat().st_mtime_ns // 1_000_000 == milliseconds(changed_s)
    for vault in mounted.server.state.vaults():
        path = mounted.root / vault.name
        assert path.stat().st_mtime == pytest.approx(vault.created_s, abs=0.001)
        names(path)
        assert path.stat().st_mtime == pytest.approx(newest_s[vault.name] or vault.created_s, abs=0.001)
    youngest_s = max(vault.created_s for vault in mounted.server.state.vaults())
    assert mounted.root.stat().st_mtime == pytest.approx(youngest_s, abs=0.001)


def test_any_part_can_be_read(mounted: Mounted) -> None:
    path, output, _ = mounted.one("album")
    whole = bytes_of(output)
    with path.open("rb", buffering=0) as fh:
        for offset in (5 * MIB - 3, 0, 6 * MIB, MIB + 17, output.size - 1):
            assert os.pread(fh.fileno(), 100, offset) == whole[offset : offset + 100]
        assert os.pread(fh.fileno(), 1, output.size) == b""


def test_whole_trees_are_copied(mounted: Mounted, tmp_path: Path) -> None:
    run("cp", "-r", mounted.root / "ledger", tmp_path / "copied")
    rsync = ["rsync", "-a", "--out-format=%n", f"{mounted.root}/ledger/", tmp_path / "synced"]
    assert "output" in run(*rsync)
    assert run(*rsync) == "", "the second time there is nothing to do"
    assert run("diff", "-r", tmp_path / "copied", tmp_path / "synced") == ""
    assert run("rsync", "-rc", "--out-format=%n", f"{mounted.root}/ledger/", tmp_path / "copied") == ""


def test_documents_and_hashes_are_attributes(mounted: Mounted, provider: str) -> None:
    path, output, job = mounted.one("album")
    fields = json.loads(os.getxattr(path, "user.cas.describe"))
    dialect = DIALECTS[provider]
    assert list(fields) == list(dialect.job_keys or dialect.job_fields["ArchiveRetrieval"])
    assert fields["JobId"] == job.id
    assert os.getxattr(path, "user.cas.tree_hash").decode() == tree_hash(bytes_of(output))
    resource = f"user.cas.{'vault_qcs' if provider == 'cas' else 'vault_arn'}"
    assert os.getxattr(path, resource).decode() == fields[dialect.resource_key]
    path.read_bytes()
    assert os.getxattr(path, "user.cas.verified") == b"whole"
    assert os.getxattr(path, "user.mime_type") == b"application/octet-stream"


def test_an_inventory_has_no_hash(mounted: Mounted) -> None:
    path, _, _ = mounted.one("inventory as CSV")
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        os.getxattr(path, "user.cas.tree_hash")
    assert path.read_bytes().startswith(b"ArchiveId,ArchiveDescription,CreationDate,Size")
    assert os.getxattr(path, "user.cas.verified") == b"unavailable"
    assert os.getxattr(path, "user.mime_type") == b"text/csv"


def test_long_listings_come_page_by_page(provider: str, mounting: Mounting) -> None:
    state = state_of(provider)
    for number in range(25):
        state.add_vault(f"vault-{number:02}")
    jobs = sorted(state.add_job("vault-07", "ArchiveRetrieval").id for _ in range(120))
    with (
        Server(state, credentials={"id": "key"}, dialect=DIALECTS[provider]) as server,
        mounting(server, "--provider", provider) as root,
    ):
        assert len(names(root)) == 25
        assert names(root / "vault-07") == jobs
        pages = [record.operation for record in server.requests]
    assert pages == {"cas": ["list_vaults", "list_jobs"], "glacier": ["list_vaults"] * 3 + ["list_jobs"] * 3}[provider]


def test_a_vault_can_be_the_root(provider: str, mounting: Mounting) -> None:
    dialect = DIALECTS[provider]
    with (
        Server(sample_state(dialect=dialect), credentials={"id": "key"}, dialect=dialect) as server,
        mounting(server, "--provider", provider, suffix=f"/{dialect.account}/photos") as root,
    ):
        assert names(root) == sorted(server.state.vaults()[2].job_ids)


def test_what_is_not_there_and_what_cannot_be_done_have_their_errors(mounted: Mounted) -> None:
    for name in ("nothing", "photos/nothing", "photos/nothing/output"):
        with pytest.raises(FileNotFoundError):
            (mounted.root / name).stat()
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
        (mounted.root / "photos" / "new").mkdir()


def test_an_output_that_the_service_dropped_is_stale(mounted: Mounted) -> None:
    path, _, job = mounted.one("album")
    with path.open("rb") as fh:
        mounted.server.state.expire("photos", job.id)
        with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
            fh.read()
