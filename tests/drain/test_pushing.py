"""Archives that CAS itself copies into a bucket of COS."""

import dataclasses
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from casfs.drain.archive import Entry, State
from casfs.drain.jobs import Change, Retrieval, seen
from casfs.drain.pushing import ELSEWHERE, Bucket, Push, bucket_at
from casfs.emulator.content import read
from casfs.emulator.faults import Fault, Kind
from casfs.errors import ConfigError
from casfs.models import Job, JobState
from tests.drain.vaults import VAULT, Vault, archives_of, serving, vault_of
from tests.mounting import wait_until
from tests.providers import NO_BOTOCORE

DOMAIN = "backup-125.cos.ap-chengdu.myqcloud.com"
DESTINATION = f"cos://{DOMAIN}/from/vault/"
DESCRIPTIONS = ("a/b", "A/B", "../x", "", "photos/1.jpg")


def drain(vault: Vault, *options: object) -> Any:
    return vault.drain(*options, to=DESTINATION)


def manifest(vault: Vault) -> list[dict[str, Any]]:
    path = vault.folder / "ledger.MANIFEST.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def pushes(vault: Vault) -> int:
    found = vault.state.vault(VAULT)
    assert found is not None
    return sum(job.action == "PushToCOS" for job in found.jobs.values())


def check(vault: Vault) -> None:
    """Check that the bucket has every archive under its name, and the manifest tells so."""
    archives = archives_of(vault.state)
    there = {key: read(stored.content) for (domain, key), stored in vault.state.pushed().items() if domain == DOMAIN}
    told = manifest(vault)
    assert len(told) == len(archives)
    assert there == {f"from/vault/{line['path']}": read(archives[line["archive_id"]].content) for line in told}
    assert {line["hash_from"] for line in told} == {"service"}
    assert all(line["tree_hash"] == archives[line["archive_id"]].tree.root for line in told)
    assert all(line["job"] and line["verified_at"] for line in told)


def test_every_archive_is_pushed_once_and_none_is_downloaded(tmp_path: Path) -> None:
    with serving(vault_of("cas", DESCRIPTIONS), "cas", tmp_path) as vault:
        done = drain(vault, "--tier", "Standard")
        assert done.returncode == 0, done.stderr
        assert "by the word of the service" in done.stdout
        check(vault)
        assert pushes(vault) == len(DESCRIPTIONS)
        found = vault.state.vault(VAULT)
        assert found is not None
        tiers = {job.fields["Tier"] for job in found.jobs.values() if job.action == "PushToCOS"}
        assert tiers == {"Standard"}
        assert vault.retrievals() == 0
        outputs = {record.job for record in vault.server.requests if record.operation == "get_job_output"}
        assert len(outputs) == 1, "the inventory alone"
        assert {path.name for path in tmp_path.iterdir()} <= {
            "ledger", "ledger.lock", "ledger.MANIFEST.jsonl", "log-of-mounts",
        }  # fmt: skip

        vault.server.journal.clear()
        again = drain(vault)
        assert (again.returncode, vault.server.requests) == (0, [])


def test_a_run_that_was_killed_pays_for_nothing_again_even_without_its_ledger(tmp_path: Path) -> None:
    with serving(vault_of("cas", [f"{number}" for number in range(30)]), "cas", tmp_path) as vault:
        vault.state.tier_takes_s["Bulk"] = 3600.0
        with vault.running(to=DESTINATION) as process:
            wait_until(lambda: vault.requests("initiate_job") >= 10, "some jobs are begun")
            process.send_signal(signal.SIGKILL)
            process.wait()
        begun = pushes(vault)
        assert 0 < begun <= 30
        vault.ledger.unlink()
        vault.state.tier_takes_s["Bulk"] = 0.1
        with vault.running("--poll", 0.2, to=DESTINATION):
            wait_until(lambda: pushes(vault) >= 30, "the others are begun")
            listed = vault.requests("list_jobs")
            wait_until(lambda: vault.requests("list_jobs") > listed + 1, "the jobs are looked at")
        assert pushes(vault) == 30


def test_one_that_fails_is_named_and_the_others_are_there(tmp_path: Path) -> None:
    with serving(vault_of("cas", DESCRIPTIONS), "cas", tmp_path) as vault:
        bad = next(one for one in archives_of(vault.state).values() if one.description == "photos/1.jpg")
        vault.server.faults.add(
            Fault(kind=Kind.FAIL, operation="initiate_job", archive=bad.id, message="no bucket", times=None)
        )
        done = drain(vault, "--attempts", 2)
        assert done.returncode == 1
        named, last = done.stderr.splitlines()[-2:]
        assert (
            named == "casfs: photos/1.jpg is given up: the job failed: no bucket (2 retrievals; --attempts allows more)"
        )
        assert "1 of 5 archives are missing" in last
        assert pushes(vault) == len(DESCRIPTIONS) + 1
        assert {line["path"] for line in manifest(vault)} == {key[1][11:] for key in vault.state.pushed()}
        vault.server.faults.clear()
        again = drain(vault, "--attempts", 3)
        assert again.returncode == 0, again.stderr
        check(vault)


