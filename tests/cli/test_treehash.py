"""``casfs treehash`` is sha256sum with another hash."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.cli import hash_lines
from tests.data.service import MIB, sample
from tests.drain.destinations.contents import DATA
from tests.mounting import environment

NAMES = {
    "plain": DATA,
    "a b": b"",
    "back\\slash": sample(MIB),
    "line\nend": b"1",
    "return\rn": sample(MIB + 1),
    "\udcff": b"x",
}


def plain(data: bytes) -> str:
    """Return the tree hash as the services define it, by nothing of ours."""
    level = [hashlib.sha256(data[at : at + MIB]).digest() for at in range(0, len(data), MIB)] or [
        hashlib.sha256().digest()
    ]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [hashlib.sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of files with names of every kind."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, data in NAMES.items():
        (folder / name).write_bytes(data)
    return folder


def run(folder: Path, *arguments: str, given: bytes = b"") -> tuple[int, bytes, bytes]:
    command = [sys.executable, "-m", "casfs", "treehash", *arguments]
    env = environment(folder.parent)
    done = subprocess.run(command, cwd=folder, env=env, input=given, capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def sha256sum(folder: Path, *arguments: str, given: bytes = b"") -> tuple[int, bytes]:
    command = ["sha256sum", *arguments]
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    done = subprocess.run(command, cwd=folder, env=env, input=given, capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout


def without_hashes(text: bytes) -> bytes:
    return re.sub(rb"[0-9a-f]{64}", b"HASH", text)


def test_lines_are_those_of_sha256sum_but_for_the_hash(files: Path) -> None:
    status, out, err = run(files, *NAMES, "-", given=DATA)
    assert (status, without_hashes(out), err) == (0, without_hashes(sha256sum(files, *NAMES, "-")[1]), b"")
    assert re.findall(rb"[0-9a-f]{64}", out) == [plain(data).encode() for data in (*NAMES.values(), DATA)]


def test_standard_input_is_read_where_no_file_is_named(files: Path) -> None:
    assert run(files, given=DATA) == (0, plain(DATA).encode() + b"  -\n", b"")


def test_lines_that_were_printed_are_checked_as_sha256sum_checks_its_own(files: Path) -> None:
    _, ours, _ = run(files, *NAMES)
    _, theirs = sha256sum(files, *NAMES)
    (files / "ours").write_bytes(ours)
    (files / "theirs").write_bytes(theirs)
    status, out, err = run(files, "--check", "ours")
    usual = {name for name in NAMES if "\r" not in name}  # versions of sha256sum differ in it
    assert (status, err) == (0, b"")
    shown = {
        name for name in usual if hash_lines.verdict(os.fsencode(name), "OK") in sha256sum(files, "-c", "theirs")[1]
    }
    assert shown == usual
    assert out.count(b": OK\n") == len(NAMES)


def test_what_differs_or_is_missing_is_told_and_counted(files: Path) -> None:
    wrong, right = "0" * 64, plain(DATA)
    lines = f"{wrong}  plain\n{right.upper()} *plain\n{wrong}  missing\nnonsense\n{right}  plain\r\n"
    status, out, err = run(files, "--check", "-", given=lines.encode())
    assert (status, out.splitlines()) == (
        1, [b"plain: FAILED", b"plain: OK", b"missing: FAILED open or read", b"plain: OK"],
    )  # fmt: skip
    assert err.decode().splitlines() == [
        "casfs: missing: No such file or directory",
        "casfs: -: 1 of its lines are no tree hash and a name",
        "casfs: -: 1 of its files could not be read",
        "casfs: -: 1 of its files have another tree hash",
    ]


@pytest.mark.parametrize("last", ["nonsense", f"{'0' * 50}", f"{'0' * 64} plain"])
def test_line_that_cannot_be_read_is_a_failure_though_all_others_are_right(files: Path, last: str) -> None:
    lines = f"# a comment\n\n{plain(DATA)}  plain\n{last}"
    status, out, err = run(files, "--check", "-", given=lines.encode())
    assert (status, out, err) == (1, b"plain: OK\n", b"casfs: -: 1 of its lines are no tree hash and a name\n")


def test_empty_lines_and_comments_say_nothing(files: Path) -> None:
    assert run(files, "-c", given=f"# a\n\n{plain(DATA)}  plain\n\n".encode()) == (0, b"plain: OK\n", b"")


def test_list_without_a_line_of_a_hash_is_an_error(files: Path) -> None:
    assert run(files, "-c", given=b"nonsense\n") == (1, b"", b"casfs: -: no line of a tree hash and a name in it\n")


def test_files_that_cannot_be_read_are_told_and_the_others_hashed(files: Path) -> None:
    status, out, err = run(files, "missing", ".", "plain")
    assert (status, out) == (1, plain(DATA).encode() + b"  plain\n")
    assert err == b"casfs: missing: No such file or directory\ncasfs: .: Is a directory\n"


def test_file_is_checked_by_the_hash_that_it_carries(files: Path) -> None:
    os.setxattr(files / "plain", "user.cas.tree_hash", plain(DATA).encode())
    os.setxattr(files / "back\\slash", "user.cas.tree_hash", plain(DATA).encode())
    status, out, err = run(files, "--xattr", "plain", "back\\slash", "a b", "missing")
    assert (status, out) == (1, b"plain: OK\nback\\slash: FAILED\n")
    assert err == b"casfs: a b: no attribute user.cas.tree_hash\ncasfs: missing: No such file or directory\n"


def test_machines_get_an_object_a_file(files: Path) -> None:
    status, out, _ = run(files, "--json", "plain", "line\nend")
    assert (status, [json.loads(line) for line in out.splitlines()]) == (
        0,
        [{"tree_hash": plain(NAMES[name]), "path": name, "ok": None} for name in ("plain", "line\nend")],
    )
    status, out, _ = run(files, "--json", "-c", given=b"0" * 64 + b"  plain\n")
    assert (status, json.loads(out)["ok"]) == (1, False)


def test_two_ways_to_check_at_once_are_none(files: Path) -> None:
    assert run(files, "--check", "--xattr", "plain")[0] == 2


@pytest.mark.parametrize("names", [(), ("-",)], ids=["none", "-"])
def test_a_pipe_carries_no_hash(files: Path, names: tuple[str, ...]) -> None:
    assert run(files, "--xattr", *names) == (1, b"", b"casfs: -: no attribute user.cas.tree_hash\n")
