"""Paths made of anybody's text: relative, safe on every usual file system, and never the same for two archives."""

import re
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.drain import clashes, names
from casfs.drain.names import LONGEST_NAME, LONGEST_PATH, Naming, folded, own_name, path_of, with_id

ID = "b" * 128
USUAL = ("a", "A", "b", "a.tar.gz", "é", "e\u0301", "ß", "ss", "İ", "ﬁ", "x" * 255, "y" * 300)
ODD = ("..", ".", "", "con", "NUL.txt", "a.", "a ", "\ud800", "\0", "C:", "\\host\\x", "\u202e")
KEPT = ("MANIFEST.jsonl", "manifest.JSONL", ".casfs-part", ".CASFS-PART", ".casfs-part.MANIFEST.jsonl")
WORDS = st.sampled_from([*USUAL, *ODD, *KEPT])
DESCRIPTIONS = st.one_of(
    st.lists(WORDS, max_size=5).map("/".join),
    st.text(max_size=40),
    st.text(st.characters(), min_size=250, max_size=300),
)


def check_safe(path: str) -> None:
    parts = path.split("/")
    assert parts
    assert len(path.encode()) <= LONGEST_PATH
    for part in parts:
        assert part not in ("", ".", "..")
        assert len(part.encode()) <= LONGEST_NAME
        assert not set(part) & set('\\:<>"|?*\0')
        assert part[-1] not in ". "
        assert all(unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in part)
        stem = part.partition(".")[0].rstrip().casefold()
        assert stem not in {
            "con",
            "prn",
            "aux",
            "nul",
            *(f"{name}{number}" for name in ("com", "lpt") for number in "0123456789"),
        }
    assert folded(parts[0]) not in ("manifest.jsonl", ".casfs-part", ".casfs-part.manifest.jsonl")


@given(DESCRIPTIONS)
def test_no_description_leads_anywhere_but_down(description: str) -> None:
    check_safe(path_of(Naming.DESCRIPTION, ID, description))


@given(DESCRIPTIONS, st.integers(0, 4), st.integers(1, 3))
def test_nor_does_one_with_an_id_in_it(description: str, depth: int, times: int) -> None:
    path = path_of(Naming.DESCRIPTION, ID, description)
    made = with_id(path, ID, min(depth, path.count("/")), times)
    check_safe(made)
    assert made != path or ID in path


@given(st.text(min_size=1, max_size=300))
def test_no_id_leads_anywhere_either(id_: str) -> None:
    check_safe(path_of(Naming.ID, id_, "ignored"))
    assert "/" not in path_of(Naming.ID, id_, "ignored")


@given(st.text("abCOMcon1. -/_", max_size=60) | DESCRIPTIONS)
def test_usual_descriptions_are_what_they_would_be_if_they_were_looked_at(description: str) -> None:
    usual, names._USUAL = names._USUAL, re.compile("(?!)")
    try:
        slow = path_of(Naming.DESCRIPTION, ID, description)
    finally:
        names._USUAL = usual
    assert path_of(Naming.DESCRIPTION, ID, description) == slow


