"""What is where: ls, info, find, glob, walk; what a failure looks like there, and what it costs."""

import errno
from datetime import UTC, datetime, timedelta
from functools import partial

import fsspec
import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.fsspec.filesystem import CasFileSystem, GlacierFileSystem
from tests.conftest import Announce
from tests.fsspec.service import output_of, put, serving
from tests.ports import closed_port

FIRST = "bulk/job1/output"


def operations(server: Server) -> list[str]:
    return [record.operation for record in server.requests]


@pytest.mark.parametrize("url", ["cas://", "cas:///", "/", ""])
def test_the_root_holds_the_vaults(fs: CasFileSystem, url: str) -> None:
    assert fs.ls(url, detail=False) == ["bulk", "prefix"]


def test_a_vault_holds_jobs_and_a_job_its_output(fs: CasFileSystem) -> None:
    assert fs.ls("cas://bulk", detail=False) == ["bulk/job1", "bulk/job2", "bulk/other"]
    assert fs.ls("cas://bulk/job1/", detail=False) == fs.ls(FIRST, detail=False) == [FIRST]


def test_a_job_in_progress_is_an_empty_directory(fs: CasFileSystem, state: State) -> None:
    put(state, "bulk", "done", b"")
    state.add_job("bulk", "ArchiveRetrieval", output_of(state, "bulk", "done"), job_id="later", takes_s=3600)
    assert fs.ls("bulk/later") == []
    assert fs.isdir("bulk/later")
    assert not fs.exists("bulk/later/output")
    with pytest.raises(FileNotFoundError, match="InProgress"):
        fs.open("bulk/later/output")


def test_info_tells_what_the_service_does(fs: CasFileSystem, state: State) -> None:
    job = state.job("bulk", "job1")
    info = fs.info(FIRST)
    assert job is not None
    assert (info["name"], info["type"], info["size"]) == (FIRST, "file", len(b"first"))
    assert info["describe"]["JobId"] == "job1"
    assert info["tree_hash"] == info["describe"]["SHA256TreeHash"]
    assert info["expires"] - info["mtime"] == timedelta(hours=24)
    assert abs(info["created"] - datetime.now(UTC)) < timedelta(minutes=10)
    assert fs.created(FIRST) == info["created"]
    assert fs.modified(FIRST) == info["mtime"]
    assert fs.info("bulk")["type"] == fs.info("bulk/job1")["type"] == fs.info("")["type"] == "directory"
    assert fs.info("bulk")["describe"]["VaultName"] == "bulk"


def test_ls_and_info_tell_the_same(fs: CasFileSystem) -> None:
    for directory in ("", "bulk", "bulk/job1"):
        listed = fs.ls(directory)
        assert listed == [fs.info(entry["name"]) for entry in listed]


@pytest.fixture
def silent(state: State) -> str:
    """Put an output there of which no document tells the size, 8 bytes; give its path."""
    put(state, "bulk", "whole", b"12345678")
    state.add_job(
        "bulk",
        "ArchiveRetrieval",
        output_of(state, "bulk", "whole"),
        job_id="silent",
        overrides={"RetrievalByteRange": None, "ArchiveSizeInBytes": None},
    )
    return "bulk/silent/output"


def test_what_a_path_is_takes_no_request_for_its_size(fs: CasFileSystem, server: Server, silent: str) -> None:
    assert fs.exists(silent)
    assert fs.isfile(silent)
    assert not fs.isdir(silent)
    assert "get_job_output" not in operations(server)


@pytest.mark.usefixtures("silent")
def test_info_asks_for_a_size_that_no_document_tells(fs: CasFileSystem) -> None:
    assert fs.ls("bulk/silent")[0]["size"] is None
    assert fs.info("bulk/silent/output")["size"] == fs.size("bulk/silent/output") == 8


def test_what_was_listed_is_remembered_until_told_otherwise(fs: CasFileSystem, state: State) -> None:
    assert len(fs.ls("bulk")) == 3
    put(state, "bulk", "new", b"x")
    assert len(fs.ls("bulk")) == 3
    assert len(fs.ls("bulk", refresh=True)) == 4
    put(state, "bulk", "newer", b"x")
    fs.invalidate_cache("bulk")
    assert len(fs.ls("bulk")) == 5
    put(state, "bulk", "newest", b"x")
    assert len(fs.find("bulk", refresh=True)) == 6


