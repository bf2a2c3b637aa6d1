"""The service's JSON as models."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api.documents import Fields, job_from, line, number, parsed, span, time_ns, tree_hash, vault_from
from casfs.errors import ProtocolError
from casfs.models import Job, JobState

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KNOWN = st.sampled_from(
    ["Action", "JobId", "VaultName", "StatusCode", "CreationDate", "CompletionDate", "RetrievalByteRange",
     "InventorySizeInBytes", "SHA256TreeHash", "Marker"]
)  # fmt: skip
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

ARCHIVE_JOB: Fields = {
    "Action": "ArchiveRetrieval",
    "ArchiveId": "-aid",
    "ArchiveSHA256TreeHash": HASH,
    "ArchiveSizeInBytes": 16777216,
    "CallBackUrl": None,
    "Completed": True,
    "CompletionDate": "2017-08-29T12:29:41.123456789Z",
    "CreationDate": "2017-08-29T08:29:41.000Z",
    "JobDescription": "Ünïcode ☃",
    "JobId": "-nVoA6erIw71cTwI4gY6kaYpCrV1ehUrqXCkDHNfObQSfkqk_f5KyeKcxVvo--8A",
    "RetrievalByteRange": "1048576-2097151",
    "SHA256TreeHash": HASH.upper(),
    "StatusCode": "Succeeded",
    "Tier": "Bulk",
}


def job(**fields: object) -> Job:
    return job_from("v", {"JobId": "j"} | fields)


def test_an_archive_job_is_what_its_document_says() -> None:
    made = job_from("v", parsed(json.dumps(ARCHIVE_JOB).encode()))
    assert (made.vault, made.id, made.action) == ("v", ARCHIVE_JOB["JobId"], "ArchiveRetrieval")
    assert (made.state, made.size, made.tree_hash) == (JobState.SUCCEEDED, 1048576, HASH)
    assert (made.created_ns, made.completed_ns) == (1503995381000000000, 1504009781123456789)
    assert made.output is not None


def test_the_document_is_one_line_of_ascii_with_every_field_in_the_services_order() -> None:
    body = b'{"Zeta":null,"JobId":"j","Neu":{"b":[1,2.50,"\\u2603"],"a":"\xe2\x98\x83\\n"},"Action":"Future"}'
    made = job_from("v", parsed(body))
    assert made.document == '{"Zeta":null,"JobId":"j","Neu":{"b":[1,2.5,"\\u2603"],"a":"\\u2603\\n"},"Action":"Future"}'
    assert (made.action, made.state, made.output) == ("Future", JobState.UNKNOWN, None)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(458, 458), ("458", 458), (" 458 ", 458), (458.0, 458), (0, None), ("0", None), ("", None), (None, None),
     (-1, None), ("-1", None), (1.5, None), (float("inf"), None), (float("nan"), None),
     (True, None), ([458], None), ("12x", None), (2**63, 2**63 - 1), (10**400, 2**63 - 1), ("9" * 30, 2**63 - 1),
     (1e300, 2**63 - 1), ("\u0664", None), (2**63 - 1, 2**63 - 1)],
)  # fmt: skip
def test_an_inventory_has_the_size_that_any_spelling_of_it_says(size: object, expected: int | None) -> None:
    assert job(Action="InventoryRetrieval", InventorySizeInBytes=size).size == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0-0", 1), ("0-1048575", 1048576), ("1048576-2097151", 1048576), (" 0 - 9 ", 10), ("5-4", None), ("0-", None),
     ("-5", None), ("", None), (None, None), (5, None), ("a-b", None), ("0-1-2", None), ("0-" + "9" * 18, 10**18),
     ("0-" + "9" * 40, 2**63 - 1), ("0-" + "9" * 601, None)],
)  # fmt: skip
def test_an_archive_output_is_as_long_as_its_span(text: object, expected: int | None) -> None:
    assert span(text) == expected
    assert job(Action="ArchiveRetrieval", RetrievalByteRange=text, ArchiveSizeInBytes=7).size == expected


@pytest.mark.parametrize("action", ["PushToCOS", "PullFromCOS", "Select", "", None, 5])
def test_other_jobs_have_no_size(action: object) -> None:
    assert job(Action=action, RetrievalByteRange="0-9", InventorySizeInBytes=10).size is None


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00", 0),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("2017-07-14T02:40:00.1Z", 1500000000_100000000),
        ("2017-07-14T02:40:00.123Z", 1500000000_123000000),
        ("2017-07-14T02:40:00.123456789Z", 1500000000_123456789),
        ("2017-07-14T02:40:00.1234567899Z", 1500000000_123456789),
        ("2017-07-14T04:40:00+02:00", 1500000000_000000000),
        ("2017-07-13T18:40:00-0800", 1500000000_000000000),
        (" 2017-07-14t02:40:00z ", 1500000000_000000000),
        ("2017-07-14 02:40:00", 1500000000_000000000),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
        ("2262-04-11T23:47:16.854775808Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("2017-02-30T00:00:00Z", None),
        ("2017-07-14", None),
        ("2017-07-14T02:40:00.Z", None),
        ("2017-07-14T02:40:60Z", None),
        ("", None),
        (None, None),
        (1500000000, None),
    ],
)
def test_a_date_is_told_to_the_nanosecond(date: object, expected: int | None) -> None:
    assert time_ns(date) == expected


@given(st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)))  # noqa: DTZ001 - hypothesis adds the zone itself
def test_a_date_comes_to_what_the_standard_library_makes_of_it(moment: datetime) -> None:
    utc = moment.replace(tzinfo=UTC)
    since = utc - datetime(1970, 1, 1, tzinfo=UTC)
    assert time_ns(utc.isoformat()) == (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000


@pytest.mark.parametrize("value", [HASH[:-1], HASH + "0", "g" + HASH[1:], "", None, 5, HASH[:-1] + "\n", [HASH]])
def test_what_is_no_hash_is_none(value: object) -> None:
    assert tree_hash(value) is None


@pytest.mark.parametrize("name", [None, "", 5, ["v"], "\ud800", {"v": 1}])
def test_a_document_without_a_usable_name_is_a_named_error(name: object) -> None:
    with pytest.raises(ProtocolError, match="VaultName"):
        vault_from({"VaultName": name})
    with pytest.raises(ProtocolError, match="JobId"):
        job_from("v", {"JobId": name})


def test_the_name_that_was_asked_for_need_not_be_repeated() -> None:
    assert vault_from({"CreationDate": None}, name="v").name == "v"
    assert job_from("v", {}, id_="j").id == "j"


def test_the_document_of_another_job_is_no_answer() -> None:
    with pytest.raises(ProtocolError, match="in answer to"):
        job_from("v", {"JobId": "i"}, id_="I")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"5", b'"text"', b"{", b"<html>", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}',
     b"{a: 1}",
     b'{"a": ' + b"9" * 5000 + b"}", b"\xff\xfe{\x00}\x00", b'{"a": "\n"}', b"[" * 100000,
     b'{"a":' * 100000],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_what_is_no_document_is_a_named_error(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        parsed(body)


def test_a_description_in_another_encoding_does_not_hide_a_vault() -> None:
    body = b'{"VaultName":"v","Note":"\xff\xfe"}'
    assert vault_from(parsed(body)).document == '{"VaultName":"v","Note":"\\ufffd\\ufffd"}'


def test_of_a_field_that_comes_twice_the_last_one_counts() -> None:
    assert vault_from(parsed(b'{"VaultName":"a","VaultName":"b"}')).name == "b"


def test_a_document_begins_with_a_byte_order_mark_where_the_service_likes_it() -> None:
    assert parsed(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@given(st.binary())
def test_any_bytes_are_a_document_or_a_named_error(body: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        parsed(body)


@given(st.dictionaries(KNOWN, JSON) | st.dictionaries(st.text(), JSON))
def test_any_object_is_a_job_and_a_vault_or_a_named_error(fields: dict[str, Any]) -> None:
    for model in (lambda: job_from("v", fields), lambda: vault_from(fields)):
        try:
            document = model().document
        except ProtocolError:
            continue
        assert document.isascii()
        assert "\n" not in document


@given(st.dictionaries(st.text(), JSON))
def test_a_document_that_was_read_can_be_read_again(fields: dict[str, Any]) -> None:
    try:
        read = parsed(json.dumps(fields).encode())
    except ProtocolError:
        return
    assert parsed(line(read).encode()) == read


@given(JSON)
def test_any_value_is_a_number_of_bytes_or_none(value: object) -> None:
    made = number(value)
    assert made is None or 0 <= made < 2**63


def test_a_document_that_can_be_read_but_not_written_is_a_named_error() -> None:
    deep: Fields = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(ProtocolError):
        line(deep)
