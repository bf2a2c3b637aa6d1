"""What the cache on disk has whole, read past the 24 hours of its job: listed still, or dropped by the service."""

import errno
import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import casfs as library
from casfs.emulator.content import InMemory
from casfs.emulator.dialect import CAS
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.mounting import Mounting, environment, names, wait_until

pytestmark = pytest.mark.fuse

MIB = 1 << 20
BYTES = random.Random(17).randbytes(MIB + 7) * 3
GONE = Fault(kind=Kind.STATUS, operation="get_job_output", status=404, code="ResourceNotFoundException", times=None)


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    vault = state.add_vault("vault", inventory_s=0)
    archive = state.add_archive("vault", InMemory(BYTES))
    for job in ("old", "new"):
        state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), job_id=job, description=job)
    listed, fields = inventory(vault, state, CAS, form="JSON")
    state.add_job("vault", INVENTORY_RETRIEVAL, listed, job_id="inventory", fields=fields)
    with Server(state, credentials={"id": "key"}) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def keeping(cache: Path) -> tuple[object, ...]:
    return "--cache-dir", cache, "--keep-expired", "--list-ttl", "0"


def attributes(path: Path) -> dict[str, str]:
    return {name: os.getxattr(path, name).decode("utf-8") for name in os.listxattr(path)}


def attribute(path: Path, name: str) -> str | None:
    try:
        return os.getxattr(path, f"user.cas.{name}").decode()
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        return None


def read(path: Path) -> bytes:
    """Read an output, and wait until all of it is kept."""
    data = path.read_bytes()
    wait_until(lambda: attribute(path, "cached") == "whole", "all of the output is kept on disk")
    return data


def can_be_listed(path: Path) -> bool:
    try:
        return bool(names(path))
    except OSError:
        return False


def downloads(server: Server) -> int:
    return sum(request.operation == "get_job_output" for request in server.requests)


@pytest.mark.parametrize("job", ["old", "inventory"])
def test_what_is_whole_is_readable_while_its_job_is_listed_whatever_became_of_the_output(
    server: Server, mounting: Mounting, cache: Path, job: str
) -> None:
    with mounting(server, "--cache-dir", cache) as root:
        data = read(root / "vault" / job / "output")
    server.faults.add(GONE)
    before = downloads(server)
    with mounting(server, "--cache-dir", cache) as root:
        assert (root / "vault" / job / "output").read_bytes() == data
        assert attribute(root / "vault" / job / "output", "expired") is None
    assert downloads(server) == before


def test_a_job_that_the_service_dropped_stays_with_its_attributes_and_bytes(
    server: Server, mounting: Mounting, keeping: tuple[object, ...]
) -> None:
    with mounting(server, *keeping) as root:
        for job in ("old", "inventory"):
            read(root / "vault" / job / "output")
        was = {job: attributes(root / "vault" / job / "output") for job in ("old", "inventory")}
        size = (root / "vault" / "inventory" / "output").stat().st_size
        assert attribute(root / "vault" / "old", "expired") is None
    for job in ("old", "inventory"):
        server.state.expire("vault", job)
    before = downloads(server)
    with mounting(server, *keeping) as root:
        assert names(root / "vault") == ["inventory", "new", "old"]
        assert (root / "vault" / "old" / "output").read_bytes() == BYTES
        assert len((root / "vault" / "inventory" / "output").read_bytes()) == size
        for job in ("old", "inventory"):
            path = root / "vault" / job
            assert attribute(path / "output", "expired") == attribute(path, "expired") == "true"
            now = attributes(path / "output")
            assert {name: now[name] for name in was[job] if "mime" not in name} == {
                name: value for name, value in was[job].items() if "mime" not in name
            }
            assert json.loads(now["user.cas.describe"])["JobId"] == job
        assert attribute(root / "vault" / "old" / "output", "verified") == "whole"
        assert attribute(root / "vault" / "new" / "output", "expired") is None
    assert downloads(server) == before