def test_a_thousand_jobs_cost_their_pages(fs: CasFileSystem, state: State, server: Server) -> None:
    for number in range(1001):
        put(state, "many", f"{number:04}", b"x")
    found = fs.find("many", detail=True)
    assert list(found) == [f"many/{number:04}/output" for number in range(1001)]
    assert {entry["size"] for entry in found.values()} == {1}
    assert len(fs.glob("many/*1/output")) == 100
    assert operations(server).count("list_jobs") == 2
    assert operations(server).count("describe_job") == 0


def test_walks_go_either_way_and_can_be_pruned(fs: CasFileSystem) -> None:
    paths = [path for path, _, _ in fs.walk("cas://")]
    assert paths[:3] == ["", "bulk", "bulk/job1"]
    assert [path for path, _, _ in fs.walk("cas://", topdown=False)][-1] == ""
    for path, directories, _ in fs.walk("bulk"):
        if path == "bulk":
            directories.remove("job1")
        assert path != "bulk/job1"
    assert list(fs.walk("bulk", maxdepth=1)) == [("bulk", ["job1", "job2", "other"], [])]
    assert list(fs.walk(FIRST)) == [(FIRST, [], [""])]


def test_find_and_glob_find(fs: CasFileSystem, announce: Announce) -> None:
    announce("Vault not found")
    assert fs.find("bulk/job1") == fs.find(FIRST) == fs.glob("bulk/*1/*") == [FIRST]
    assert fs.find("bulk", maxdepth=1) == fs.find("none") == fs.glob("none/*") == []
    assert fs.find("bulk/job1", withdirs=True) == ["bulk/job1", FIRST]
    assert fs.glob("**/job1") == ["bulk/job1"]
    assert fs.du("bulk") == len(b"firstsecondthird")


STRANGE = [
    "-begins",
    "a b",
    "per%20cent",
    "q?uestion#hash",
    "[brackets]",
    "star*",
    "umlaut-ä-雪",
    "quote'\"\\",
    "a::b",
    "~",
    "dots..",
]


@pytest.mark.parametrize("job", STRANGE)
def test_names_are_taken_as_they_are(fs: CasFileSystem, state: State, job: str) -> None:
    put(state, "odd", job, job.encode())
    path = f"odd/{job}/output"
    assert fs.find("odd") == [path]
    assert fs.info(f"cas://{path}")["name"] == path
    assert fs.cat_file(path) == fs.open(f"cas://{path}").read() == job.encode()
    assert fs.unstrip_protocol(path) == f"cas://{path}"


def test_urls_find_it(server: Server) -> None:
    with fsspec.open(f"cas://{FIRST}", source=server.url) as file:
        assert file.read() == b"first"
    assert isinstance(fsspec.filesystem("glacier"), GlacierFileSystem)
    assert fsspec.filesystem("glacier", source="x").unstrip_protocol("a/b") == "glacier://a/b"


STATUS = partial(Fault, kind=Kind.STATUS, times=None)


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        (STATUS(code="AccessDeniedException", status=403), errno.EACCES),
        (Fault(kind=Kind.GARBAGE, times=None), errno.EIO),
        (STATUS(status=404, code="", body="<html>gone</html>"), errno.EIO),
    ],
    ids=["no permission", "garbage", "a proxy's 404"],
)
def test_what_cannot_be_asked_for_is_neither_empty_nor_missing(
    server: Server, announce: Announce, fault: Fault, number: int
) -> None:
    announce(".*")
    fs = CasFileSystem(server.url, list_ttl=0)
    assert fs.exists("bulk/job1")
    server.faults.add(fault)
    for ask in (fs.ls, fs.find, fs.exists, fs.isdir, fs.isfile, fs.info):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the errno is what is asked for
            ask("bulk")
        assert caught.value.errno == number
    with pytest.raises(OSError):  # noqa: PT011 - likewise
        fs.glob("bulk/*/output")
    with pytest.raises(OSError):  # noqa: PT011 - likewise
        list(fs.walk(""))
    assert list(fs.walk("", on_error="omit")) == []
    fs.close()


