"""The server as HTTP sees it: connections that stay, requests that are none, and an end that leaves nothing behind."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from casfs.emulator.content import Generated, read
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.emulator.client import MIB, Client
from tests.mounting import wait_until
from tests.new_threads import new_threads

OUTPUT = "/-/vaults/vault/jobs/job/output"


@pytest.fixture
def raw(server: Server) -> Iterator[socket.socket]:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=120) as raw:
        yield raw


def answers(raw: socket.socket) -> bytes:
    """Return everything that arrives until the server closes."""
    arrived = b""
    while piece := raw.recv(65536):
        arrived += piece
    return arrived


def test_a_connection_serves_one_request_after_another(server: Server, client: Client) -> None:
    for _ in range(3):
        assert client.get("/-/vaults").status == 200
    assert [record.connection for record in server.requests] == [0, 0, 0]


def test_requests_that_arrive_in_pieces_or_together_are_answered_in_order(raw: socket.socket, server: Server) -> None:
    first = b"GET /-/vaults HTTP/1.1\r\nHost: h\r\n\r\n"
    for at in range(0, len(first), 7):
        raw.sendall(first[at : at + 7])
    raw.sendall(first.replace(b"/-/vaults", b"/-/nothing"))
    raw.sendall(first.replace(b"Host: h", b"Host: h\r\nConnection: close"))
    assert answers(raw).count(b"HTTP/1.1 400 ") == 3
    assert [record.operation for record in server.requests] == ["list_vaults", "unknown", "list_vaults"]


@pytest.mark.parametrize(
    "request_text",
    [
        b"nonsense\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET /" + b"x" * 70000,
    ],
    ids=["words", "proxy", "version", "header", "chunked", "length", "long"],
)
def test_what_is_no_request_is_answered_400_and_ends_the_connection(raw: socket.socket, request_text: bytes) -> None:
    raw.sendall(request_text)
    assert answers(raw).startswith(b"HTTP/1.1 400 ")


def test_a_client_of_http_1_0_is_answered_once(raw: socket.socket) -> None:
    raw.sendall(b"GET /-/vaults HTTP/1.0\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in answers(raw)


def test_a_body_that_waits_to_be_asked_for_is_asked_for(raw: socket.socket) -> None:
    raw.sendall(b"PUT /-/vaults/new HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
    assert raw.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    raw.sendall(b"ab")
    assert answers(raw).startswith(b"HTTP/1.1 400 ")


def test_head_is_get_without_the_body(state: State) -> None:
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", Generated(1000))), job_id="job")
    with Server(state) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=120)
        for method in ("HEAD", "GET", "HEAD"):
            connection.request(method, OUTPUT)
            response = connection.getresponse()
            assert (response.status, response.headers["Content-Length"]) == (200, "1000")
            assert len(response.read()) == (1000 if method == "GET" else 0)
        connection.close()


def test_nothing_follows_the_answer_to_head(state: State, raw: socket.socket) -> None:
    raw.sendall(b"HEAD /-/vaults HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answers(raw).endswith(b"\r\n\r\n")


def test_every_answer_is_dated_by_the_services_clock(client: Client) -> None:
    assert client.get("/-/vaults").headers["date"] == "Fri, 14 Jul 2017 02:40:00 GMT"


def test_the_journal_tells_what_was_sent_to_its_end(state: State, server: Server, client: Client) -> None:
    archive = state.add_archive("vault", Generated(64 * MIB))
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), job_id="job")
    server.faults.add(Fault(kind=Kind.CUT, operation="get_job_output"))
    with pytest.raises(http.client.IncompleteRead):
        client.get(OUTPUT)
    client.connection.close()
    with Client(server.url, now_s=client.now_s) as gone:
        gone.connection.request("GET", OUTPUT, headers={"Authorization": gone.authorization("GET", OUTPUT, {}, {})})
        assert gone.connection.getresponse().read(MIB)
    assert client.get(OUTPUT, span="bytes=0-9").status == 206
    wait_until(lambda: bool(server.journal.delivered()), "the journal knows of the answer")
    assert [(record.archive, record.range) for record in server.journal.delivered()] == [(archive.id, "bytes=0-9")]
    assert len(server.requests) == 3


def test_the_journal_tells_what_was_asked(state: State, server: Server, client: Client) -> None:
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", Generated(1000))), job_id="job")
    client.get(OUTPUT, span="bytes=5-9")
    client.get("/-/vaults/none")
    first, second = server.requests
    assert (first.operation, first.vault, first.job, first.range) == ("get_job_output", "vault", "job", "bytes=5-9")
    assert (first.status, second.status) == (206, 404)
    assert len({first.signature, second.signature}) == 2
    assert first.at_s == 1500000000.25
    server.journal.clear()
    assert server.requests == []


def test_many_connections_read_the_right_bytes_at_once(state: State, server: Server) -> None:
    content = Generated(16 * MIB + 5, seed=9)
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", content)), job_id="job")
    server.faults.add(Fault(kind=Kind.DELAY, operation="get_job_output", times=None, seconds=0.05))
    wrong: list[int] = []

    def fetch(number: int) -> None:
        with Client(server.url, now_s=1500000000) as client:
            body = client.get(OUTPUT, span=f"bytes={number * MIB}-{(number + 1) * MIB - 1}").body
        if body != read(content, number * MIB, (number + 1) * MIB):
            wrong.append(number)

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 1 < server.journal.most_in_flight <= 16

    def forgets() -> bool:
        server.journal.clear()
        return server.journal.most_in_flight == 0

    wait_until(forgets, "nothing is in flight any more: an answer has come before its exchange is over")


def test_stop_ends_connections_that_are_idle_stalled_or_asleep(state: State) -> None:
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", Generated(MIB))), job_id="job")
    threads = new_threads("emulator")
    server = Server(state)
    server.faults.add(Fault(kind=Kind.STALL), Fault(kind=Kind.DELAY, seconds=3600), Fault(kind=Kind.DRIP, seconds=3600))
    server.start()
    host, port = server.url.removeprefix("http://").split(":")
    waiting = [socket.create_connection((host, int(port))) for _ in range(4)]
    for raw in waiting[1:]:
        raw.sendall(f"GET {OUTPUT} HTTP/1.1\r\n\r\n".encode())
    while len(server.requests) < 3:
        time.sleep(0.001)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 30, "what stalls would have gone on for an hour"
    assert threads() == set()
    for raw in waiting:
        raw.close()


def test_a_server_that_was_stopped_starts_again_at_the_same_port(state: State) -> None:
    server = Server(state)
    for _ in range(2):
        server.start()
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=120)
        connection.request("GET", "/-/vaults")
        assert connection.getresponse().status == 200
        connection.close()
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            connection.connect()
