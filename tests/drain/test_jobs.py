"""Which job brings which archive, as the list of jobs has it."""

import json
from typing import Any

import pytest

from casfs.drain.archive import Entry, State
from casfs.drain.jobs import Change, Retrieval, best, retrieval_of, seen
from casfs.models import Job, JobState

DONE, RUNNING, FAILED = JobState.SUCCEEDED, JobState.IN_PROGRESS, JobState.FAILED


def job(**fields: Any) -> Job:
    told = {"ArchiveId": "a", "ArchiveSizeInBytes": 100, "RetrievalByteRange": "0-99", "StatusMessage": "fine"} | fields
    action = str(told.pop("Action", "ArchiveRetrieval"))
    return Job("v", "job", action, DONE, 5, 7, 100, None, json.dumps(told))


@pytest.mark.parametrize(
    ("fields", "is_one"),
    [
        ({}, True),
        ({"RetrievalByteRange": None}, True),
        ({"ArchiveSizeInBytes": "100"}, True),
        ({"RetrievalByteRange": "0-98"}, False),
        ({"RetrievalByteRange": "1-99"}, False),
        ({"RetrievalByteRange": "0-"}, False),
        ({"RetrievalByteRange": 3}, False),
        ({"ArchiveSizeInBytes": None}, False),
        ({"ArchiveId": None}, False),
        ({"ArchiveId": ""}, False),
        ({"Action": "InventoryRetrieval"}, False),
        ({"Action": "PushToCOS"}, False),
    ],
)
def test_a_job_is_a_retrieval_if_it_brings_all_of_an_archive(fields: dict[str, Any], *, is_one: bool) -> None:
    found = retrieval_of(job(**fields))
    assert (found is not None) is is_one
    if found is not None:
        assert (found.archive, found.job, found.state, found.created_ns) == ("a", "job", DONE, 5)
        assert found.expires_ns == 7 + 24 * 3600 * 10**9


def retrieval(name: str, state: JobState, expires_ns: int | None = None) -> Retrieval:
    return Retrieval("a", name, state, 1, expires_ns, "why")


def entry(state: State, job: str | None = None, expires_ns: int | None = None) -> Entry:
    return Entry(1, "a", 100, None, "", "a", state, job, expires_ns)


def test_the_output_that_lives_longest_is_taken_and_a_job_in_progress_only_where_there_is_none() -> None:
    old, new, running = retrieval("old", DONE, 10), retrieval("new", DONE, 20), retrieval("runs", RUNNING)
    assert best([old, running, new], ()) == new
    assert best([old, running, new], {"new"}) == old
    assert best([running, retrieval("failed", FAILED)], ()) == running
    assert best([retrieval("failed", FAILED)], ()) is None
    assert best([old, retrieval("for ever", DONE)], ()) == retrieval("for ever", DONE)


RUNS, READY, BAD = retrieval("j", RUNNING), retrieval("j", DONE, 10), retrieval("j", FAILED)
OTHER = retrieval("other", DONE, 20)
GONE, FAIL, EXPIRED = (
    ("j", "the job is gone"),
    ("j", "the job failed: why"),
    (
        "j",
        "the output expired before it was downloaded",
    ),
)


@pytest.mark.parametrize(
    ("before", "listed", "change"),
    [
        (entry(State.NEW), [], None),
        (entry(State.NEW), [RUNS], Change(State.ASKED, RUNS)),
        (entry(State.NEW), [READY], Change(State.READY, READY)),
        (entry(State.NEW), [BAD], None),
        (entry(State.ASKING), [], Change(State.NEW)),
        (entry(State.ASKING), [RUNS], Change(State.ASKED, RUNS)),
        (entry(State.ASKING), [READY], Change(State.READY, READY)),
        (entry(State.ASKED, "j"), [RUNS], None),
        (entry(State.ASKED, "j"), [READY], Change(State.READY, READY)),
        (entry(State.ASKED, "j"), [BAD], Change(State.NEW, None, FAIL)),
        (entry(State.ASKED, "j"), [BAD, OTHER], Change(State.READY, OTHER, FAIL)),
        (entry(State.ASKED, "j"), [RUNS, OTHER], Change(State.READY, OTHER)),
        (entry(State.ASKED, "j"), [], Change(State.NEW, None, GONE)),
        (entry(State.READY, "j", 10), [READY], None),
        (entry(State.READY, "j", 9), [READY], Change(State.READY, READY)),
        (entry(State.READY, "j", 10), [], Change(State.NEW, None, EXPIRED)),
        (entry(State.READY, "j", 10), [OTHER], Change(State.READY, OTHER, EXPIRED)),
        (entry(State.READY, "j", 10), [READY, OTHER], None),
        (entry(State.READY, "j", 10), [BAD], Change(State.NEW, None, FAIL)),
    ],
)
def test_an_archive_stands_where_the_list_of_jobs_has_it(
    before: Entry, listed: list[Retrieval], change: Change | None
) -> None:
    assert seen(before, listed, frozenset()) == change


def test_a_job_whose_output_was_refused_is_not_taken_again() -> None:
    assert seen(entry(State.NEW), [READY], {"j"}) is None
    assert seen(entry(State.NEW), [READY, OTHER], {"j"}) == Change(State.READY, OTHER)
