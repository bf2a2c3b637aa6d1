"""Endpoints that nobody will ever answer at: told at once, with the likely reason."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NameResolutionError

from casfs.api.http.network_errors import Way, failed_requests
from casfs.api.http.pools import Outgoing
from casfs.api.http.transport import Transport
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.errors import CasfsError, NoWayError, UnreachableError
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import new_client
from tests.api.listening import unanswered
from tests.api.scripted import Act, ScriptedServer, answer
from tests.certificate import CERTIFICATE
from tests.conftest import Announce

VAULT = answer("200 OK", b'{"VaultName":"v"}')


def told(url: str, stats: Stats, kind: type[CasfsError] = NoWayError) -> str:
    """Return what is said of *url*, of which one attempt is enough."""
    with pytest.raises(kind) as caught:
        new_client(url, stats, read_timeout_s=30, ca_bundle=str(CERTIFICATE)).vault("v", Deadline.after(30))
    assert caught.type is kind
    assert stats.snapshot()["retries"] == 0
    return str(caught.value)


def test_tls_with_a_plain_server_that_answers_names_the_scheme(stats: Stats, announce: Announce) -> None:
    announce("no TLS")
    server = ScriptedServer(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n")
    server.start()
    line = told(server.url.replace("http", "https"), stats)
    server.stop()
    assert "no TLS" in line
    assert line.endswith("is it http:// in place of https://?")


def test_tls_with_a_plain_server_that_waits_for_a_line_names_the_scheme(stats: Stats, announce: Announce) -> None:
    announce("speaks http")
    with Server(sample_state(), credentials={"id": "key"}) as server:
        line = told(server.url.replace("http", "https"), stats)
    assert line == f"{server.url.removeprefix('http://')}: it speaks http://, and not https://"


def test_tls_with_a_plain_server_that_hangs_up_names_the_scheme(
    server: ScriptedServer, stats: Stats, announce: Announce
) -> None:
    announce("speaks http")
    server.always = (answer("403 Forbidden"),)
    assert "it speaks http://" in told(server.url.replace("http", "https"), stats)


def test_a_tls_server_that_is_asked_without_tls_is_told_by_its_scheme(
    tls_server: ScriptedServer, stats: Stats, announce: Announce
) -> None:
    announce("speaks https")
    line = told(tls_server.url.replace("https", "http"), stats)
    assert line == f"{tls_server.url.removeprefix('https://')}: it speaks https://, and not http://"


def test_a_tls_server_that_complains_in_plain_words_is_told_by_its_scheme(stats: Stats, announce: Announce) -> None:
    announce("speaks https")
    with complaining() as port:
        assert "it speaks https://" in told(f"http://127.0.0.1:{port}", stats)


@contextmanager
def complaining() -> Iterator[int]:
    """Run a server of TLS that answers plain requests by a 400, as nginx does, and yield its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            with client:
                if client.recv(1, socket.MSG_PEEK) == b"\x16":
                    context.wrap_socket(client, server_side=True).close()
                else:
                    client.recv(65536)
                    client.sendall(answer("400 Bad Request", b"<p>The plain HTTP request was sent to HTTPS port</p>"))

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(60)


def test_a_plain_service_that_refuses_by_a_400_is_believed(
    server: ScriptedServer, stats: Stats, announce: Announce
) -> None:
    announce("HTTP 400")
    server.always = (answer("400 Bad Request", b'{"code":"InvalidParameterValueException"}'),)
    with pytest.raises(CasfsError, match="InvalidParameterValueException"):
        new_client(server.url, stats).vault("v", Deadline.after(30))


def test_a_port_without_a_listener_is_told_at_once(stats: Stats, announce: Announce) -> None:
    announce("nobody listens")
    assert told("http://127.0.0.1:1", stats) == (
        "127.0.0.1:1: nobody listens there (Connection refused): are host and port right?"
    )


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(socket.EAI_NONAME, NoWayError), (socket.EAI_NODATA, NoWayError), (socket.EAI_AGAIN, UnreachableError)],
)
def test_a_host_that_there_is_not_is_told_at_once_unless_no_name_server_says_so(failure: int, kind: type) -> None:
    unknown = socket.gaierror(failure, "as the system says")
    with pytest.raises(kind) as caught, failed_requests(Way("cas.example")):
        raise NameResolutionError("cas.example", HTTPConnection("cas.example"), unknown) from unknown
    assert str(caught.value) == "cas.example: no such host (as the system says)"
    assert caught.type is kind


def test_a_service_that_was_there_and_is_restarted_is_waited_for(stats: Stats) -> None:
    first = ScriptedServer(always=(VAULT, Act.CLOSE))
    first.start()
    port = first.port
    client = new_client(first.url, stats, read_timeout_s=60)
    client.vault("v", Deadline.after(60))
    first.stop()
    again: list[ScriptedServer] = []

    def restart(_: float) -> None:
        if not again:
            again.append(ScriptedServer(always=(VAULT,), _listener=socket.create_server(("127.0.0.1", port))))
            again[0].start()

    client._retry._sleep, client._retry._share = restart, lambda: 0.1
    assert client.vault("v", Deadline.after(60)).name == "v"
    again[0].stop()
    assert stats.snapshot()["retries"] == 1


def test_a_service_that_was_there_and_is_no_more_is_unreachable_in_the_end(stats: Stats, announce: Announce) -> None:
    announce("cannot connect")
    server = ScriptedServer(always=(VAULT, Act.CLOSE))
    server.start()
    client = new_client(server.url, stats)
    client.vault("v", Deadline.after(30))
    server.stop()
    shares = iter([0.0, 1000.0])  # the second wait would be longer than there is time
    client._retry._share = lambda: next(shares)
    with pytest.raises(UnreachableError, match="cannot connect"):
        client.vault("v", Deadline.after(60))
    assert stats.snapshot()["retries"] != 0


def test_a_slow_host_has_all_its_time_from_the_second_attempt_on(stats: Stats, announce: Announce) -> None:
    announce("nobody answers")
    with unanswered() as host:
        transport = Transport(f"https://{host}", 0.2, 1, str(CERTIFICATE))
        assert transport._contact.is_due
        with pytest.raises(UnreachableError, match="nobody answers"):
            transport.send(Outgoing("/", {}), 1, Deadline.after(30))
        assert not transport._contact.is_due
