"""Whom one can reach, and who can be trusted."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.exceptions import ProtocolError

from casfs.api import pools
from casfs.api.transport import Transport
from casfs.api.wire import failed_requests
from casfs.errors import CasfsError, ConfigError, TransferError, UnreachableError, UntrustedError
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import new_client
from tests.api.scripted import Act, ScriptedServer, answer
from tests.certificate import CERTIFICATE
from tests.conftest import Announce

VAULT = answer("200 OK", b'{"VaultName":"v"}')


def soon() -> Deadline:
    return Deadline.after(4)


def ask(url: str, ca_bundle: str | None = None, connect_timeout_s: float = 1, idle_s: float = 1) -> int:
    """Return the status of one exchange with *url*."""
    transport = Transport(url, connect_timeout_s, 1, ca_bundle)
    try:
        with transport.get("/-/vaults/v", {}, idle_s, soon()) as got:
            got.read(100)
            return got.status
    finally:
        transport.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """Yield an endpoint where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_that_nobody_listens_is_told_with_host_and_reason(nobody: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        ask(nobody)
    assert str(caught.value) == f"{nobody.removeprefix('http://')}: cannot connect (Connection refused)"


@pytest.mark.parametrize(("connect_timeout_s", "idle_s"), [(0.2, 1), (60, 0.1)], ids=["its own time", "the attempt's"])
def test_that_nobody_answers_is_told_in_time(connect_timeout_s: float, idle_s: float) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        deadline = soon()
        with pytest.raises(UnreachableError, match="nobody answers"):
            ask(f"http://127.0.0.1:{full.getsockname()[1]}", None, connect_timeout_s, idle_s)
        assert deadline.remaining_s > 3
        for one in waiting:
            one.close()


def test_a_request_that_finds_no_room_in_time_had_no_answer_in_time() -> None:
    stalled = ProtocolError("Connection aborted.", BlockingIOError(11, "Resource temporarily unavailable"))
    with pytest.raises(TransferError, match="no answer in time"), failed_requests("host"):
        raise stalled


def test_what_the_kernel_gave_up_is_told_from_an_answer_that_takes_its_time() -> None:
    given_up = ProtocolError("Connection aborted.", TimeoutError(110, "Connection timed out"))
    with pytest.raises(TransferError, match="the connection was dead"), failed_requests("host"):
        raise given_up


def test_an_outage_of_the_network_is_survived_within_the_deadline(server: ScriptedServer, stats: Stats) -> None:
    client = new_client(server.url, stats)
    server.add((Act.CLOSE,), (Act.RESET,), VAULT)
    assert client.vault("v", soon()).name == "v"


@pytest.mark.parametrize("url", ["http://" + "x" * 64 + ".example", "http://[::1", "http://a b", "http://127.0.0.1:x"])
def test_an_endpoint_that_is_none_is_not_tried_for_long(url: str) -> None:
    with pytest.raises((ConfigError, UnreachableError)) as caught:
        ask(url)
    assert "\n" not in str(caught.value)


def test_a_certificate_is_trusted_when_it_is_in_the_bundle(tls_server: ScriptedServer) -> None:
    tls_server.always = (VAULT,)
    assert ask(tls_server.url, str(CERTIFICATE)) == 200


@pytest.mark.parametrize("reply", [VAULT, VAULT[:-5]], ids=["whole", "cut"])
def test_bodies_over_tls_are_read_as_any(tls_server: ScriptedServer, stats: Stats, reply: bytes) -> None:
    client = new_client(tls_server.url, stats, ca_bundle=str(CERTIFICATE))
    tls_server.add((reply, Act.CLOSE) if reply != VAULT else reply, VAULT)
    client.vault("v", soon())
    client.vault("v", soon()) if reply == VAULT else None
    assert (len(tls_server.seen), tls_server.connections) == ((2, 1) if reply == VAULT else (2, 2))


def test_a_body_that_stalls_over_tls_is_asked_for_again(tls_server: ScriptedServer, stats: Stats) -> None:
    client = new_client(tls_server.url, stats, ca_bundle=str(CERTIFICATE))
    long = answer("200 OK", b" " * 20_000)[:10_000]
    tls_server.add((long, Act.STALL), (long, Act.DRIP), VAULT)
    assert client.vault("v", soon()).name == "v"


def test_a_certificate_that_is_not_trusted_is_told_once_with_what_mends_it(
    tls_server: ScriptedServer, stats: Stats, announce: Announce
) -> None:
    announce("certificate is not trusted")
    tls_server.always = (VAULT,)
    with pytest.raises(UntrustedError, match="--ca-bundle"):
        new_client(tls_server.url, stats).vault("v", soon())
    assert stats.snapshot()["requests"] == 1
    assert tls_server.seen == []


def test_a_certificate_for_another_host_is_not_trusted(tls_server: ScriptedServer) -> None:
    with pytest.raises(UntrustedError, match="localhost"):
        ask(tls_server.url.replace("127.0.0.1", "localhost"), str(CERTIFICATE))


def test_a_server_without_tls_is_told_from_one_that_is_not_there(server: ScriptedServer) -> None:
    server.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with pytest.raises(UnreachableError, match="no TLS"):
        ask(server.url.replace("http", "https"))


def test_a_tls_server_that_is_asked_without_tls_has_no_answer(tls_server: ScriptedServer) -> None:
    with pytest.raises(TransferError):
        ask(tls_server.url.replace("https", "http"))


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), ("not PEM", "no certificates")])
def test_a_bundle_that_is_none_is_named(tmp_path: Path, content: str | None, reason: str) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(ConfigError, match=reason) as caught:
        ask("https://127.0.0.1:1", str(bundle))
    assert str(bundle) in str(caught.value)


