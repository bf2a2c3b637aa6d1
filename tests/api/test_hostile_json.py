"""Pages of which one document holds what nobody can use."""

import json
import threading

import pytest

from casfs.api import hostile_json
from casfs.api.documents import job_from, parsed, parsed_page
from casfs.api.hostile_json import DEEPEST, LONGEST_NUMBER
from casfs.api.listings import ListOperation
from casfs.errors import ProtocolError
from casfs.models import Job
from tests.conftest import Announce

DEEP = 100_000
HOSTILE = {
    "5,000 digits": "9" * 5000,
    "minus 5,000 digits": "-" + "9" * 5000,
    "1e400": "1e400",
    "-1e400": "-1e400",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "lists": "[" * DEEP + "]" * DEEP,
    "objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "lists with brackets in text": '["]]]",' * DEEP + "1" + "]" * DEEP,
    "just too deep": "[" * DEEPEST + "]" * DEEPEST,
    "900 levels": "[" * 900 + "]" * 900,
}
EVERY = pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)


def page(value: str, field: str = "Size") -> bytes:
    return f'{{"JobList":[{{"JobId":"a"}},{{"JobId":"b","{field}":{value}}},{{"JobId":"c"}}],"Marker":null}}'.encode()


def listing() -> ListOperation[Job]:
    return ListOperation("JobList", lambda fields: job_from("vault", fields), lambda job: job.id)


@EVERY
@pytest.mark.parametrize("field", ["Size", "Action", "StatusCode", "RetrievalByteRange", "CreationDate"])
def test_a_document_that_cannot_be_used_hides_itself_and_nothing_else(
    value: str, field: str, announce: Announce, caplog: pytest.LogCaptureFixture
) -> None:
    announce("left out of JobList: 1 that cannot be used")
    jobs = listing()
    assert [job.id for job in jobs.items(lambda _: jobs.page(parsed_page(page(value, field))))] == ["a", "c"]
    assert len(caplog.records) == 1


@EVERY
def test_an_id_that_cannot_be_used_hides_its_document(value: str, announce: Announce) -> None:
    announce("left out of JobList: 1 that cannot be used")
    jobs = listing()
    text = page(value).replace(b'"b"', value.encode()[:100_000] if value.startswith("-9") else value.encode())
    assert [job.id for job in jobs.items(lambda _: jobs.page(parsed_page(text)))] == ["a", "c"]


@EVERY
def test_a_marker_that_cannot_be_used_is_no_end_of_the_list(value: str) -> None:
    with pytest.raises(ProtocolError, match="Marker"):
        listing().page(parsed_page(f'{{"JobList":[],"Marker":{value}}}'.encode()))


@EVERY
def test_one_document_that_cannot_be_used_is_a_named_error(value: str) -> None:
    with pytest.raises(ProtocolError):
        parsed(f'{{"JobId":"b","Size":{value}}}'.encode())


@pytest.mark.parametrize(
    "text", ["[" * DEEP, '{"JobList":' + "[" * DEEP, "[" * DEEP + '"', "[" * DEEP + "}" * DEEP, ""]
)
def test_what_does_not_end_is_no_page(text: str) -> None:
    with pytest.raises(ProtocolError):
        parsed_page(text.encode())


def test_what_the_service_sends_is_read_as_json_reads_it() -> None:
    text = '{"a":[1,-2,3.5,1e+300,true,null,"]\\"[{"],"b":{"c":{}},"d":"\\ud800"}'
    assert hostile_json.loads(text) == json.loads(text)
    assert hostile_json.dumps(json.loads(text)) == text
    assert hostile_json.loads("9" * LONGEST_NUMBER) == int("9" * LONGEST_NUMBER)


def test_depth_is_bearable_on_the_stack_of_any_thread() -> None:
    # A quarter of what threads have; Python 3.13 goes 10,000 levels deep before it gives up, others a thousand.
    answers: list[object] = []
    old = threading.stack_size(2 << 20)
    try:
        thread = threading.Thread(target=lambda: answers.append(parsed_page(page(HOSTILE["lists"]))["Marker"]))
        thread.start()
    finally:
        threading.stack_size(old)
    thread.join(30)
    assert answers == [None]
