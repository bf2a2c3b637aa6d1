"""What is Glacier's own: its refusals, its secrets, and the procedure of its documents."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")

import boto3

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.glacier import glacier
from casfs.emulator.initiation import part
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from tests.emulator.client import tree_hash
from tests.mount.helping import helper
from tests.mounting import Mounting, casfs, environment, is_mounted, names, processes_of
from tests.providers import state_of

pytestmark = pytest.mark.fuse

MIB = 1 << 20
GLACIER = ("--provider", "glacier")
TOKEN = "session/token+of=theTest"
SECRET_KEY = "secret/Key+of=theTest"


@pytest.fixture
def server() -> Iterator[Server]:
    """Run the emulator's Glacier with its sample vaults."""
    with Server(sample_state(dialect=glacier()), credentials={"id": "key"}, dialect=glacier()) as running:
        yield running


def refused(server: Server, path: Path, env: dict[str, str]) -> str:
    """Return the one line with which nothing is mounted."""
    done = casfs("mount", *GLACIER, server.url, path, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("casfs: ")
    assert done.stderr.count("\n") == 1
    assert not is_mounted(path)
    return done.stderr


def test_wrong_region_is_one_line_that_says_so(server: Server, path: Path, tmp_path: Path) -> None:
    line = refused(server, path, environment(tmp_path, AWS_DEFAULT_REGION="eu-west-1"))
    assert "not in the region" in line
    assert "'eu-west-1'" in line


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ExpiredTokenException", "the token has expired"),
        ("NoLongerSupportedException", "closed to this account"),
        ("UnrecognizedClientException", "does not know the key"),
    ],
)
def test_what_the_service_refuses_for_good_is_one_line_that_says_which(
    code: str, says: str, server: Server, path: Path, tmp_path: Path
) -> None:
    server.faults.add(Fault(kind=Kind.STATUS, code=code, times=None))
    line = refused(server, path, environment(tmp_path))
    assert says in line
    assert code in line


def test_wrong_key_and_no_key_are_one_line(server: Server, path: Path, tmp_path: Path) -> None:
    assert "InvalidSignatureException" in refused(server, path, environment(tmp_path, "id", "another"))
    nothing = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    assert "AWS_PROFILE" in refused(server, path, environment(tmp_path, **nothing))


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        pytest.param({"AWS_SECRET_ACCESS_KEY": "another"}, 78, id="a key that is refused"),
        pytest.param({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 1, id="an instance without its keys yet"),
        pytest.param(
            {"AWS_ACCESS_KEY_ID": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/keys"}, 1,
            id="a container without its keys yet",
        ),
    ],
)  # fmt: skip
def test_keys_that_nobody_gives_yet_are_worth_a_second_try(
    variables: dict[str, str], status: int, server: Server, path: Path, tmp_path: Path
) -> None:
    done = casfs("mount", "-f", *GLACIER, server.url, path, env=environment(tmp_path, **variables))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr


