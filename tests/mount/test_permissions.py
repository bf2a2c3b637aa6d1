"""What programs see with the fewest permissions that suffice, over every provider."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from tests.mounting import Mounting, casfs, environment, is_mounted
from tests.providers import DIALECTS, EVERY_PROVIDER, state_of

pytestmark = pytest.mark.fuse

BYTES = b"what a job brings\n" * 100_000
VAULTS = ("list_vaults", "describe_vault")
EVERYTHING = (*VAULTS, "list_jobs", "describe_job")
DENIED = "Permission denied"


@pytest.fixture
def server(provider: str) -> Iterator[Server]:
    """Run a vault with a job that has an output."""
    state = state_of(provider)
    state.add_vault("vault")
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", InMemory(BYTES))), job_id="job")
    with Server(state, credentials={"id": "key"}, dialect=DIALECTS[provider]) as running:
        yield running


def deny(server: Server, *operations: str) -> None:
    for operation in operations:
        server.faults.add(Fault(kind=Kind.STATUS, operation=operation, times=None, code="AccessDeniedException"))


def run(*command: object) -> tuple[int, str, str]:
    """Return the status of a program, and what it said."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def refused(*command: object) -> bool:
    """Return whether a program was told that it has no permission, and said nothing else to standard output."""
    status, out, complaint = run(*command)
    return status != 0 and out == "" and DENIED in complaint


@EVERY_PROVIDER
@pytest.mark.parametrize("root", ["account", "vault"])
def test_list_jobs_and_get_job_output_suffice(
    root: str, provider: str, server: Server, mounting: Mounting, tmp_path: Path
) -> None:
    deny(server, *VAULTS, "describe_job")
    with mounting(server, "--provider", provider, suffix="/-/vault" * (root == "vault")) as path:
        vault = path / "vault" if root == "account" else path
        assert root == "vault" or refused("ls", path)
        assert run("cp", "-r", vault, tmp_path / "copy") == (0, "", "")
        assert (tmp_path / "copy" / "job" / "output").read_bytes() == BYTES
        assert run("ls", vault) == (0, "job\n", "")
        status, out, complaint = run("cat", vault / "none" / "output")
        assert (status, out) == (1, "")
        assert "No such file" in complaint
        status, out, complaint = run("getfattr", "--absolute-names", "-n", "user.cas.describe", vault)
        assert (status, out) == (1, "")
        assert "No such attribute" in complaint
        assert "JobId" in run("getfattr", "--absolute-names", "-n", "user.cas.describe", vault / "job" / "output")[1]


@EVERY_PROVIDER
@pytest.mark.parametrize("root", ["account", "vault"])
def test_describe_job_and_get_job_output_suffice(
    root: str, provider: str, server: Server, mounting: Mounting, tmp_path: Path
) -> None:
    deny(server, *VAULTS, "list_jobs")
    with mounting(server, "--provider", provider, suffix="/-/vault" * (root == "vault")) as path:
        vault = path / "vault" if root == "account" else path
        assert run("cp", vault / "job" / "output", tmp_path / "copy") == (0, "", "")
        assert (tmp_path / "copy").read_bytes() == BYTES
        assert run("cmp", vault / "job" / "output", tmp_path / "copy") == (0, "", "")
        assert run("ls", vault / "job") == (0, "output\n", "")
        assert refused("ls", vault)
        assert refused("cp", "-r", vault, tmp_path / "copies")
        assert "No such file" in run("cat", vault / "none" / "output")[2]
        assert root == "vault" or "No such file" in run("ls", path / "no-vault")[2]
        assert "JobId" in run("getfattr", "--absolute-names", "-n", "user.cas.describe", vault / "job" / "output")[1]


@EVERY_PROVIDER
def test_copy_is_kept_when_the_vault_may_not_be_listed_any_more(
    provider: str, server: Server, mounting: Mounting, tmp_path: Path
) -> None:
    with mounting(server, "--provider", provider, "--list-ttl", "0") as path:
        copy = ("rsync", "-a", "--delete", f"{path}/vault/", tmp_path / "copy")
        assert run(*copy) == (0, "", "")
        deny(server, *EVERYTHING)
        status, _, complaint = run(*copy)
        assert status != 0
        assert DENIED in complaint
    assert (tmp_path / "copy" / "job" / "output").read_bytes() == BYTES


@EVERY_PROVIDER
def test_vault_about_which_nothing_may_be_asked_is_not_mounted(
    provider: str, server: Server, path: Path, tmp_path: Path
) -> None:
    deny(server, *EVERYTHING)
    done = casfs("mount", "--provider", provider, f"{server.url}/-/vault", path, env=environment(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("casfs: no permission (HTTP 403, AccessDeniedException")
    assert not is_mounted(path)