def test_a_job_that_is_dropped_while_it_is_mounted_stays(
    server: Server, mounting: Mounting, keeping: tuple[object, ...]
) -> None:
    with mounting(server, *keeping) as root:
        read(root / "vault" / "old" / "output")
        server.state.expire("vault", "old")
        wait_until(lambda: attribute(root / "vault" / "old", "expired") == "true", "it is kept")
        assert names(root / "vault") == ["inventory", "new", "old"]
        assert (root / "vault" / "old" / "output").read_bytes() == BYTES


def test_without_the_option_a_job_that_the_service_dropped_is_gone(
    server: Server, mounting: Mounting, keeping: tuple[object, ...], cache: Path
) -> None:
    with mounting(server, *keeping) as root:
        read(root / "vault" / "old" / "output")
    server.state.expire("vault", "old")
    with mounting(server, "--cache-dir", cache) as root:
        assert names(root / "vault") == ["inventory", "new"]
        with pytest.raises(FileNotFoundError):
            (root / "vault" / "old").stat()


def test_what_is_not_whole_goes_with_its_job(server: Server, mounting: Mounting, keeping: tuple[object, ...]) -> None:
    with mounting(server, *keeping, "--read-ahead", "0") as root:
        with (root / "vault" / "old" / "output").open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
            assert file.read(4096) == BYTES[:4096]
        wait_until(lambda: attribute(root / "vault" / "old" / "output", "cached") not in (None, "none"), "some is kept")
        assert attribute(root / "vault" / "old" / "output", "cached") != "whole"
    server.state.expire("vault", "old")
    with mounting(server, *keeping) as root:
        assert names(root / "vault") == ["inventory", "new"]


def test_a_listing_that_fails_is_an_error_and_evicts_nothing(
    server: Server, mounting: Mounting, keeping: tuple[object, ...], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    sync = ["rsync", "-a", "--delete"]
    with mounting(server, *keeping) as root:
        assert subprocess.run([*sync, f"{root}/vault/", copy], check=False, timeout=120).returncode == 0
        read(root / "vault" / "old" / "output")
    server.state.expire("vault", "old")
    denied = Fault(kind=Kind.STATUS, operation="list_jobs", status=400, code="InvalidParameterValueException", times=30)
    with mounting(server, *keeping) as root:
        server.faults.add(denied)
        with pytest.raises(OSError):  # noqa: PT011 - whichever
            names(root / "vault")
        done = subprocess.run([*sync, f"{root}/vault/", copy], capture_output=True, check=False, timeout=120)
        assert done.returncode != 0
        assert (copy / "old" / "output").read_bytes() == BYTES
        server.faults.clear()
        wait_until(lambda: can_be_listed(root / "vault"), "that it failed is remembered for a second")
        assert subprocess.run([*sync, f"{root}/vault/", copy], check=False, timeout=120).returncode == 0
        assert (copy / "old" / "output").read_bytes() == BYTES
        assert names(root / "vault") == ["inventory", "new", "old"]


def test_an_empty_listing_evicts_nothing(server: Server, mounting: Mounting, keeping: tuple[object, ...]) -> None:
    with mounting(server, *keeping) as root:
        read(root / "vault" / "old" / "output")
    for job in ("old", "new", "inventory"):
        server.state.expire("vault", job)
    for _ in range(2):
        with mounting(server, *keeping) as root:
            # the same archive: what the other job brought is its content too
            assert names(root / "vault") == ["old"]
            assert (root / "vault" / "old" / "output").read_bytes() == BYTES


def test_programs_have_what_is_kept_too(
    server: Server, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    with library.connect(server.url, cache_dir=cache, keep_expired=True) as account:
        with account.open("vault", "old") as file:
            assert file.read() == BYTES
            wait_until(lambda: str(file.cached) == "whole", "all of the output is kept on disk")
        assert not account.job("vault", "old").is_expired
    server.state.expire("vault", "old")
    before = downloads(server)
    with library.connect(server.url, cache_dir=cache, keep_expired=True) as account:
        jobs = {job.id: job for job in account.jobs("vault")}
        assert sorted(jobs) == ["inventory", "new", "old"]
        assert jobs["old"] == account.job("vault", "old")
        assert (jobs["old"].state, jobs["old"].size, jobs["old"].is_expired) == ("Succeeded", len(BYTES), True)
        with account.open("vault", "old") as file:
            assert file.read() == BYTES
    assert downloads(server) == before
