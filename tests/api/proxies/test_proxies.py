"""Ways through proxies: which is taken, and whose refusal it is."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from casfs.api.http.sockets import SLICE_S
from casfs.errors import (
    CasfsError,
    ConfigError,
    NotFoundError,
    NoWayError,
    RefusedError,
    UnreachableError,
    UntrustedError,
)
from casfs.stats import Stats
from tests.api.conftest import new_client
from tests.api.proxies.asking import EXAMPLE, PAGE, VAULT, ask, told, tunnels, vault
from tests.api.proxies.tunnels import http_tunnel
from tests.api.scripted import Act, ScriptedServer, answer
from tests.certificate import CERTIFICATE, certified
from tests.conftest import Announce


@pytest.mark.parametrize("url", ["https://cas.example", "http://cas.example"])
@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("401 Unauthorized", "wants user and password, or does not take those that it got (HTTP 401 Unauthorized)"),
        ("403 Forbidden", "refuses the way (HTTP 403 Forbidden); hosts in NO_PROXY are asked without it"),
        ("404 Not Found", "refuses the way (HTTP 404 Not Found); hosts in NO_PROXY are asked without it"),
        (
            "407 Proxy Authentication Required",
            "wants user and password, or does not take those that it got (HTTP 407 Proxy Authentication Required)",
        ),
        ("502 Bad Gateway", "does not get there (HTTP 502 Bad Gateway)"),
        ("599 So", "does not get there (HTTP 599)"),
    ],
)
def test_what_a_proxy_refuses_is_said_to_be_its_own_at_once(
    proxy: ScriptedServer, announce: Announce, url: str, status: str, words: str
) -> None:
    announce("the proxy")
    stats = Stats()
    proxy.always = (answer(status, PAGE, Content_Type="text/html"),)
    variable = url.partition("://")[0].upper() + "_PROXY"
    assert told(url, stats) == f"cas.example: the proxy 127.0.0.1:{proxy.port} of {variable} {words}"
    assert len(proxy.seen) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer("404 Not Found", b'{"code":"ResourceNotFoundException","message":"x"}'), NotFoundError),
        (answer("404 Not Found", PAGE, x_cas_requestId="id"), RefusedError),
    ],
    ids=["code", "request id"],
)
def test_what_the_service_refuses_through_a_proxy_is_the_services(
    proxy: ScriptedServer, stats: Stats, announce: Announce, reply: bytes, kind: type[CasfsError]
) -> None:
    announce("the service refuses")
    proxy.always = (reply,)
    assert "proxy" not in told("http://cas.example", stats, kind)


def test_a_proxy_that_begins_to_fail_is_waited_for(proxy: ScriptedServer, stats: Stats) -> None:
    client = new_client("http://cas.example", stats, read_timeout_s=30)
    proxy.add(VAULT, answer("502 Bad Gateway", PAGE), answer("503 Service Unavailable", PAGE), VAULT)
    assert [vault(client).name, vault(client).name] == ["v", "v"]
    assert len(proxy.seen) == 4


def test_a_proxy_that_begins_to_refuse_is_not(proxy: ScriptedServer, stats: Stats, announce: Announce) -> None:
    announce("the proxy .* refuses")
    client = new_client("http://cas.example", stats, read_timeout_s=30)
    proxy.add(VAULT, answer("403 Forbidden", PAGE))
    vault(client)
    with pytest.raises(NoWayError):
        vault(client)


def test_a_proxy_without_a_listener_is_told_at_once(
    stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce("nobody listens")
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:PROXYSECRET@127.0.0.1:1")
    assert told("https://cas.example", stats) == (
        "cas.example: the proxy 127.0.0.1:1 of HTTPS_PROXY: nobody listens there (Connection refused):"
        " are host and port right?"
    )


def test_a_proxy_that_breaks_off_is_asked_again(
    proxy: ScriptedServer, stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce("the proxy")
    proxy.add((Act.RESET,), (Act.CLOSE,), answer("403 Forbidden"))
    with pytest.raises(NoWayError, match="403"):
        ask("https://cas.example", stats)
    assert len(proxy.seen) == 3


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_tunnel_leads_to_the_service(
    service: ScriptedServer, stats: Stats, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    service.always = (VAULT,)
    with tunnels(service.port, http_tunnel) as proxy:
        monkeypatch.setenv(variable, f"http://{proxy.name}")
        assert ask("https://cas.example", stats).name == "v"
        assert proxy.asked == [("cas.example", 443)]
    assert service.seen[0].headers["Host"] == "cas.example"


@pytest.mark.parametrize("tls", [None, certified()], ids=["plain proxy", "proxy over TLS"])
def test_a_handshake_behind_a_proxy_has_what_is_left_of_the_time_to_connect(
    service: ScriptedServer,
    stats: Stats,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tls: ssl.SSLContext | None,
) -> None:
    def far_away(client: socket.socket) -> tuple[str, int]:
        asked = http_tunnel(client)
        threading.Event().wait(2 * SLICE_S)
        return asked

    service.always = (VAULT,)
    both = tmp_path / "both.pem"
    both.write_text(EXAMPLE.read_text() + CERTIFICATE.read_text())
    with tunnels(service.port, far_away) as proxy:
        proxy.tls = tls
        monkeypatch.setenv("HTTPS_PROXY", f"{'https' if tls else 'http'}://{proxy.name}")
        client = new_client("https://cas.example", stats, read_timeout_s=60, connect_timeout_s=15, ca_bundle=str(both))
        assert vault(client).name == "v"
        assert len(proxy.asked) == 1


def test_the_certificate_behind_a_tunnel_is_checked(
    service: ScriptedServer, stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce("another host's")
    with tunnels(service.port, http_tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.name)
        assert told("https://other.example", stats, UntrustedError).startswith(
            f"other.example through the proxy {proxy.name}: its certificate is another host's"
        )
    assert service.seen == []


def test_a_proxy_may_speak_tls_itself(
    tls_server: ScriptedServer, stats: Stats, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls_server.always = (VAULT,)
    monkeypatch.setenv("HTTP_PROXY", tls_server.url)
    assert vault(new_client("http://cas.example", stats, ca_bundle=str(CERTIFICATE))).name == "v"
    assert tls_server.seen[0].target == "http://cas.example/-/vaults/v"


def test_tls_within_tls_leads_to_the_service(
    service: ScriptedServer, stats: Stats, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service.always = (VAULT,)
    both = tmp_path / "both.pem"
    both.write_text(EXAMPLE.read_text() + CERTIFICATE.read_text())
    with tunnels(service.port, http_tunnel) as proxy:
        proxy.tls = certified()
        monkeypatch.setenv("HTTPS_PROXY", f"https://{proxy.name}")
        assert vault(new_client("https://cas.example", stats, ca_bundle=str(both))).name == "v"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("socks9://someone:PROXYSECRET@h", "'socks9' is no kind of proxy"),
        ("http://someone:PROXYSECRET@[::1", "no URL of a proxy"),
        ("http://someone:PROXYSECRET@:80", "no URL of a proxy"),
    ],
)
def test_a_proxy_that_is_none_is_named_by_its_variable(
    stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    announce("ALL_PROXY")
    monkeypatch.setenv("ALL_PROXY", text)
    line = told("https://cas.example", stats, ConfigError)
    assert line.startswith("ALL_PROXY")
    assert words in line


def test_a_host_in_no_proxy_is_asked_without_any(
    proxy: ScriptedServer, stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce("cas.invalid")
    monkeypatch.setenv("NO_PROXY", "other.example,.invalid")
    with pytest.raises(UnreachableError):
        vault(new_client("http://cas.invalid:1", stats, read_timeout_s=1))
    assert proxy.seen == []


def test_a_plain_endpoint_is_asked_through_the_proxy(proxy: ScriptedServer, stats: Stats) -> None:
    proxy.add(VAULT)
    assert ask("http://cas.example", stats).name == "v"
    [request] = proxy.seen
    assert (request.target, request.headers["Host"]) == ("http://cas.example/-/vaults/v", "cas.example")


def test_this_machine_is_asked_without_a_proxy(proxy: ScriptedServer, stats: Stats) -> None:
    proxy.always = (VAULT,)
    for host in ("127.0.0.1", "localhost"):
        assert ask(f"http://{host}:{proxy.port}", stats).name == "v"
    assert [request.target for request in proxy.seen] == ["/-/vaults/v"] * 2