@pytest.mark.parametrize(
    ("description", "path"),
    [
        ("photos/2014/a.jpg", "photos/2014/a.jpg"),
        ("/etc/passwd", "etc/passwd"),
        ("a//b/./c", "a/b/c"),
        ("../x.txt", f"x.{ID}.txt"),
        ("a/../b", f"a/b.{ID}"),
        ("..", ID),
        ("", ID),
        ("///", ID),
        ("MANIFEST.jsonl", f"MANIFEST.{ID}.jsonl"),
        ("Manifest.JSONL/x", f"Manifest.{ID}.JSONL/x"),
        (".casfs-part/x", f".casfs-part.{ID}/x"),
        ("C:\\x", "C__x"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("console", "console"),
        ("tail. ", "tail__"),
        ("e\u0301", "\u00e9"),
        ("\ud800", "_"),
        ("line\nend", "line_end"),
        ("\u4f60\u597d", "\u4f60\u597d"),
    ],
)  # fmt: skip
def test_a_path_is_as_near_to_the_description_as_it_may_be(description: str, path: str) -> None:
    assert path_of(Naming.DESCRIPTION, ID, description) == path


def test_what_is_too_long_ends_with_the_id_and_keeps_its_suffix() -> None:
    path = path_of(Naming.DESCRIPTION, ID, "n" * 700 + ".jpg")
    assert path.startswith("nnn")
    assert path.endswith(ID)
    assert len(path) == LONGEST_NAME
    deep = path_of(Naming.DESCRIPTION, ID, "/".join(["d"] * 300))
    assert deep.count("/") == names.DEEPEST - 1
    assert deep.endswith(f"d.{ID}")


@pytest.mark.parametrize("id_", ["../x", "con", "", "a" * 151, "a/b", "a.b", "ä"])
def test_an_id_that_is_no_name_is_told_by_its_digest(id_: str) -> None:
    assert len(own_name(id_)) == 64


def parted(paths: Sequence[str]) -> list[str]:
    """Return the paths of archives as a ledger gives them, by the same rounds."""
    made = [path_of(Naming.DESCRIPTION, ids(number), path) for number, path in enumerate(paths)]
    for times in range(1, 20):
        rows = sorted((clashes.sort_key(folded(path)), number) for number, path in enumerate(made))
        found = {clash.number: clash.depth for clash in clashes.losers(rows)}
        marked = [(key, number, number in found) for key, number in rows]
        found |= {clash.number: clash.depth for clash in clashes.within_files(marked)}
        if not found:
            return made
        for number, depth in found.items():
            made[number] = with_id(made[number], ids(number), depth, times)
    raise AssertionError


def ids(number: int) -> str:
    return f"id-of-an-archive-{number}"


@given(st.lists(DESCRIPTIONS, max_size=12))
def test_no_two_paths_are_one_and_no_file_is_where_a_folder_is_needed(descriptions: list[str]) -> None:
    paths = [folded(path) for path in parted(descriptions)]
    assert len(set(paths)) == len(paths)
    for path in paths:
        check_safe(path)
        assert not any(other.startswith(f"{path}/") for other in paths)


@given(st.lists(DESCRIPTIONS, max_size=8))
def test_names_that_are_free_stay_as_they_are_and_the_later_one_gives_way(descriptions: list[str]) -> None:
    wanted = [path_of(Naming.DESCRIPTION, ids(number), each) for number, each in enumerate(descriptions)]
    made = parted(descriptions)
    assert made[:1] == wanted[:1]
    for number, path in enumerate(made):
        if path == wanted[number]:
            continue
        mine = folded(wanted[number])
        others = [folded(each) for each in (*wanted[:number], *made)]
        assert any(each == mine or each.startswith(f"{mine}/") or mine.startswith(f"{each}/") for each in others), (
            "it gave way to nobody"
        )


def test_a_file_and_a_folder_of_one_name_go_to_who_came_first() -> None:
    assert parted(["a", "a/b", "a/c/d"]) == ["a", f"a.{ids(1)}/b", f"a.{ids(2)}/c/d"]
    assert parted(["a/b", "a", "a/c"]) == ["a/b", f"a.{ids(1)}", "a/c"]
    assert parted(["x/a", "x/A", "X"]) == ["x/a", f"x/A.{ids(1)}", f"X.{ids(2)}"]
    assert parted(["t", "T", "t/x"]) == ["t", f"T.{ids(1)}", f"t.{ids(2)}/x"]
    assert parted(["a/b", "A/B", "a"]) == ["a/b", f"A/B.{ids(1)}", f"a.{ids(2)}"]
    assert parted(["a b", "a", "a!", "a/x"]) == ["a b", "a", "a!", f"a.{ids(3)}/x"]


def test_whoever_guesses_the_name_that_another_one_would_get_gains_nothing() -> None:
    first = ["t", f"t.{ids(2)}", "t", "T"]
    made = parted(first)
    assert made[:2] == ["t", f"t.{ids(2)}"]
    assert len({folded(path) for path in made}) == 4
