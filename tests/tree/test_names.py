"""Names as files, and files as names."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.tree.names import HiddenNames, can_be_file, can_be_vault

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=300)


@given(ANY_TEXT)
def test_any_text_is_judged_and_what_is_shown_is_one_name_of_a_path(name: str) -> None:
    if can_be_file(name):
        assert Path("/", name).parts == ("/", name)
        assert 1 <= len(os.fsencode(name)) <= 255


@pytest.mark.parametrize("name", ["-", "--8A", "...", ".git", "a b", "\n", "Ä" * 127, "x" * 255, "a\\b", "~"])
def test_unusual_names_are_shown(name: str) -> None:
    assert can_be_file(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0b", "x" * 256, "Ä" * 128, "\ud800"])
def test_what_no_file_can_be_called_is_not_shown(name: str) -> None:
    assert not can_be_file(name)


@given(st.text("ABCabc019_-.", min_size=1, max_size=255))
def test_every_name_of_the_service_is_worth_a_request(name: str) -> None:
    assert can_be_vault(name) == (name not in {".", ".."})


@pytest.mark.parametrize("name", ["a b", "a\n", "Ä", "x" * 256, "a:b", "\udcff", "%2e", ""])
def test_what_no_vault_can_be_called_is_worth_no_request(name: str) -> None:
    assert not can_be_vault(name)


def test_one_line_says_what_a_listing_hides_however_much_it_is(
    caplog: pytest.LogCaptureFixture, announce: object
) -> None:
    assert callable(announce)
    announce("^left out ")
    hidden = HiddenNames("vaults")
    hostile = ["..", "a/\n\x1b[31m", "x" * (64 << 10), *[f"a/{number}" for number in range(30_000)]]
    assert [name for name in [*hostile, "a"] if hidden.shows(name)] == ["a"]
    hidden.warn()
    assert [record.getMessage() for record in caplog.records] == [
        f"left out 30003 vaults, which cannot be names of files: '..', 'a/\\n\\x1b[31m', '{'x' * 80}', ..."
    ]


def test_nothing_is_said_of_a_listing_that_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    hidden = HiddenNames("vaults")
    assert hidden.shows("a")
    hidden.warn()
    assert caplog.records == []
