"""What is known of jobs and of their bytes, as values."""

import copy
import json
import pickle

import pytest

from casfs import errors
from casfs.models import Cached, Job, JobState, Output, Verification, VerificationState

DAY_NS = 86_400_000_000_000


def job(state: JobState, completed_ns: int | None) -> Job:
    return Job("vault", "job", "ArchiveRetrieval", state, 5, completed_ns, 1, None, "{}")


@pytest.mark.parametrize(
    ("state", "completed_ns", "expires_ns"),
    [
        (JobState.SUCCEEDED, 10**18 + 7, 10**18 + 7 + DAY_NS),
        (JobState.FAILED, 7, 7 + DAY_NS),
        (JobState.SUCCEEDED, None, None),
        (JobState.IN_PROGRESS, None, None),
        (JobState.IN_PROGRESS, 7, None),
        (JobState.UNKNOWN, 7, None),
    ],
)
def test_job_expires_a_day_after_it_was_finished_and_nobody_knows_when_before(
    state: JobState, completed_ns: int | None, expires_ns: int | None
) -> None:
    assert job(state, completed_ns).expires_ns == expires_ns


def test_state_of_a_job_equals_its_text() -> None:
    assert job(JobState.SUCCEEDED, 7).state == "Succeeded"


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (VerificationState.WHOLE, "whole"),
        (VerificationState.PARTIAL, "3/4"),
        (VerificationState.NONE, "none"),
        (VerificationState.UNAVAILABLE, "unavailable"),
        (VerificationState.MISMATCH, "mismatch"),
    ],
)
def test_verification_is_a_word_or_of_how_many_blocks_how_many_were_proved(state: VerificationState, text: str) -> None:
    assert str(Verification(state, 3, 4)) == text


@pytest.mark.parametrize(
    ("held", "total", "text"), [(0, 3, "none"), (1, 3, "1/3"), (3, 3, "whole"), (0, None, "none"), (0, 0, "whole")]
)
def test_what_is_kept_on_disk_is_said_in_a_word_or_in_blocks(held: int, total: int | None, text: str) -> None:
    assert str(Cached(held, total)) == text


@pytest.mark.parametrize("kind", [kind for kind in vars(errors).values() if isinstance(kind, type)])
def test_an_error_goes_to_another_process_as_it_is(kind: type[Exception]) -> None:
    if not issubclass(kind, errors.CasfsError):
        return
    error = kind("what happened", 7) if kind is errors.SizeChangedError else kind("what happened")
    error.is_told = True
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(copied), str(copied), vars(copied)) == (kind, "what happened", vars(error))


def test_an_output_is_named_on_one_line() -> None:
    assert str(Output("vault", "job", 1, None, is_inventory=False)) == "vault/job"
    assert str(Output("vault", "two\nlines\x1b", 1, None, is_inventory=False)) == r"vault/two\nlines\x1b"


@pytest.mark.parametrize(
    ("document", "is_of_more"),
    [
        ({"ArchiveSHA256TreeHash": "ab" * 32, "ArchiveSizeInBytes": 5}, True),
        ({"ArchiveSHA256TreeHash": "AB" * 32, "ArchiveSizeInBytes": "5"}, True),
        ({"ArchiveSHA256TreeHash": "ab" * 32, "ArchiveSizeInBytes": 3}, False),
        ({"ArchiveSHA256TreeHash": "cd" * 32, "ArchiveSizeInBytes": 5}, False),
        ({"ArchiveSHA256TreeHash": "ab" * 32, "ArchiveSizeInBytes": None}, False),
        ({}, False),
    ],
)
def test_a_range_may_have_the_hash_of_its_archive_and_then_it_has_none_of_its_own(
    document: dict[str, object], *, is_of_more: bool
) -> None:
    made = Job("vault", "job", "ArchiveRetrieval", JobState.SUCCEEDED, 5, 5, 3, "ab" * 32, json.dumps(document))
    assert made.output is not None
    assert made.output.has_hash_of_more == is_of_more
