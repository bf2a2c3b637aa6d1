"""Service metadata as extended attributes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs import attributes
from casfs.attributes import field_value, listed, printable, snake_case
from casfs.fs.xattrs import attributes_of
from casfs.iso_time import iso_utc
from casfs.models import Cached, Job, Vault
from casfs.tree.nodes import JobDir, OutputFile, Root, VaultDir
from tests.fs.stands import Behaviour, StandInOutputs, job


def of_output(found: Job) -> dict[str, bytes]:
    return attributes_of(OutputFile(found), StandInOutputs())


@pytest.mark.parametrize(
    ("field", "name"),
    [
        line.split()[start : start + 2]
        for line in (attributes.__doc__ or "").splitlines()
        for start in range(0, len(line.split()), 2)
        if line.startswith("    ")
    ],
)
def test_each_documented_field_has_the_name_that_the_docstring_says(field: str, name: str) -> None:
    assert snake_case(field) == name


def test_an_output_has_the_document_as_one_line_and_each_scalar_field() -> None:
    found = of_output(job("a", 1, Tier="Bulk", ArchiveSizeInBytes=12, Completed=True, Later=False))
    described = json.loads(found["user.cas.describe"])
    assert described["ArchiveSizeInBytes"] == 12
    assert found["user.cas.tier"] == b"Bulk"
    assert found["user.cas.archive_size_in_bytes"] == b"12"
    assert (found["user.cas.completed"], found["user.cas.later"]) == (b"true", b"false")
    assert found["user.cas.job_id"] == b"a"


def test_null_fields_are_absent_and_empty_ones_are_not() -> None:
    found = of_output(job("a", 1, Tier=None, JobDescription=""))
    assert "user.cas.tier" not in found
    assert found["user.cas.job_description"] == b""


def test_what_is_no_scalar_is_in_the_document_only() -> None:
    found = of_output(job("a", 1, InventoryRetrievalParameters={"Format": "CSV"}, List=[1]))
    assert {name for name in found if "inventory" in name or "list" in name} == set()
    assert b'"Format": "CSV"' in found["user.cas.describe"]


def test_numbers_stay_as_they_were_sent() -> None:
    document = '{"A":1e400,"B":1.0,"C":123456789012345678901234567890,"D":NaN}'
    found = of_output(replace(job("a", 1), document=document))
    assert [found.get(f"user.cas.{name}") for name in "abcd"] == [
        b"1e400",
        b"1.0",
        b"123456789012345678901234567890",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('say "hi" \\ bye', 'say "hi" \\ bye'),
        ("grün", "gr\\u00fcn"),
        ("\U0001f600", "\\ud83d\\ude00"),
        ("a\nb\tc\0", "a\\nb\\tc\\u0000"),
        ("\x7f", "\\u007f"),
        ("\ud800", "\\ud800"),
    ],
)
def test_only_what_is_no_printable_ascii_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_every_text_becomes_printable_ascii(text: str) -> None:
    assert all(" " <= character <= "~" for character in printable(text))


def test_an_output_knows_when_it_expires_and_how_far_it_was_checked() -> None:
    found = of_output(replace(job("a", 1), completed_ns=1_714_600_800_500_000_000))
    assert found["user.cas.expires"] == b"2024-05-02T22:00:00.500Z"
    assert found["user.cas.verified"] == b"none"
    assert found["user.mime_type"] == b"application/octet-stream"


def test_an_output_says_how_much_of_it_is_kept_on_disk_where_there_is_a_cache() -> None:
    assert "user.cas.cached" not in of_output(job("a", 1))
    outputs = StandInOutputs()
    outputs.behaviours["a"] = Behaviour(cached=Cached(2, 5))
    found = attributes_of(OutputFile(job("a", 1)), outputs)
    assert found["user.cas.cached"] == b"2/5"
    assert "user.cas.cached" in listed(found)


@pytest.mark.parametrize(
    ("moment_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_600_000_000_123_456_789, "2020-09-13T12:26:40.123456789Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (10**30, None),
    ],
)
def test_times_are_iso_8601_in_utc(moment_ns: int, text: str | None) -> None:
    assert iso_utc(moment_ns) == text


@pytest.mark.parametrize("completed_ns", [None, 10**30], ids=["never", "after the last year"])
def test_an_output_without_a_usable_completion_does_not_say_when_it_expires(completed_ns: int | None) -> None:
    assert "user.cas.expires" not in of_output(replace(job("a", 1), completed_ns=completed_ns))


def test_no_tree_hash_is_no_attribute() -> None:
    assert of_output(job("a", 1))["user.cas.tree_hash"] == b"ab" * 32
    assert "user.cas.tree_hash" not in of_output(replace(job("a", 1), tree_hash=None))


def test_a_job_has_what_its_output_has_but_what_only_bytes_have() -> None:
    found = attributes_of(JobDir(job("a", 1, Tier="Bulk")), StandInOutputs())
    only_of_bytes = {"user.cas.expires", "user.cas.verified", "user.mime_type"}
    assert set(of_output(job("a", 1, Tier="Bulk"))) == set(found) | only_of_bytes
    assert not only_of_bytes & set(found)


def test_a_vault_has_its_document_and_fields_and_the_root_nothing_of_the_service() -> None:
    vault = VaultDir(Vault("v", 0, '{"VaultName":"v","VaultQCS":"qcs::","LastInventoryDate":null}'))
    assert list(attributes_of(vault, StandInOutputs())) == [
        "user.cas.describe",
        "user.cas.vault_name",
        "user.cas.vault_qcs",
    ]
    assert attributes_of(Root(), StandInOutputs()) == {}


def test_a_field_cannot_take_the_place_of_an_attribute_of_casfs() -> None:
    hostile: dict[str, Any] = {"Describe": "x", "TreeHash": "x", "Expires": "x", "Verified": "whole", "Stats": "x"}
    assert (
        attributes_of(JobDir(job("a", 1, **hostile)), StandInOutputs()).keys()
        == attributes_of(JobDir(job("a", 1)), StandInOutputs()).keys()
    )
    assert of_output(job("a", 1, **hostile))["user.cas.verified"] == b"none"


@pytest.mark.parametrize("name", ["", "\0", "\u00fc", "--", "x" * 256], ids=ascii)
def test_a_field_whose_name_cannot_be_an_attributes_is_left_out(name: str) -> None:
    assert of_output(job("a", 1, **{name: "x"})).keys() == of_output(job("a", 1)).keys()


def test_a_value_that_the_kernel_would_not_pass_on_is_left_out() -> None:
    assert len(of_output(job("a", 1, Long="x" * 65536))["user.cas.long"]) == 65536
    assert "user.cas.long" not in of_output(job("a", 1, Long="x" * 65537))
    assert "user.cas.describe" not in of_output(job("a", 1, Long="x" * 65537))


def taken(attributes: dict[str, bytes], names: list[str]) -> int:
    """Return the bytes that these attributes take at the file system that they are copied to."""
    return sum(len(name) + len(attributes[name]) + 20 for name in names)


ALWAYS = ["user.cas.tree_hash", "user.cas.expires", "user.cas.verified"]


def test_attributes_that_fit_are_all_listed() -> None:
    found = of_output(job("a", 1, JobDescription="x" * 1000))
    assert listed(found) == list(found)


@pytest.mark.parametrize(
    "fields",
    [
        {"ArchiveDescription": "\u6863" * 400},
        {"ArchiveDescription": "\u6863" * 200, "JobDescription": "\u6848" * 200},
        {"JobDescription": "x" * 900, "ArchiveDescription": "x" * 1024},
        {"SNSTopic": "x" * 1500, "JobDescription": "x" * 1600},
        {"Long": "x" * 40_000},
        {f"Field{number}": "x" * 10 for number in range(200)},
        {f"{'Field' * 40}{number}": "" for number in range(400)},
    ],
    ids=lambda fields: f"{len(fields)} of {sum(map(len, fields.values()))}",
)
def test_what_is_listed_fits_a_file_system_and_the_rest_is_still_there(fields: dict[str, str]) -> None:
    found = of_output(job("a", 1, **fields))
    names = listed(found)
    assert taken(found, names) <= 3500 < taken(found, list(found))
    assert [name for name in found if name in names] == names
    assert set(ALWAYS) <= set(names)
    assert all(f"user.cas.{snake_case(name)}" in found for name in fields)


def test_the_longest_fields_that_the_document_repeats_are_left_out_first() -> None:
    # The document and what always stays take about 2,400 bytes.
    found = of_output(job("a", 1, Long="x" * 1000, Longest="x" * 1100, Short="x"))
    assert set(found) - set(listed(found)) == {"user.cas.long", "user.cas.longest"}
    found = of_output(job("a", 1, Long="x" * 600, Longest="x" * 1100, Short="x"))
    assert set(found) - set(listed(found)) == {"user.cas.longest"}


def test_a_document_that_does_not_fit_by_itself_goes_first() -> None:
    found = of_output(job("a", 1, Long="x" * 1900, Longer="x" * 1600, Short="x"))
    assert set(found) - set(listed(found)) == {"user.cas.describe", "user.cas.long"}


def test_what_is_listed_does_not_change_while_an_output_is_read() -> None:
    for length in range(1300, 1600):
        found = of_output(job("a", 1, JobDescription="x" * length))
        later = found | {"user.cas.verified": b"41943040/41943040"}
        assert listed(found) == listed(later)
        del later["user.mime_type"]
        assert listed(later) == [name for name in listed(found) if name != "user.mime_type"]


@pytest.mark.parametrize("length", [4000, 60_000])
def test_a_media_type_that_does_not_fit_is_not_listed(length: int) -> None:
    found = of_output(job("a", 1)) | {"user.mime_type": b"x" * length}
    assert set(found) - set(listed(found)) == {"user.mime_type"}


def test_the_figures_of_the_root_are_listed_beside_a_long_document() -> None:
    vault = VaultDir(Vault("v", 0, json.dumps({"VaultName": "v", "Long": "x" * 2000})))
    found = attributes_of(vault, StandInOutputs()) | {"user.cas.stats": b" " * 1024}
    assert listed(found) == ["user.cas.describe", "user.cas.vault_name", "user.cas.stats"]


@pytest.mark.parametrize("text", ["\u00e9", "\\u00e9", "C:\\new", "\\", '\\"', "a\nb", "\\n"])
def test_each_text_has_a_value_of_its_own_that_can_be_read_back(text: str) -> None:
    found = of_output(job("a", 1, JobDescription=text))
    value = found["user.cas.job_description"].decode()
    assert json.loads('"' + value.replace('"', '\\"') + '"') == text
    assert json.loads(found["user.cas.describe"])["JobDescription"] == text


@given(st.text(), st.text())
def test_texts_that_differ_have_values_that_differ(one: str, other: str) -> None:
    assert (field_value(one) == field_value(other)) == (one == other)


def test_backslashes_are_doubled_in_fields_only() -> None:
    found = of_output(job("a", 1, JobDescription="C:\\new"))
    assert found["user.cas.job_description"] == b"C:\\\\new"
    assert json.dumps("C:\\new").encode() in found["user.cas.describe"]