def test_a_vault_below_that_cannot_be_read_fails_the_walk(
    fs: CasFileSystem, server: Server, announce: Announce
) -> None:
    announce(".*")
    server.faults.add(
        Fault(
            kind=Kind.STATUS,
            operation="list_jobs",
            vault="prefix",
            times=None,
            code="AccessDeniedException",
            status=403,
        )
    )
    with pytest.raises(PermissionError):
        fs.find("")
    failed: list[OSError] = []
    assert [path for path, _, _ in fs.walk("", on_error=failed.append)] == [
        "",
        "bulk",
        "bulk/job1",
        "bulk/job2",
        "bulk/other",
    ]
    assert [type(error) for error in failed] == [PermissionError]


@pytest.mark.parametrize(
    "path",
    ["none", "none/job", "none/job/output", "bulk/none", "bulk/none/output", "bulk/job1/x", f"{FIRST}/x", "a/b/c/d/e"],
)
def test_what_is_not_there_is_missing(fs: CasFileSystem, path: str, announce: Announce) -> None:
    announce("Vault not found")
    for ask in (fs.info, fs.ls, fs.open, fs.cat_file, fs.ukey):
        with pytest.raises(FileNotFoundError):
            ask(path)
    assert [fs.exists(path), fs.isdir(path), fs.isfile(path)] == [False] * 3


@pytest.mark.parametrize("path", ["", "bulk", "bulk/job1"])
def test_a_directory_cannot_be_opened(fs: CasFileSystem, path: str) -> None:
    with pytest.raises(IsADirectoryError):
        fs.open(path)


def test_keys_that_are_refused_are_a_permission_error(
    server: Server, monkeypatch: pytest.MonkeyPatch, announce: Announce
) -> None:
    announce(".*")
    monkeypatch.setenv("CASFS_SECRET_KEY", "wrong")
    fs = CasFileSystem(server.url)
    with pytest.raises(PermissionError):
        fs.ls("")
    fs.close()


def test_where_nobody_listens_is_a_host_that_cannot_be_reached(announce: Announce) -> None:
    announce(".*")
    with closed_port() as port:
        fs = CasFileSystem(f"http://127.0.0.1:{port}", connect_timeout=1, read_timeout=1)
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the errno is what is asked for
            fs.ls("")
    assert caught.value.errno in (errno.EHOSTUNREACH, errno.ETIMEDOUT)
    fs.close()


@pytest.mark.parametrize(
    "options", [{"read_timeout": "soon"}, {"no_such": 1}, {"source": "no source"}, {"source": "ap-chengdu:vault"}]
)
def test_options_that_cannot_be_used_are_value_errors(options: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has another text
        CasFileSystem(**{"source": "http://127.0.0.1:1", **options}).ls("")


def test_keys_follow_the_tree_hash_and_else_the_place(fs: CasFileSystem, state: State) -> None:
    put(state, "bulk", "twin", b"first")
    state.add_job(
        "bulk", "ArchiveRetrieval", output_of(state, "bulk", "twin"), job_id="bare", overrides={"SHA256TreeHash": None}
    )
    twin, bare = "bulk/twin/output", "bulk/bare/output"
    assert fs.ukey(FIRST) == fs.ukey(twin) != fs.ukey("bulk/job2/output")
    assert fs.ukey(bare) not in (fs.ukey(twin), fs.ukey("bulk/bare"))
    assert fs.checksum(FIRST) == int(fs.ukey(FIRST), 16)
    with serving({"bulk/bare": b"first"}) as (other, others):
        others.add_job(
            "bulk",
            "ArchiveRetrieval",
            output_of(others, "bulk", "bare"),
            job_id="bare",
            overrides={"SHA256TreeHash": None},
        )
        elsewhere = CasFileSystem(other.url)
        assert elsewhere.ukey(bare) != fs.ukey(bare)
        elsewhere.close()