def test_a_directory_of_certificates_is_a_bundle_too(tmp_path: Path) -> None:
    assert pools.trust(str(tmp_path)).verify_mode is ssl.CERT_REQUIRED


def test_the_systems_certificates_are_trusted_and_those_of_requests_where_it_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    assert len(pools.trust(None).get_ca_certs()) > 50
    (tmp_path / "one.pem").write_text(CERTIFICATE.read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "one.pem"))
    assert len(pools.trust(None).get_ca_certs()) == 1


@pytest.fixture
def proxy(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """Let the server be the proxy that the environment names."""
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    url = server.url.replace("http://", "http://someone:PROXYSECRET@")
    monkeypatch.setenv("HTTP_PROXY", url)
    monkeypatch.setenv("HTTPS_PROXY", url)
    return server


def test_a_plain_endpoint_is_asked_through_the_proxy(proxy: ScriptedServer) -> None:
    proxy.add(VAULT)
    assert ask("http://cas.example") == 200
    [request] = proxy.seen
    assert (request.target, request.headers["Host"]) == ("http://cas.example/-/vaults/v", "cas.example")


def test_a_tls_endpoint_is_reached_through_a_tunnel(proxy: ScriptedServer) -> None:
    proxy.add(answer("407 Proxy Authentication Required"))
    with pytest.raises(UnreachableError, match="through the proxy") as caught:
        ask("https://cas.example")
    assert (proxy.seen[0].method, proxy.seen[0].target) == ("CONNECT", "cas.example:443")
    assert "PROXYSECRET" not in str(caught.value)


def test_a_host_that_is_excepted_is_asked_without_the_proxy(
    proxy: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "cas.invalid")
    with pytest.raises(UnreachableError):
        ask("http://cas.invalid:1")
    assert proxy.seen == []


def test_this_machine_is_asked_without_a_proxy(proxy: ScriptedServer) -> None:
    proxy.always = (VAULT,)
    for host in ("127.0.0.1", "localhost"):
        assert ask(f"http://{host}:{proxy.port}") == 200
    assert [request.target for request in proxy.seen] == ["/-/vaults/v"] * 2


def test_a_proxy_that_is_not_there_is_told_from_an_endpoint_that_is_not(
    nobody: str, proxy: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", nobody.replace("http://", "http://someone:PROXYSECRET@"))
    with pytest.raises(UnreachableError, match="through the proxy") as caught:
        ask("http://cas.example")
    assert "PROXYSECRET" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize(
    "proxy_url", ["http://someone:PROXYSECRET@[::1", "socks9://someone:PROXYSECRET@h", "http://:0"]
)
def test_a_proxy_that_is_none_is_told_without_its_password(
    proxy: ScriptedServer, monkeypatch: pytest.MonkeyPatch, proxy_url: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy_url)
    with pytest.raises(CasfsError) as caught:
        ask("http://cas.example")
    assert "PROXYSECRET" not in str(caught.value)


def test_a_netrc_has_no_say_over_the_signature(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stats: Stats
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password wrong\ndefault login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    server.add(VAULT)
    new_client(server.url, stats).vault("v", soon())
    assert server.seen[0].headers["Authorization"].startswith("q-sign-algorithm=sha1&")


def test_no_cookie_is_kept(server: ScriptedServer, stats: Stats) -> None:
    server.always = (answer("200 OK", b'{"VaultName":"v"}', Set_Cookie="a=b"),)
    client = new_client(server.url, stats)
    client.vault("v", soon())
    client.vault("v", soon())
    assert all("Cookie" not in request.headers for request in server.seen)