def test_no_secret_is_shown_anywhere(path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    state = sample_state(dialect=glacier())
    with Server(state, credentials={"id": SECRET_KEY}, token=TOKEN, dialect=glacier()) as server:
        server.faults.add(Fault(kind=Kind.STATUS, status=500, times=2), Fault(kind=Kind.DROP, after=3, times=2))
        options = ["--log-file", log, "--log-level", "debug"]
        env = environment(tmp_path, "id", SECRET_KEY, AWS_SESSION_TOKEN=TOKEN)
        done = casfs("mount", *GLACIER, *options, server.url, path, env=env)
        assert done.returncode == 0, done.stderr
        subprocess.run(["cp", "-r", path / "ledger", tmp_path / "copy"], check=True, timeout=120)
        shown = done.stdout + done.stderr + log.read_text() + Path("/proc/self/mountinfo").read_text()
        for process in processes_of(path):
            shown += Path(f"/proc/{process}/cmdline").read_text()
        shown += subprocess.run(
            ["getfattr", "-Rd", path], capture_output=True, text=True, timeout=120, check=True
        ).stdout
    assert [secret for secret in (SECRET_KEY, TOKEN) if secret in shown] == []
    assert "Signature=" not in shown.replace("Signature=[redacted]", "")


CONTENT = (bytes(range(251)) * (1 << 16))[: 15 * MIB + 7]
RANGES = [(first, min(first + 2 * MIB, len(CONTENT)) - 1) for first in range(0, len(CONTENT), 2 * MIB)]
"""Eight ranges of 2 MiB, the last one shorter: the documents' 1 GB in eight ranges of 128 MB, at a smaller scale."""


def combined(digests: list[bytes]) -> bytes:
    """Return the root over *digests*, as the documents combine them: in pairs, an odd last one as it is."""
    while len(digests) > 1:
        pairs = [b"".join(digests[index : index + 2]) for index in range(0, len(digests), 2)]
        digests = [hashlib.sha256(pair).digest() if len(pair) > 32 else pair for pair in pairs]
    return digests[0]


def test_the_documents_own_procedure_holds_through_cat(mounting: Mounting) -> None:
    """Each range's checksum compared, the eight combined, their sum compared with that of Describe Job.

    Source: Get Job Output: a client downloads 1 GB in ranges of 128 MB, compares the checksum that comes with each
    with its own of what came, and in the end the tree hash of all with the one that Describe Job gives.
    """
    state = state_of("glacier")
    state.add_vault("vault")
    job = state.add_job("vault", "ArchiveRetrieval", part(state.add_archive("vault", InMemory(CONTENT)))).id
    with Server(state, credentials={"id": "key"}, dialect=glacier()) as server, mounting(server, *GLACIER) as root:
        output = root / "vault" / job / "output"
        came = subprocess.run(["cat", output], check=True, capture_output=True, timeout=120).stdout
        asked = [str(record.range) for record in server.requests if record.operation == "get_job_output"]
        verified = os.getxattr(output, "user.cas.verified")
        stats = json.loads(os.getxattr(root, "user.cas.stats"))
        checksum_of = checksums(server, job)

        compared = [checksum_of(first, last) == tree_hash(came[first : last + 1]) for first, last in RANGES]
        assert compared == [True] * 8
        whole = combined([bytes.fromhex(checksum_of(first, last)) for first, last in RANGES]).hex()
        assert whole == client_of(server).describe_job(vaultName="vault", jobId=job)["SHA256TreeHash"]

        # What casfs did by itself, once for every byte: each range that it asked for came with a checksum to compare.
        spans = [tuple(map(int, span.removeprefix("bytes=").split("-"))) for span in asked]
        assert all(checksum_of(first, last) == tree_hash(came[first : last + 1]) for first, last in spans)
        assert sum(last + 1 - first for first, last in spans) == len(CONTENT)
        assert (stats["blocks_verified"], stats["hash_mismatches"], verified) == (16, 0, b"whole")


def test_the_procedure_fails_where_a_checksum_does(mounting: Mounting) -> None:
    state = state_of("glacier")
    state.add_vault("vault")
    job = state.add_job("vault", "ArchiveRetrieval", part(state.add_archive("vault", InMemory(CONTENT)))).id
    with Server(state, credentials={"id": "key"}, dialect=glacier()) as server, mounting(server, *GLACIER) as root:
        server.faults.add(Fault(kind=Kind.FLIP, operation="get_job_output", at=9 * MIB, times=None))
        output = root / "vault" / job / "output"
        done = subprocess.run(["cat", output], check=False, capture_output=True, timeout=120)
        assert done.returncode == 1
        assert done.stdout == CONTENT[: len(done.stdout)]
        assert len(done.stdout) <= 9 * MIB
        assert os.getxattr(output, "user.cas.verified") == b"mismatch"


def checksums(server: Server, job: str) -> Callable[[int, int], str]:
    """Return what tells the checksum that the service gives for a range, as boto3 reads it."""
    client = client_of(server)

    def of(first: int, last: int) -> str:
        return str(client.get_job_output(vaultName="vault", jobId=job, range=f"bytes={first}-{last}")["checksum"])

    return of


def client_of(server: Server) -> Any:
    keys = {"aws_access_key_id": "id", "aws_secret_access_key": "key"}
    return boto3.client("glacier", region_name="us-west-2", endpoint_url=server.url, **keys)


def test_the_lines_that_emulate_prints_mount_it(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "casfs", "emulate", "--provider", "glacier"]
    env = environment(tmp_path, "", "") | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout is not None
        exports, mount = (emulator.stdout.readline().strip() for _ in range(2))
        try:
            script = f"{exports}; {sys.executable} -m {mount.replace('MOUNTPOINT', str(path))}"
            subprocess.run(["sh", "-c", script], env=env, check=True, timeout=120)
            assert names(path) == ["empty", "ledger", "photos"]
        finally:
            emulator.terminate()


def test_so_many_vaults_that_listing_takes_long_do_not_keep_the_mount_waiting(mounting: Mounting) -> None:
    """Ten pages take seven seconds, and the check has six."""
    state = state_of("glacier")
    for number in range(100):
        state.add_vault(f"vault-{number:02}")
    job = state.add_job("vault-99", "ArchiveRetrieval").id
    slow, patience_s = Shaping(first_byte_s=0.7), 1
    with (
        Server(state, credentials={"id": "key"}, dialect=glacier(), shaping=slow) as server,
        mounting(server, *GLACIER, "--connect-timeout", patience_s) as root,
    ):
        assert sum(record.operation == "list_vaults" for record in server.requests) < 10
        assert names(root / "vault-99") == [job]


def test_a_line_of_fstab_can_ask_for_it(server: Server, path: Path, tmp_path: Path) -> None:
    done = helper(tmp_path, server.url, path, "-o", "ro,_netdev,provider=glacier")
    assert (done.returncode, done.stderr) == (0, "")
    assert names(path) == ["empty", "ledger", "photos"]