def test_an_answer_that_was_lost_costs_no_second_job(tmp_path: Path) -> None:
    with serving(vault_of("cas", DESCRIPTIONS), "cas", tmp_path) as vault:
        for archive in archives_of(vault.state):
            vault.server.faults.add(Fault(kind=Kind.DROP, operation="initiate_job", archive=archive))
        done = drain(vault)
        assert done.returncode == 0, done.stderr
        assert not vault.server.faults.left()
        check(vault)
        assert pushes(vault) == len(DESCRIPTIONS)


@pytest.mark.skipif(NO_BOTOCORE, reason="the extra glacier is not installed")
def test_glacier_has_no_such_jobs(tmp_path: Path) -> None:
    with serving(vault_of("glacier", ["a"]), "glacier", tmp_path) as vault:
        done = drain(vault)
        assert (done.returncode, vault.server.requests) == (1, [])
        assert "cos:// is filled by jobs of CAS, and glacier has none" in done.stderr


@pytest.mark.parametrize(
    ("text", "region", "told"),
    [
        ("cos://backup-125/a/b", "ap-chengdu", f"cos://{DOMAIN}/a/b/"),
        ("cos://backup-125", "ap-chengdu", f"cos://{DOMAIN}/"),
        ("cos://backup-125//a//", None, "cos://backup-125/a/"),
        (f"cos://{DOMAIN}/", "ap-beijing", f"cos://{DOMAIN}/"),
    ],
)
def test_a_bucket_is_its_domain(text: str, region: str | None, told: str) -> None:
    assert str(bucket_at(text, region)) == told


@pytest.mark.parametrize(
    "prefix", ["a/../b", "..", "./a", "line\nbreak", "nul\0", "no text \udc80", "\u202ex", "p" * 1000]
)
def test_a_prefix_that_no_object_can_have_is_refused_before_it_is_paid_for(prefix: str) -> None:
    with pytest.raises(ConfigError, match="no object of COS can have"):
        bucket_at(f"cos://backup-125/{prefix}", None)


@pytest.mark.parametrize(
    "text",
    ["cos://", "cos:///a", "cos://A_b/c", "cos://me@bucket/c", "cos://a:80/", "cos://.", "cos://-a/", "cos://a..b/"],
)
def test_what_names_no_bucket_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="names no bucket"):
        bucket_at(text, None)


class NoService:
    """Is not asked."""

    def push_to_cos(self, vault: str, archive: str, bucket: str, key: str, tier: str | None = None, /) -> str:
        raise AssertionError


def job(**fields: Any) -> Job:
    told = {"ArchiveId": "a", "ArchiveSizeInBytes": 100, "RetrievalByteRange": "0-99", "Bucket": DOMAIN} | fields
    action = str(told.pop("Action", "PushToCOS"))
    return Job("v", "job", action, JobState.SUCCEEDED, 5, 7, None, None, json.dumps(told))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"Object": "p/x"}, "x"),
        ({"Object": "/p/x"}, "x"),
        ({"Object": "p/x", "Bucket": "backup-125"}, "x"),
        ({"Object": "p/x", "Bucket": "backup-125.cos.ap-beijing.myqcloud.com"}, ELSEWHERE),
        ({"Object": "p/x", "Bucket": "backup-1"}, ELSEWHERE),
        ({"Object": "q/x"}, ELSEWHERE),
        ({"Object": None}, ELSEWHERE),
        ({"Object": "p/x", "RetrievalByteRange": "0-98"}, None),
        ({"Object": "p/x", "Action": "ArchiveRetrieval"}, None),
        ({"Object": "p/x", "Action": "PullFromCOS"}, None),
    ],
)
def test_a_job_puts_an_archive_there_by_action_bucket_and_object(fields: dict[str, Any], path: str | None) -> None:
    found = Push(NoService(), "v", Bucket(DOMAIN, "p/"), "Bulk").retrieval_of(job(**fields))
    assert (found.path if found else None) == path


def test_a_push_that_succeeded_is_the_end_and_one_to_another_object_is_not() -> None:
    entry = Entry(1, "a", 100, None, "", "x", State.NEW)
    there, elsewhere = (Retrieval("a", path, JobState.SUCCEEDED, 1, 2, "", path) for path in ("x", "y"))
    assert seen(entry, [elsewhere, there], ()) == Change(State.DONE, there)
    assert seen(entry, [elsewhere], ()) is None


def test_a_job_of_the_run_is_known_however_the_service_tells_where_it_puts_the_archive() -> None:
    entry = Entry(1, "a", 100, None, "", "x", State.ASKED, job="own")
    told = Retrieval("a", "own", JobState.SUCCEEDED, 1, 2, "", ELSEWHERE)
    assert seen(entry, [told], ()) == Change(State.DONE, told)
    assert seen(dataclasses.replace(entry, state=State.NEW, job=None), [told], ()) is None
