"""A third provider costs one module: this one, which is a test, a provider and a program.

It defines a provider that casfs has never heard of, with a signature, headers, pages, regions, accounts and error codes
of its own, and what the emulator takes to play it. Run as a program it adds its entry to the table and is the real
command line from then on.
"""

import hashlib
import hmac
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from casfs.api.operations import Request
from casfs.api.providers.meanings import Meaning, Refusal, meaning_of
from casfs.api.providers.provider import Access, OwnKeys, Provider, Regions, Service
from casfs.emulator import dialect, messages, refusal, signature
from casfs.emulator.content import InMemory, read
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.errors import ConfigError
from casfs.models import Credentials
from tests.mounting import COMMAND_LIMIT_S, environment, is_mounted, names, processes_of, wait_until

pytestmark = pytest.mark.fuse

MIB = 1 << 20
PROGRAM = "tests.mount.test_third_provider"
KEYS = {"OAS_SECRET_ID": "oas-id", "OAS_SECRET_KEY": "oas-key"}


def signed(key: str, method: str, target: str, host: str, date: str) -> str:
    """Return the signature: HMAC-SHA512 of what is asked, where, and when."""
    return hmac.new(key.encode(), f"{method}\n{target}\n{host}\n{date}".encode(), hashlib.sha512).hexdigest()


