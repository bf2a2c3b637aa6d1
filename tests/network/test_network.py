"""The promise in a network that loses, delays, reorders, forgets and stops: the right bytes, or an error in time."""

import filecmp
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from casfs.api.http.pools import Outgoing
from casfs.api.http.response import Response
from casfs.api.http.transport import Transport
from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from casfs.emulator.state import State
from casfs.errors import TransferError
from casfs.waiting import Deadline
from tests.certificate import CERTIFICATE, certified
from tests.conftest import MUST_MOUNT
from tests.mounting import Mounting, wait_until
from tests.network import namespace
from tests.network.relay import HERE, THERE, Relay

MIB = 1 << 20
CONTENT = os.urandom(12 * MIB)
LIMIT_S = 60.0
"""For what takes some seconds where nobody else runs."""
REASON = namespace.why_none()
if REASON and os.environ.get(MUST_MOUNT) and os.geteuid() == 0:
    pytest.fail(f"{MUST_MOUNT} is set, and {REASON}", pytrace=False)
pytestmark = [
    pytest.mark.fuse,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
]


@pytest.fixture
def own_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with namespace.own_network():
        yield


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original"
    path.write_bytes(CONTENT)
    return path


def serve(*, host: str = "127.0.0.1", tls: bool = False) -> Server:
    """Return a service with a vault of two jobs, both of CONTENT."""
    state = State()
    for vault in ("vault", "other"):
        state.add_vault(vault)
        archive = state.add_archive(vault, InMemory(CONTENT))
        for job in ("one", "two"):
            state.add_job(vault, ARCHIVE_RETRIEVAL, part(archive), job_id=job)
    return Server(state, host=host, credentials={"id": "key"}, tls=certified() if tls else None)


def start_copy(source: Path, target: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["cp", source, target], stderr=subprocess.PIPE)


def ended(copying: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Return exit status and error output of a copy, once it has ended."""
    _, said = copying.communicate(timeout=LIMIT_S)
    return copying.returncode, said


def copy(source: Path, target: Path, limit_s: float = LIMIT_S) -> None:
    subprocess.run(["cp", source, target], check=True, timeout=limit_s)


@pytest.mark.usefixtures("own_network")
def test_what_is_lost_on_the_way_is_sent_again(mounting: Mounting, original: Path, tmp_path: Path) -> None:
    namespace.limit_rate("40mbit")
    namespace.lose_packets(5)
    with serve() as server, mounting(server) as root:
        copy(root / "vault" / "one" / "output", tmp_path / "copy")
    assert filecmp.cmp(original, tmp_path / "copy", shallow=False)
    assert namespace.lost_packets() > 100


@pytest.mark.usefixtures("own_network")
def test_what_comes_late_and_out_of_order_is_put_in_order(mounting: Mounting, original: Path, tmp_path: Path) -> None:
    relay = Relay(delay_s=0.02)
    with relay.running(), serve(host=HERE) as server:
        far = SimpleNamespace(url=server.url.replace(HERE, THERE))
        with mounting(far) as root:
            copy(root / "vault" / "one" / "output", tmp_path / "copy")
    assert filecmp.cmp(original, tmp_path / "copy", shallow=False)
    assert relay.overtaken > 100


@pytest.mark.usefixtures("own_network")
def test_a_cable_that_is_pulled_for_five_seconds_is_only_a_pause(
    mounting: Mounting, original: Path, tmp_path: Path
) -> None:
    namespace.limit_rate("40mbit")
    with serve() as server, mounting(server) as root:
        copying = start_copy(root / "vault" / "one" / "output", tmp_path / "copy")
        wait_until(lambda: server.journal.sent_bytes > 3 * MIB, "a quarter is under way", LIMIT_S)
        with namespace.pulled_cable():
            time.sleep(5)
        assert ended(copying) == (0, b"")
    assert filecmp.cmp(original, tmp_path / "copy", shallow=False)


@pytest.mark.usefixtures("own_network")
def test_a_cable_that_is_pulled_for_longer_than_the_deadline_is_an_error_in_time(
    mounting: Mounting, original: Path, tmp_path: Path
) -> None:
    namespace.limit_rate("40mbit")
    with serve() as server, mounting(server, "--read-timeout", "3") as root:
        source = root / "vault" / "one" / "output"
        copying = start_copy(source, tmp_path / "copy")
        wait_until(lambda: server.journal.sent_bytes > 3 * MIB, "a quarter is under way", LIMIT_S)
        with namespace.pulled_cable():
            status, said = ended(copying)
        assert status == 1
        assert b"Connection timed out" in said or b"Input/output error" in said
        copy(source, tmp_path / "copy")
    assert filecmp.cmp(original, tmp_path / "copy", shallow=False)


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_connections_that_a_firewall_forgot_cost_seconds_once(
    mounting: Mounting, original: Path, tmp_path: Path, *, tls: bool
) -> None:
    with serve(tls=tls) as server, mounting(server, "--ca-bundle", CERTIFICATE) as root:
        copy(root / "vault" / "one" / "output", tmp_path / "copy")
        assert namespace.forget_connections() > 1
        copy(root / "vault" / "two" / "output", tmp_path / "again", limit_s=20)
        namespace.forget_connections()
        subprocess.run(["ls", "-l", root / "other"], check=True, timeout=120, stdout=subprocess.DEVNULL)
    for name in ("copy", "again"):
        assert filecmp.cmp(original, tmp_path / name, shallow=False)


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_request_that_nobody_receives_is_told_from_a_service_that_takes_its_time(*, tls: bool) -> None:
    with serve(tls=tls) as server:
        transport = Transport(server.url, 5, 4, str(CERTIFICATE))
        end(begin(transport))
        server.shaping = Shaping(first_byte_s=3)
        end(begin(transport))
        assert len(server.requests) == 2
        assert namespace.forget_connections() == 1
        with pytest.raises(TransferError, match=r"the connection (was dead|broke)"):
            begin(transport)
        server.shaping = Shaping()
        end(begin(transport))
        transport.close()


def begin(transport: Transport) -> Response:
    return transport.send(Outgoing("/-/vaults", {}), 50, Deadline.after(60))


def end(answer: Response) -> None:
    with answer:
        answer.read(MIB)
        answer.finish()
