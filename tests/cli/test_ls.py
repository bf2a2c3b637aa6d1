"""``casfs ls``: vaults, jobs, one job."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from casfs.cli.rows import KEYS
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from tests.cli.stands import DATA, Stand, one_failure


def test_vaults_of_a_service(stand: Stand) -> None:
    assert [line.split("\t")[0] for line in stand.right("ls", stand.server.url)] == ["backups", "empty"]
    assert stand.right("ls", f"{stand.server.url}/-/empty") == []


def test_jobs_of_a_vault_have_a_line_each(stand: Stand) -> None:
    lines = {line.split("\t")[-1]: line.split("\t") for line in stand.right("ls", stand.vault)}
    (job,) = stand.objects("ls", stand.job("data"))
    assert set(lines) == {"data", "text", "failed", "begun", "inventory"}
    assert lines["data"][:4] == ["Succeeded", "ArchiveRetrieval", str(len(DATA)), job["expires"]]
    assert lines["data"][4:] == ["Bulk", "all of it", "data"]
    assert lines["begun"][:4] == ["InProgress", "ArchiveRetrieval", "8", "-"]
    assert lines["failed"][0] == "Failed"


def test_one_job_is_the_line_that_its_vault_has_for_it(stand: Stand) -> None:
    assert stand.right("ls", stand.job("data"))[0] in stand.right("ls", stand.vault)


def test_machines_get_every_key_of_vaults_and_jobs(stand: Stand) -> None:
    vaults, (job,) = stand.objects("ls", stand.server.url), stand.objects("ls", stand.job("data"))
    assert [tuple(vault) for vault in vaults] == [KEYS, KEYS]
    assert [vault["document"]["VaultName"] for vault in vaults] == ["backups", "empty"]
    assert tuple(job) == KEYS
    told = {name: job[name] for name in ("vault", "job", "state", "size", "tier", "description", "archive")}
    assert told == {
        "vault": "backups", "job": "data", "state": "Succeeded", "size": len(DATA), "tier": "Bulk",
        "description": "all of it", "archive": stand.archives["data"],
    }  # fmt: skip
    assert job["document"]["SHA256TreeHash"] == job["tree_hash"]
    completed, expires = (datetime.fromisoformat(job[name]) for name in ("completed", "expires"))
    assert (expires - completed, completed.tzinfo) == (timedelta(days=1), UTC)


def test_jobs_are_shown_as_their_pages_come(stand: Stand) -> None:
    per_page = {"cas": 1000, "glacier": 50}[stand.provider]
    for number in range(per_page):
        stand.state.add_job("backups", ARCHIVE_RETRIEVAL, job_id=f"job-{number:04}")
    stand.server.faults.add(Fault(kind=Kind.STALL, operation="list_jobs", after=1, times=None))
    with stand.running("ls", "--json", stand.vault) as process:
        assert process.stdout is not None
        shown = [json.loads(process.stdout.readline())["job"] for _ in range(per_page)]
    assert len(set(shown)) == per_page


def test_control_characters_of_a_description_do_not_reach_a_terminal(cas: Stand) -> None:
    cas.state.add_job("backups", ARCHIVE_RETRIEVAL, job_id="hostile", overrides={"JobDescription": "a\x1b[2J\tb\nc"})
    (line,) = cas.right("ls", cas.job("hostile"))
    assert line.split("\t")[5] == r"a\x1b[2J\tb\nc"


@pytest.mark.parametrize("name", ["no-such-vault", "backups/no-such-job"])
def test_what_is_not_there_is_one_line(stand: Stand, name: str) -> None:
    one_failure(stand.run("ls", f"{stand.server.url}/-/{name}"), name.rpartition("/")[2])


def test_listing_that_breaks_off_ends_with_1(cas: Stand) -> None:
    cas.server.faults.add(Fault(kind=Kind.STATUS, operation="list_jobs", status=403, code="AccessDeniedException"))
    one_failure(cas.run("ls", cas.vault), "AccessDenied")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["http://host/a/b/c/d"], ["--connections", "0", "a:"], ["a:", "b:"]], ids=" ".join
)
def test_command_line_that_cannot_be_read_ends_with_2(cas: Stand, arguments: list[str]) -> None:
    done = cas.run("ls", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_log_lines_are_shown_at_debug_only(cas: Stand) -> None:
    done = cas.run("ls", "--log-level", "debug", cas.vault)
    assert done.returncode == 0
    assert "list_jobs" in done.stderr or "JobList" in done.stderr or "List Jobs" in done.stderr
