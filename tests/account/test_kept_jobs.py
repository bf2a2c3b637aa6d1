"""Jobs whose outputs a cache on disk has whole, found by what was noted there."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from casfs.data.content import Content
from casfs.data.disk.layout import Label
from casfs.data.disk.root_proof import RootProof
from casfs.data.disk.store import Store
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.settings import Verify
from casfs.errors import ServiceError
from casfs.kept_jobs import KeptJobs
from casfs.models import JobState, Output
from casfs.stats import Stats
from tests.data.service import MIB
from tests.disk.contents import Archive

ENDPOINT, ACCOUNT = "https://cas.example", "100"
ARCHIVE, OTHER = Archive.of(3 * MIB + 7, 1), Archive.of(MIB, 2)


class Time:
    """A time that passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "cache", 1 << 30)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def kept(store: Store, time: Time) -> KeptJobs:
    return KeptJobs(DiskCache(store, ENDPOINT, ACCOUNT), clock=time)


def document(job: str, **more: object) -> str:
    fields = {"Action": "ArchiveRetrieval", "JobId": job, "StatusCode": "Succeeded", "Completed": True}
    return json.dumps(fields | {"CompletionDate": "2026-11-20T10:00:00.000Z"} | more)


def put(
    store: Store, archive: Archive, job: str, *, blocks: int | None = None, endpoint: str = ENDPOINT,
    account: str = ACCOUNT, text: str | None = "",
) -> None:  # fmt: skip
    content = store.content(archive.key)
    content.write(archive.new(range(archive.count if blocks is None else blocks)))
    assert (content.prove_root() is RootProof.MET) == (blocks is None), "as a mount does once it has all of it"
    label = Label(endpoint, account, "vault", job, None, 10**18, document(job) if text == "" else text)
    assert content.note(label)


def test_a_job_is_as_the_service_described_it_and_has_expired(store: Store, kept: KeptJobs) -> None:
    put(store, ARCHIVE, "job-1")
    job = kept.get("vault", "job-1")
    assert job is not None
    assert (job.vault, job.id, job.state, job.is_expired) == ("vault", "job-1", JobState.SUCCEEDED, True)
    assert (job.size, job.expires_ns) == (len(ARCHIVE.data), 1_795_255_200 * 10**9)
    assert json.loads(job.document) == json.loads(document("job-1"))
    assert kept.all("vault") == {"job-1": job}
    assert (kept.get("vault", "job-2"), kept.get("other", "job-1"), kept.all("other")) == (None, None, {})


def test_an_inventory_has_the_size_that_was_learnt(store: Store, kept: KeptJobs) -> None:
    put(store, ARCHIVE, "job-1", text=document("job-1", Action="InventoryRetrieval", InventorySizeInBytes=1))
    job = kept.get("vault", "job-1")
    assert job is not None
    assert job.output is not None
    assert (job.output.size, job.output.is_inventory) == (len(ARCHIVE.data), False)


def test_what_is_not_whole_or_another_account_or_without_a_document_is_not_kept(store: Store, kept: KeptJobs) -> None:
    put(store, ARCHIVE, "part", blocks=2)
    put(store, OTHER, "elsewhere", endpoint="https://other.example")
    put(store, OTHER, "another's", account="200")
    put(store, OTHER, "unknown", text=None)
    put(store, OTHER, "nonsense", text='{"JobId":"another"}')
    assert kept.all("vault") == {}


def test_every_job_of_one_content_is_kept(store: Store, kept: KeptJobs) -> None:
    for job in ("job-1", "job-2"):
        put(store, ARCHIVE, job)
    assert set(kept.all("vault")) == {"job-1", "job-2"}


def test_what_comes_later_is_found_and_what_goes_is_gone(store: Store, kept: KeptJobs, time: Time) -> None:
    assert kept.all("vault") == {}
    put(store, ARCHIVE, "job-1")
    assert kept.all("vault") == {}, "looked a moment ago"
    time.now_s += 2
    assert set(kept.all("vault")) == {"job-1"}
    list(store.upkeep().clear())
    time.now_s += 2
    assert kept.get("vault", "job-1") is None


def test_a_disk_that_fails_is_an_error_and_no_empty_shelf(
    store: Store, kept: KeptJobs, time: Time, tmp_path: Path
) -> None:
    put(store, ARCHIVE, "job-1")
    assert set(kept.all("vault")) == {"job-1"}
    (tmp_path / "cache" / "contents").rename(tmp_path / "away")
    time.now_s += 2
    for _ in range(2):
        with pytest.raises(ServiceError, match="cannot be told: No such file"):
            kept.all("vault")
    (tmp_path / "away").rename(tmp_path / "cache" / "contents")
    assert set(kept.all("vault")) == {"job-1"}


def test_what_this_process_noted_is_known_at_once(store: Store, time: Time) -> None:
    disk = DiskCache(store, ENDPOINT, ACCOUNT)
    kept = KeptJobs(disk, clock=time)
    assert kept.get("vault", "job-1") is None
    output = Output("vault", "job-1", len(ARCHIVE.data), ARCHIVE.key.tree_hash, is_inventory=False)
    content = Content(output, len(ARCHIVE.data), Verify.AUTO, Stats())
    disk.sightings.add(replace(output, document=document("job-1")))
    disk.note(content)
    assert kept.get("vault", "job-1") is None, "nothing of it is on disk"
    store.content(ARCHIVE.key).write(ARCHIVE.new(range(3)))
    disk.note(content)
    assert kept.get("vault", "job-1") is None, "not all of it is on disk"
    store.content(ARCHIVE.key).write(ARCHIVE.new(range(4)))
    assert store.content(ARCHIVE.key).prove_root() is RootProof.MET
    found = kept.get("vault", "job-1")
    assert found is not None
    assert found.is_expired
    assert kept.all("vault") == {"job-1": found}
    time.now_s += 2
    assert kept.all("vault") == {"job-1": found}
