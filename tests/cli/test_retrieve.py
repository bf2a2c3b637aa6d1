"""``casfs retrieve``: jobs begun, each once, and their ids."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.policy import Policy
from tests.cli.stands import Stand, one_failure
from tests.mounting import COMMAND_LIMIT_S, wait_until


def test_each_archive_gets_a_job_whose_id_is_printed(stand: Stand) -> None:
    wanted = [stand.archives["data"], stand.archives["text"]]
    ids = stand.right("retrieve", "--tier", "bulk", "--description", "mine", stand.vault, "--", *wanted)
    jobs = {job["job"]: job for job in stand.objects("ls", stand.vault)}
    assert [jobs[id_]["archive"] for id_ in ids] == wanted
    assert {(jobs[id_]["tier"], jobs[id_]["description"]) for id_ in ids} == {("Bulk", "mine")}


def test_machines_get_the_archive_of_each_job(stand: Stand) -> None:
    (told,) = stand.objects("retrieve", stand.vault, "--", stand.archives["text"])
    assert (told["vault"], told["archive"]) == ("backups", stand.archives["text"])
    assert stand.objects("ls", stand.job(told["job"]))[0]["archive"] == stand.archives["text"]


def test_part_of_an_archive(stand: Stand) -> None:
    (id_,) = stand.right("retrieve", "--range", "1048576-3145727", stand.vault, "--", stand.archives["data"])
    (job,) = stand.objects("ls", stand.job(id_))
    assert (job["size"], job["document"]["RetrievalByteRange"]) == (2 << 20, "1048576-3145727")


def test_inventory_of_a_vault(stand: Stand) -> None:
    (id_,) = stand.right("retrieve", "--inventory", "--format", "csv", "--limit", "2", stand.vault)
    (job,) = stand.objects("ls", stand.job(id_))
    asked = job["document"]["InventoryRetrievalParameters"]
    assert (job["action"], asked["Format"], asked["Limit"]) == ("InventoryRetrieval", "CSV", "2")


def test_job_whose_answer_is_lost_is_not_begun_twice(stand: Stand) -> None:
    stand.server.faults.add(Fault(kind=Kind.RESET, operation="initiate_job", done=True))
    (id_,) = stand.right("retrieve", stand.vault, "--", stand.archives["text"])
    jobs = [job["job"] for job in stand.objects("ls", stand.vault) if job["archive"] == stand.archives["text"]]
    assert sorted(jobs) == sorted(["text", id_])


def test_archive_that_is_not_there_is_a_line_and_the_others_are_retrieved(stand: Stand) -> None:
    done = stand.run("retrieve", stand.vault, "--", "no-such-archive", stand.archives["text"])
    one_failure(done, f"{stand.vault}: no-such-archive: ", lines=done.stdout.splitlines()[:1])
    assert len(done.stdout.splitlines()) == 1


def test_id_is_there_before_the_next_job_is_begun_and_the_jobs_are_waited_for(stand: Stand) -> None:
    stand.state.job_takes_s = 3600.0
    words = ("retrieve", "--wait", "--poll", "0.05", stand.vault, "--", stand.archives["text"])
    with stand.running(*words) as process:
        assert process.stdout is not None
        id_ = process.stdout.readline().strip()
        wait_until(lambda: stand.asked("describe_job") > 2, "the job is waited for")
        assert process.poll() is None
        stand.ahead_s += 3601
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "", "")
    assert stand.right("ls", stand.job(id_))[0].startswith("Succeeded")


class Hesitant(Policy):
    """Does not say whether an archive may be retrieved before it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.goes_on = threading.Event(), threading.Event()

    def admits(self, size: int, now_s: float) -> bool:
        self.is_asked.set()
        assert self.goes_on.wait(COMMAND_LIMIT_S)
        return super().admits(size, now_s)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signal_ends_it_and_the_job_that_is_being_begun_is_told(stand: Stand, number: signal.Signals) -> None:
    policy = stand.state.policy = Hesitant()
    before = set(stand.state.vault("backups").job_ids)  # type: ignore[union-attr] # it is there - made above
    with stand.running("retrieve", stand.vault, "--", *stand.archives.values()) as process:
        assert policy.is_asked.wait(COMMAND_LIMIT_S), "the request is there"
        process.send_signal(number)
        policy.goes_on.set()
        out, _ = process.communicate(timeout=COMMAND_LIMIT_S)
    assert process.returncode == 128 + number
    assert set(out.split()) == set(stand.state.vault("backups").job_ids) - before  # type: ignore[union-attr] # as above
    assert len(out.split()) == 1


@pytest.mark.parametrize("full", [True, False], ids=["full", "read by nobody"])
def test_id_that_cannot_be_printed_is_told_and_no_other_job_is_begun(
    cas: Stand, request: pytest.FixtureRequest, *, full: bool
) -> None:
    before = set(cas.state.vault("backups").job_ids)  # type: ignore[union-attr] # it is there - made above
    reader, writer = os.pipe()
    request.addfinalizer(lambda: os.close(writer))
    os.close(reader)
    words = [sys.executable, "-m", "casfs", *cas.words("retrieve", cas.vault, "--", *cas.archives.values())]
    with Path("/dev/full").open("wb") as device:
        output = device if full else writer
        done = subprocess.run(words, env=cas.env, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    (begun,) = set(cas.state.vault("backups").job_ids) - before  # type: ignore[union-attr] # as above
    why = "No space left on device" if full else "Broken pipe"
    assert (done.returncode, done.stderr) == (1, f"casfs: standard output: {why}; the job {begun} has begun\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--inventory", "archive"],
        ["--tier", "Bulk", "--inventory"],
        ["--format", "CSV", "archive"],
        ["--range", "5-1", "archive"],
        ["--range", "1", "archive"],
        ["--tier", "Slow", "archive"],
        ["--poll", "0", "archive"],
    ],
    ids=" ".join,
)
def test_command_line_that_cannot_be_read_begins_nothing(cas: Stand, arguments: list[str]) -> None:
    done = cas.run("retrieve", cas.vault, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert cas.asked("initiate_job") == 0


def test_ids_that_begin_with_hyphens_are_ids_in_their_order(stand: Stand) -> None:
    wanted = ["-Cxyz", "plain", "-h-is-no-help", "--" + "x" * 90]
    for id_ in wanted:
        stand.state.add_archive("backups", InMemory(b"data"), archive_id=id_)
    ids = stand.right(
        "retrieve", stand.vault, *wanted[:2], "--tier", "bulk", *wanted[2:], "--description", "-d", "--json"
    )
    told = [json.loads(line) for line in ids]
    assert [each["archive"] for each in told] == wanted
    assert {(each["tier"], each["description"]) for each in told} == {("Bulk", "-d")}
    (again,) = stand.right("retrieve", "--tier=bulk", stand.vault, "--", "-Cxyz")
    (job,) = stand.objects("ls", stand.job(again))
    assert (job["archive"], job["tier"]) == ("-Cxyz", "Bulk")


@pytest.mark.parametrize(("word", "said"), [("--tiar", "No such option '--tiar'"), ("-x", "No such option '-x'")])
def test_option_that_is_misspelled_is_no_id(stand: Stand, word: str, said: str) -> None:
    done = stand.run("retrieve", stand.vault, word, "Bulk")
    assert (done.returncode, stand.asked("initiate_job")) == (2, 0)
    assert said in done.stderr
