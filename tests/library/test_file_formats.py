"""What reads binary files reads an open output: lines, archives, compressed data."""

import gzip
import io
import json
import random
import tarfile
import zipfile
from contextlib import closing

from tests.library.in_memory import DATA, file_of

LINES = [f"line {number} ü".encode() for number in range(20_000)]


def test_lines_come_as_from_any_file() -> None:
    text = b"\n".join(LINES)
    assert [line.rstrip(b"\n") for line in file_of(text)] == LINES
    assert file_of(text).readlines() == io.BytesIO(text).readlines()
    assert [line.rstrip("\n").encode() for line in io.TextIOWrapper(file_of(text), "utf-8")] == LINES


def test_a_buffered_reader_may_stand_on_it() -> None:
    with closing(io.BufferedReader(file_of(DATA))) as file:
        assert file.read(10) + file.read() == DATA


def test_tarfile_reads_members_in_any_order() -> None:
    made = io.BytesIO()
    noise = random.Random(3)
    members = {f"member {number}": noise.randbytes(number * 70_001) for number in range(9)}
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with file_of(made.getvalue()) as file, tarfile.open(fileobj=file) as tar:
        for name in reversed(members):
            member = tar.extractfile(name)
            assert member is not None
            assert member.read() == members[name]
    with file_of(made.getvalue()) as file, tarfile.open(fileobj=file, mode="r|*") as tar:
        assert [info.name for info in tar] == list(members)


def test_zipfile_reads_members() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archived:
        archived.writestr("a", DATA)
        archived.writestr("b", b"\n".join(LINES))
    with file_of(made.getvalue()) as file, zipfile.ZipFile(file) as archived:
        assert archived.read("a") == DATA
        assert archived.open("b").readlines() == io.BytesIO(b"\n".join(LINES)).readlines()
        assert archived.testzip() is None


def test_gzip_and_json_read_it() -> None:
    with file_of(gzip.compress(DATA, 1)) as file, gzip.open(file) as unpacked:
        assert unpacked.read() == DATA
    with file_of(json.dumps({"ArchiveList": [1, 2]}).encode()) as file:
        assert json.load(file) == {"ArchiveList": [1, 2]}
