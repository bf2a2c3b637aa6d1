"""What fsspec speaks to as a destination: one put of what was checked, read back; memory, and an S3 of others."""

import pickle
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.drain.destinations.destination import LONGEST_LINE, Destination, Found, Label
from casfs.drain.destinations.opening import folder_at, target_of
from casfs.errors import ConfigError, DestinationError
from tests import moto_server
from tests.drain.destinations.contents import ATTEMPT, DATA, fill_part, put, tree_hash

fsspec = pytest.importorskip("fsspec")
memory = pytest.importorskip("fsspec.implementations.memory")
FEW = pytest.importorskip("casfs.drain.destinations.fsspec").FEW


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    if find_spec("s3fs") is None or find_spec("moto") is None:
        pytest.skip("s3fs and moto are not installed")
    with moto_server.running() as url:
        yield url


@pytest.fixture(params=["memory", "s3"])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty place, named as a user does it."""
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        yield "memory://place"
        return
    endpoint = request.getfixturevalue("s3")
    keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in (keys | {"AWS_ENDPOINT_URL": endpoint}).items():
        monkeypatch.setenv(name, value)
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    files.mkdir("bucket")
    yield "s3://bucket/place"
    files.rm("bucket", recursive=True)
    fsspec.filesystem("s3").clear_instance_cache()


def objects(url: str) -> dict[str, bytes]:
    """Return what there is below *url*, asked by a client of its own."""
    files, prefix = fsspec.core.url_to_fs(url, skip_instance_cache=True)
    found = files.find(prefix) if files.exists(prefix) else []
    return {path.removeprefix(prefix).lstrip("/"): files.cat_file(path) for path in found}


def test_object_is_there_once_it_was_whole_here(url: str) -> None:
    destination = folder_at(url)
    with destination.part("a/file", ATTEMPT) as part:
        fill_part(part)
        assert (part.tree_hash, objects(url)) == (tree_hash(DATA), {})
        part.commit(Label(1, {"user.cas.a": b"b"}))
    assert objects(url) == {"a/file": DATA}


def test_what_is_held_is_told_by_reading_it(url: str) -> None:
    destination = folder_at(url)
    put(destination, "file")
    assert destination.holds("file", len(DATA), tree_hash(DATA))
    for path, data in {"file": DATA[:-1] + b"?", "none": DATA}.items():
        assert not destination.holds(path, len(data), tree_hash(data))


def test_a_claim_is_there_until_it_is_taken_away(url: str) -> None:
    destination = folder_at(url)
    assert destination.claimed("name") == b""
    destination.claim("name", b"first")
    destination.claim("name", b"last")
    destination.sweep()
    assert (folder_at(url).claimed("name"), objects(url)) == (b"last", {".casfs-part.name": b"last"})
    destination.disclaim("name")
    destination.disclaim("name")
    assert objects(url) == {}


def test_lines_are_read_whole_or_cut_where_they_are_too_long(url: str) -> None:
    destination = folder_at(url)
    assert list(destination.lines("file")) == []
    text = b"a\n" * 3 + b"b" * LONGEST_LINE + b"c\nd"
    with destination.part("file", ATTEMPT) as part:
        part.write(memoryview(bytearray(text)))
        part.commit(Label())
    assert list(destination.lines("file")) == [b"a\n"] * 3 + [b"b" * LONGEST_LINE, b"c\n", b"d"]


def test_lengths_are_told_as_they_are_now(url: str) -> None:
    destination = folder_at(url)
    assert list(destination.look(["file"])) == [None]
    put(destination, "a/file", b"12345")
    assert list(destination.look(["a/file", "a", "file"])) == [Found(5), None, None]
    files, prefix = fsspec.core.url_to_fs(url, skip_instance_cache=True)
    files.rm_file(f"{prefix}/a/file")
    assert list(destination.look(["a/file"])) == [None]


def test_few_objects_are_asked_for_one_by_one_and_many_by_one_listing() -> None:
    class Counted(memory.MemoryFileSystem):  # type: ignore[misc,name-defined]  # it has no annotations
        protocol = "counted"
        store: dict[str, Any] = {}  # noqa: RUF012 - as fsspec has it
        pseudo_dirs = [""]  # noqa: RUF012 - as fsspec has it
        listings = 0

        def find(self, path: str, **options: Any) -> Any:
            Counted.listings += 1
            return super().find(path, **options)

    fsspec.register_implementation("counted", Counted, clobber=True)
    destination = folder_at("counted://place")
    put(destination, "a/1", b"12345")
    for count, listings in {0: 0, FEW: 0, FEW + 1: 1}.items():
        paths = [f"a/{number}" for number in range(count)]
        found = dict(zip(paths, destination.look(iter(paths)), strict=True))
        assert {path for path in found if found[path]} == {path for path in paths if path == "a/1"}
        assert Counted.listings == listings
    assert list(destination.look(["a"])) == [None], "a folder is no object"


def test_part_that_is_left_or_discarded_leaves_nothing(url: str) -> None:
    destination = folder_at(url)
    for leave in (lambda part: None, lambda part: part.discard()):
        with destination.part("file", ATTEMPT) as part:
            fill_part(part)
            leave(part)
    with destination.part("file", ATTEMPT) as part:
        assert (part.size, objects(url)) == (0, {})


def test_old_object_stays_until_the_new_one_is_whole(url: str) -> None:
    destination = folder_at(url)
    put(destination, "file", b"old")
    with destination.part("file", ATTEMPT) as part:
        fill_part(part)
        assert objects(url) == {"file": b"old"}
        part.restart()
        fill_part(part, b"new")
        part.commit(Label())
    assert objects(url) == {"file": b"new"}


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a//b", "", ".casfs-part/x"])
def test_path_that_leads_out_is_refused(url: str, path: str) -> None:
    with pytest.raises(DestinationError):
        folder_at(url).part(path, ATTEMPT)
    assert objects(url) == {}


def test_copy_by_pickle_is_the_same_destination(url: str) -> None:
    destination = folder_at(url)
    put(destination, "file")
    assert pickle.loads(pickle.dumps(destination)).holds("file", len(DATA), tree_hash(DATA))


def test_folder_is_told_from_an_object(url: str) -> None:
    put(folder_at(url), "folder/file")
    asked = {f"{url}/folder": None, f"{url}/folder/": None, f"{url}/new": "new", url.partition("/place")[0]: None}
    for text, name in asked.items():
        assert target_of(text, is_for_several=False).name == name
        assert target_of(text, is_for_several=True).name is None
    put(target_of(f"{url}/new", is_for_several=False).destination, "new", b"bytes")
    assert objects(url) == {"folder/file": DATA, "new": b"bytes"}


class Rotten(memory.MemoryFileSystem):  # type: ignore[misc,name-defined]  # it has no annotations - as fsspec has it
    """Keeps something else than what it is given."""

    protocol = "rotten"
    store: dict[str, Any] = {}  # noqa: RUF012 - as fsspec has it
    pseudo_dirs = [""]  # noqa: RUF012 - as fsspec has it

    def put_file(self, lpath: str, rpath: str, **_options: object) -> None:
        self.pipe_file(rpath, Path(lpath).read_bytes()[:-1] + b"?")


def test_what_reads_back_otherwise_is_removed_and_an_error() -> None:
    fsspec.register_implementation("rotten", Rotten, clobber=True)
    destination = folder_at("rotten://place")
    with destination.part("file", ATTEMPT) as part:
        fill_part(part)
        with pytest.raises(DestinationError, match="rotten://place/file: what was read back is not what was put"):
            part.commit(Label())
    assert objects("rotten://place") == {}


def test_failure_of_a_store_is_one_error_that_names_it_and_no_password() -> None:
    class Failing(Rotten):
        protocol = "failing"

        def put_file(self, lpath: str, rpath: str, **_options: object) -> None:
            raise RuntimeError("no such bucket")

    fsspec.register_implementation("failing", Failing, clobber=True)
    with folder_at("failing://user:secret@place").part("file", ATTEMPT) as part:
        fill_part(part, DATA[:BLOCK_SIZE])
        with pytest.raises(DestinationError, match=r"^failing://place/file: no such bucket$"):
            part.commit(Label())


@pytest.mark.parametrize("url", ["nonsense://place", "gopher://"])
def test_url_that_nobody_knows_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^DESTINATION: "):
        folder_at(url)


def test_what_a_package_fails_with_at_once_is_one_error_that_names_the_place() -> None:
    class Away(Rotten):
        protocol = "away"

        def __init__(self, *_args: object, **_options: object) -> None:
            raise ConnectionRefusedError(111, "Connection refused")

    fsspec.register_implementation("away", Away, clobber=True)
    with pytest.raises(DestinationError, match=r"^away://place/: .*Connection refused$"):
        folder_at("away://user:secret@place")


def test_temporary_files_that_do_not_fit_are_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/dev/null/nowhere")
    destination: Destination = folder_at("memory://place")
    with pytest.raises(DestinationError, match=r"folder of temporary files \(TMPDIR names another\)"):
        destination.part("file", ATTEMPT)