class Signer:
    """Signs method, path, query and time, each in a header of its own."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def headers(self, request: Request, host: str, now_s: float) -> Mapping[str, str]:
        date = str(int(now_s))
        made = signed(self._credentials.secret_key, request.method, request.target, host, date)
        return {"x-oas-date": date, "Authorization": f"OAS {self._credentials.secret_id}:{made}"}

    def renewed(self, sent: Mapping[str, str]) -> bool:
        del sent
        return False

    def secrets(self) -> tuple[str, ...]:
        return (self._credentials.secret_key,)


def connect(access: Access) -> Service:
    assert access.endpoint_url is not None
    assert access.credentials is not None
    return Service(OAS, access.endpoint_url, Signer(access.credentials), access.origin, access.ca_bundle)


def meaning(said: Refusal) -> Meaning:
    return {"WrongSign": Meaning.SIGNATURE, "Busy": Meaning.THROTTLED}.get(said.code) or meaning_of(said)


def account(text: str) -> str:
    if not text.startswith("oas-"):
        raise ConfigError(f"account {text} does not begin with oas-")
    return text


OAS = Provider(
    name="oas",
    regions=Regions(re.compile("oas-[a-z]+"), "oas-hangzhou", "https://{region}.oas.example"),
    keys=OwnKeys(prefixes=("OAS_",)),
    connect=connect,
    vaults_per_page=2,
    jobs_per_page=3,
    tree_hash_header="x-oas-sha256-tree-hash",
    request_id_header="x-oas-request-id",
    job_id_header="x-oas-job-id",
    token_header="x-oas-token",
    emulator="tests.mount.test_third_provider:PLAYED",
    meaning=meaning,
    account=account,
)


def check(request: messages.ReceivedRequest, known_keys: signature.KnownKeys, now_s: float) -> None:
    """Check a signature as the provider does, by what came over the socket."""
    who, _, made = request.headers.get("authorization", "").removeprefix("OAS ").partition(":")
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in request.query.items())
    target = f"{request.path}?{query}" if query else request.path
    date = request.headers.get("x-oas-date", "0")
    key = known_keys.keys.get(who, "")
    if abs(int(date) - now_s) > 60 or made != signed(key, request.method, target, request.headers["host"], date):
        raise refusal.Refusal("WrongSign", "This is not how it is signed.")


PLAYED = replace(
    dialect.CAS,
    name="oas",
    header_prefix="x-oas-",
    request_id_header="x-oas-request-id",
    vaults_page=dialect.Page(2, 2),
    jobs_page=dialect.Page(3, 3),
    check=check,
    claimed=lambda request: request.headers.get("authorization", "").rpartition(":")[2],
    sample_key=("oas-id", "oas-key"),
)


def oas(*arguments: object, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run this file as ``casfs`` to its end."""
    # At the end of the path: what is installed is what is tested, not the checkout.
    start = (
        "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", start, str(root), PROGRAM, *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a service with five vaults, seven jobs and one output of some blocks."""
    state = State(account="oas-1")
    for number in range(5):
        state.add_vault(f"vault-{number}")
    for number in range(6):
        state.add_job("vault-4", "InventoryRetrieval", job_id=f"job-{number}")
    archive = state.add_archive("vault-4", InMemory((bytes(range(251)) * (1 << 14))[: 3 * MIB + 7]))
    state.add_job("vault-4", "ArchiveRetrieval", part(archive), job_id="job-6")
    with Server(state, credentials={"oas-id": "oas-key"}, dialect=PLAYED) as running:
        yield running


@contextmanager
def mounted(server: Server, path: Path, home: Path) -> Iterator[None]:
    options = ("--provider", "oas", "--account", "oas-1", "--log-file", home / "log")
    done = oas("mount", *options, server.url, path, env=environment(home, "", "", **KEYS))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=False, timeout=120)
        wait_until(lambda: not processes_of(path, PROGRAM), "the process of the mount ends once it is unmounted")


def test_a_third_provider_is_listed_read_and_inspected(server: Server, path: Path, tmp_path: Path) -> None:
    server.faults.add(Fault(kind=Kind.STATUS, operation="describe_vault", code="Busy", times=1))
    with mounted(server, path, tmp_path):
        assert names(path) == [f"vault-{number}" for number in range(5)]
        assert names(path / "vault-4") == [f"job-{number}" for number in range(7)]
        copy, output = tmp_path / "copy", path / "vault-4" / "job-6" / "output"
        subprocess.run(["cp", output, copy], check=True, timeout=120)
        archive = next(iter(server.state.vaults()[4].archives.values()))
        assert copy.read_bytes() == read(archive.content)
        shown = subprocess.run(
            ["getfattr", "-d", "-m", "-", output], check=True, capture_output=True, text=True, timeout=120
        ).stdout
        assert f'user.cas.tree_hash="{archive.tree.root}"' in shown.replace("sha256_", "")
        assert os.getxattr(output, "user.cas.verified") == b"whole"
    asked = [record.operation for record in server.requests]
    assert asked.count("list_vaults") >= 3, "two a page"
    assert asked.count("list_jobs") == 3, "three a page"
    assert "oas-key" not in (tmp_path / "log").read_text()


def test_a_wrong_key_of_a_third_provider_is_one_line_by_its_own_code(
    server: Server, path: Path, tmp_path: Path
) -> None:
    wrong = KEYS | {"OAS_SECRET_KEY": "another"}
    options = ("--provider", "oas", "--account", "oas-1")
    done = oas("mount", *options, server.url, path, env=environment(tmp_path, "", "", **wrong))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "the signature is refused" in done.stderr
    assert "WrongSign" in done.stderr
    assert not is_mounted(path)


def test_its_regions_accounts_and_name_are_the_command_lines(path: Path, tmp_path: Path) -> None:
    def line(*arguments: object) -> str:
        done = oas("mount", "--provider", *arguments, path, env=environment(tmp_path, "", "", **KEYS))
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        return done.stderr

    assert "is not a region like oas-hangzhou" in line("oas", "ap-chengdu:")
    assert "account 125 does not begin with oas-" in line("oas", "--account", "125", "oas-hangzhou:")
    assert "is none of cas, glacier, oas" in line("nobody", "oas-hangzhou:")
    help_text = oas("mount", "--help", env=environment(tmp_path)).stdout
    assert "--provider cas|glacier|oas" in help_text


def test_its_counterpart_is_found_by_its_name() -> None:
    from casfs.cli.emulate import counterpart  # noqa: PLC0415 - the program below registers before that is imported

    assert counterpart(OAS) == PLAYED


if __name__ == "__main__":
    from casfs.api.providers.table import register

    register(OAS)

    from casfs.cli.main import main

    main()
