"""What the emulator answers in protocols that are not the service's own."""

import http.client
from urllib.parse import urlsplit

from casfs.emulator.messages import ReceivedRequest, Reply
from casfs.emulator.server import Server
from casfs.emulator.state import State

BODY = b"a page of another protocol"


def hello(request: ReceivedRequest) -> Reply | None:
    return Reply(200, {"Content-Type": "text/plain"}, [memoryview(BODY)]) if request.path == "/hello" else None


def get(server: Server, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_other_protocol_is_answered_without_a_signature() -> None:
    with Server(State(), credentials={"id": "key"}, also=hello) as server:
        assert get(server, "/hello") == (200, BODY)


def test_what_the_other_protocol_leaves_is_the_service_s_to_refuse() -> None:
    with Server(State(), credentials={"id": "key"}, also=hello) as server:
        status, body = get(server, "/-/vaults")
    assert (status, b"MissingAuthenticationTokenException" in body) == (400, True)


def test_journal_counts_exchanges_and_bytes_of_both() -> None:
    with Server(State(), also=hello) as server:
        get(server, "/-/vaults")
        get(server, "/hello")
    assert server.journal.exchanges == 2
    assert server.journal.sent_bytes > 2 * len(BODY)
    server.journal.clear()
    assert (server.journal.exchanges, server.journal.sent_bytes) == (0, 0)
