"""Inventories as streams: whatever is whole is read, whatever is cut off is an error."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.drain.archive import Archive
from casfs.drain.inventory import as_csv, as_json
from casfs.drain.inventory.fields import COLUMNS
from casfs.drain.inventory.reading import archives
from casfs.errors import ProtocolError

HASH = "0123456789abcdef" * 4
DATE = "2014-03-01T12:00:00.000Z"
TEXTS = st.one_of(st.text(max_size=30), st.text('",\\ab\n\r ', max_size=12))
ARCHIVES = st.lists(
    st.builds(
        Archive,
        id=st.text("abcXYZ019-_", min_size=1, max_size=10),
        description=TEXTS,
        created=st.sampled_from(["", DATE]),
        size=st.integers(0, 40 << 40),
        tree_hash=st.sampled_from([None, HASH]),
    ),
    max_size=6,
)


def pieces(data: bytes, length: int) -> Iterator[bytes]:
    return (data[at : at + length] for at in range(0, len(data), length))


def row(archive: Archive) -> list[object]:
    return [archive.id, archive.description, archive.created, archive.size, archive.tree_hash]


def as_document(listed: list[Archive], **more: object) -> bytes:
    rows = [dict(zip(COLUMNS, row(archive), strict=True)) for archive in listed]
    return json.dumps({"VaultARN": "arn", "InventoryDate": DATE, "ArchiveList": rows, **more}).encode()


@given(ARCHIVES, st.integers(1, 50))
def test_json_is_read_in_pieces_of_any_length(listed: list[Archive], length: int) -> None:
    assert list(as_json.archives(pieces(as_document(listed), length))) == listed


@given(ARCHIVES, st.data())
def test_json_that_is_cut_off_anywhere_is_an_error(listed: list[Archive], data: st.DataObject) -> None:
    whole = as_document(listed)
    at = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ProtocolError, match="no JSON that can be used"):
        list(as_json.archives(pieces(whole[:at], 64)))


def test_json_of_any_order_of_fields_and_any_space_is_read() -> None:
    text = '\ufeff { "ArchiveList" : [ ] ,\n"Other":{"deep":[1,2.5,null]},"N":12 } \n'
    assert list(as_json.archives(pieces(text.encode(), 7))) == []


def test_json_larger_than_the_window_is_read_archive_by_archive() -> None:
    listed = [Archive(f"id-{number}", "d" * 1000, DATE, number, HASH) for number in range(300)]
    assert list(archives(io.BytesIO(as_document(listed)))) == listed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "no JSON"),
        ("", "cut off"),
        ("{}", "no ArchiveList"),
        ('{"ArchiveList":[]} x', "behind its end"),
        ('{"ArchiveList":[]}{"ArchiveList":[]}', "behind its end"),
        ('{"ArchiveList":[],"ArchiveList":[]}', "two fields"),
        ('{"ArchiveList":[3]}', "archive 1 is a int"),
        ('{"ArchiveList":{}}', "no JSON"),
        ('{"ArchiveList":[{"ArchiveId":"a","Size":1},]}', "no JSON"),
        ('{"ArchiveList":[{"ArchiveId":"a","Size":1}{}]}', "no JSON"),
        ('{"ArchiveList":[{"ArchiveId":"","Size":1}]}', "ArchiveId of archive 1"),
        ('{"ArchiveList":[{"Size":1}]}', "ArchiveId of archive 1"),
        ('{"ArchiveList":[{"ArchiveId":"a\\ud800","Size":1}]}', "ArchiveId of archive 1"),
        ('{"ArchiveList":[{"ArchiveId":"a"}]}', "Size of archive 1"),
        ('{"ArchiveList":[{"ArchiveId":"a","Size":-1}]}', "Size of archive 1"),
        ('{"ArchiveList":[{"ArchiveId":"a","Size":1.5}]}', "Size of archive 1"),
        ('{"ArchiveList":[{"ArchiveId":"a","Size":true}]}', "Size of archive 1"),
        ('{"ArchiveList":[{"ArchiveId":"a","Size":1,"SHA256TreeHash":"xyz"}]}', "SHA256TreeHash of archive 1"),
        ('{"a":' + "[" * 100_000, "no JSON"),
        ('{"a":"' + "x" * (2 << 20), "no JSON"),
        ('{"a":' + "9" * 5000 + "}", "no JSON"),
    ],
    ids=range(21),
)
def test_what_is_no_inventory_in_json_says_why(text: str, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        list(as_json.archives(pieces(text.encode(), 1000)))


def test_sizes_may_be_text_and_hashes_upper_case_and_descriptions_anything() -> None:
    fields = {"ArchiveId": "a", "Size": "12", "SHA256TreeHash": HASH.upper(), "ArchiveDescription": "\ud800"}
    found = list(as_json.archives(iter([json.dumps({"ArchiveList": [fields]}).encode()])))
    assert found == [Archive("a", "\ud800", "", 12, HASH)]
    raw = b'{"ArchiveList":[{"ArchiveId":"a","Size":1,"ArchiveDescription":"\xff"}]}'
    assert [each.description for each in as_json.archives(iter([raw]))] == ["\udcff"]


def glacier_cell(value: object) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '\\"') + '"' if set(text) & set(',"\\') else text


def as_glacier_csv(listed: list[Archive], ends: str, *, header: bool) -> bytes:
    lines = [",".join(COLUMNS)] * header + [",".join(map(glacier_cell, row(archive))) for archive in listed]
    return "".join(f"{line}{ends}" for line in lines).encode("utf-8", "surrogatepass")


def as_usual_csv(listed: list[Archive], columns: int) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(COLUMNS[:columns])
    writer.writerows(row(archive)[:columns] for archive in listed)
    return made.getvalue().encode()


def listed_as(descriptions: st.SearchStrategy[str]) -> st.SearchStrategy[Archive]:
    """Return archives of which an inventory says everything."""
    return st.builds(
        Archive,
        id=st.just("id"),
        description=descriptions,
        created=st.just(DATE),
        size=st.integers(0, 99),
        tree_hash=st.just(HASH),
    )


GLACIER_TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20) | st.text(
    '",\\', max_size=6
)
FULL = listed_as(GLACIER_TEXTS)


@given(st.lists(FULL, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]), st.integers(0, 1), st.integers(1, 40))
def test_csv_of_glacier_is_read_whatever_the_descriptions(
    listed: list[Archive],
    ends: str,
    headers: int,
    length: int,
) -> None:
    data = as_glacier_csv(listed, ends, header=bool(headers))
    assert list(as_csv.archives(pieces(data, length))) == listed
    assert list(as_csv.archives(pieces(data.removesuffix(ends.encode()), length))) == listed


USUAL_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufeff"), max_size=20) | st.text(
    '",\\\na', max_size=6
)
USUAL = listed_as(USUAL_TEXTS)


@given(st.lists(USUAL, min_size=1, max_size=4), st.sampled_from([4, 5]), st.integers(1, 40))
def test_csv_in_the_usual_form_is_read_with_four_columns_and_with_five(
    listed: list[Archive], columns: int, length: int
) -> None:
    expected = [replace(each, tree_hash=each.tree_hash if columns == 5 else None) for each in listed]
    assert list(as_csv.archives(pieces(as_usual_csv(listed, columns), length))) == expected


@given(st.lists(FULL, min_size=1, max_size=3), st.data())
def test_csv_that_is_cut_within_a_line_is_an_error(listed: list[Archive], data: st.DataObject) -> None:
    whole = as_glacier_csv(listed, "\n", header=True)
    begins = whole.rstrip(b"\n").rfind(b"\n") + 1
    at = data.draw(st.integers(begins + 1, len(whole) - 2))
    with pytest.raises(ProtocolError, match="cut off"):
        list(as_csv.archives(pieces(whole[:at], 64)))


@given(st.lists(USUAL, min_size=1, max_size=3), st.data())
def test_csv_of_four_columns_that_is_cut_within_a_line_is_an_error(listed: list[Archive], data: st.DataObject) -> None:
    whole = as_usual_csv(listed, 4)
    cut = data.draw(st.integers(1, len(f",{listed[-1].size}\r\n") + 10))
    with pytest.raises(ProtocolError, match="cut off"):
        list(as_csv.archives(pieces(whole[:-cut], 64)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ArchiveId,Size\n", "columns that nobody knows"),
        ("not a line\n", "cut off, or no CSV"),
        ("id,d,date,12,zz\n", "cut off, or no CSV"),
        ('id,"' + "x" * 70_000 + "\n", "no CSV|too long"),
        ("x" * 300_000, "too long"),
    ],
)
def test_what_is_no_inventory_in_csv_says_why(text: str, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        list(as_csv.archives(pieces(text.encode(), 1000)))


def test_the_form_is_told_by_the_first_character_and_nothing_is_an_empty_table() -> None:
    assert list(archives(io.BytesIO(b"\xef\xbb\xbf" + as_document([])))) == []
    assert list(archives(io.BytesIO(",".join(COLUMNS).encode()))) == []
    assert list(archives(io.BytesIO(b""))) == []
