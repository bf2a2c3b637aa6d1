"""The same service over HTTPS."""

import http.client
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from casfs.emulator.content import Generated, read
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.emulator.client import MIB

OUTPUT = "/-/vaults/vault/jobs/job/output"
CONTENT = Generated(3 * MIB + 1, seed=4)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that is its own authority, and its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=emulator -addext subjectAltName=IP:127.0.0.1"
    made = subprocess.run(
        ["openssl", *words.split(), "-keyout", "-", "-out", "-"], check=True, capture_output=True, timeout=120
    )
    path.write_bytes(made.stdout)
    return path


@pytest.fixture
def server(state: State, certificate: Path) -> Server:
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", CONTENT)), job_id="job")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return Server(state, tls=context)


def connect(server: Server, certificate: Path | None) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=certificate)
    return http.client.HTTPSConnection(server.url.removeprefix("https://"), timeout=120, context=context)


def test_outputs_are_served_over_one_connection_that_stays(server: Server, certificate: Path) -> None:
    with server:
        connection = connect(server, certificate)
        for _ in range(2):
            connection.request("GET", OUTPUT)
            assert connection.getresponse().read() == read(CONTENT)
        connection.close()
        assert [record.connection for record in server.requests] == [0, 0]


def test_a_client_that_does_not_know_the_authority_does_not_talk(server: Server) -> None:
    with server, pytest.raises(ssl.SSLCertVerificationError):
        connect(server, None).connect()


def test_faults_are_the_same(server: Server, certificate: Path) -> None:
    with server:
        server.faults.add(Fault(kind=Kind.CUT, at=MIB))
        connection = connect(server, certificate)
        connection.request("GET", OUTPUT)
        with pytest.raises(http.client.IncompleteRead) as error:
            connection.getresponse().read()
        connection.close()
    assert error.value.partial == read(CONTENT, 0, MIB)


def test_stop_does_not_wait_for_a_handshake_that_never_comes(server: Server) -> None:
    server.start()
    host, port = server.url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=120) as silent:
        while not server._open:
            time.sleep(0.001)
        server.stop()
        assert silent.recv(1) == b""
