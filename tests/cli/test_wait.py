"""``casfs wait``: until jobs are finished."""

from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from tests.cli.stands import Stand, one_failure
from tests.mounting import wait_until


def test_jobs_that_have_succeeded_are_shown_at_once(stand: Stand) -> None:
    lines = stand.right("wait", stand.job("data"), stand.job("text"))
    assert sorted(line.split("\t")[-1] for line in lines) == ["data", "text"]


def test_job_in_progress_is_asked_for_until_it_is_finished(stand: Stand) -> None:
    with stand.running("wait", "--json", "--poll", "0.05", stand.job("begun")) as process:
        wait_until(lambda: stand.asked("describe_job") > 2, "the job is asked for again")
        assert process.poll() is None
        stand.ahead_s += 3601
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert '"state": "Succeeded"' in out


def test_job_that_failed_is_a_line_and_the_others_are_waited_for(stand: Stand) -> None:
    done = stand.run("wait", stand.job("failed"), stand.job("no-such-job"), stand.job("data"))
    assert done.returncode == 1
    assert sorted(line.split("\t")[-1] for line in done.stdout.splitlines()) == ["data", "failed"]
    failed, missing = sorted(done.stderr.splitlines())
    assert failed == f"casfs: {stand.job('failed')}: the job has Failed: The archive cannot be read."
    assert missing.startswith(f"casfs: {stand.job('no-such-job')}: ")


def test_what_the_service_says_of_a_failure_is_no_command_for_a_terminal(cas: Stand) -> None:
    cas.state.add_job("backups", ARCHIVE_RETRIEVAL, job_id="hostile", failure="a\x1b[2Jb")
    done = cas.run("wait", cas.job("hostile"))
    assert (done.returncode, done.stderr) == (1, f"casfs: {cas.job('hostile')}: the job has Failed: a\\x1b[2Jb\n")


def test_place_without_a_job_is_a_command_line_that_cannot_be_read(cas: Stand) -> None:
    done = cas.run("wait", cas.vault)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_service_that_is_not_there_is_one_line(cas: Stand) -> None:
    one_failure(cas.run("wait", "http://127.0.0.1:9/-/backups/job"), "127.0.0.1:9")
