"""Jobs in little memory."""

import json

from hypothesis import given
from hypothesis import strategies as st

from casfs.models import Job, JobState
from casfs.tree.compression import compress, decompress

NUMBERS = st.none() | st.integers(0, 2**63)
JOBS = st.builds(
    Job,
    vault=st.text(),
    id=st.text(),
    action=st.text(),
    state=st.sampled_from(JobState),
    created_ns=NUMBERS,
    completed_ns=NUMBERS,
    size=NUMBERS,
    tree_hash=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
    document=st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.integers()).map(json.dumps),
)


@given(JOBS)
def test_job_comes_back_as_it_was(job: Job) -> None:
    assert decompress(compress(job), job.vault, job.id) == job


@given(JOBS, JOBS)
def test_packed_jobs_are_equal_where_the_jobs_are(one: Job, other: Job) -> None:
    assert (compress(one) == compress(other)) == (one == decompress(compress(other), one.vault, one.id))


def test_long_document_comes_back_as_it_was() -> None:
    job = Job("v", "j", "", JobState.UNKNOWN, None, None, None, None, json.dumps({"JobDescription": "ab" * 2**20}))
    assert decompress(compress(job), "v", "j") == job
