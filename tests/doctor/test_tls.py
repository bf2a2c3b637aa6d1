"""What ``casfs doctor`` says of TLS, through proxies too."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from casfs.doctor.network import INSPECTED
from casfs.emulator.server import Server
from tests.api.proxies.tunnels import Tunnels, http_tunnel
from tests.certificate import CERTIFICATE, OTHERS, certified
from tests.doctor.host import Host

EXAMPLE = OTHERS / "cas.example.pem"


@pytest.mark.fuse
def test_a_certificate_that_is_not_trusted_is_said_to_be_that(host: Host, served: Callable[..., Server]) -> None:
    seen = host.doctor(served(tls=certified()).url)
    assert (seen.status, seen.checks["tls"]["verdict"]) == (1, "fail")
    assert "--ca-bundle FILE" in seen.checks["tls"]["said"]


@pytest.mark.fuse
def test_one_that_has_expired_too(host: Host, served: Callable[..., Server]) -> None:
    expired = OTHERS / "expired.pem"
    seen = host.doctor("--ca-bundle", expired, served(tls=certified(expired)).url)
    assert (seen.status, seen.checks["tls"]["verdict"]) == (1, "fail")
    assert "has expired" in seen.checks["tls"]["said"]


@pytest.mark.fuse
def test_one_that_is_trusted_is_well(host: Host, served: Callable[..., Server]) -> None:
    seen = host.doctor("--ca-bundle", CERTIFICATE, served(tls=certified()).url)
    assert (seen.status, seen.checks["tls"]["said"]) == (0, "the certificate is trusted")


@dataclass(frozen=True)
class Proxied:
    """A proxy between the host and a service that has the name and the certificate of cas.example.

    Attributes:
        name: of the check that must fail; "" where none does.
        words: of its line.
        refuses: how the proxy answers a CONNECT, where it does not let anybody through.
        speaks_tls: whether it does so itself, with a certificate of its own.
        scheme: by which the environment names it.
        trusted: the certificate that the host trusts.
    """

    name: str
    words: str
    refuses: str = ""
    speaks_tls: bool = False
    scheme: str = "http"
    trusted: Path = EXAMPLE


PROXIED = {
    "lets through": Proxied("", ""),
    "refuses": Proxied("through the proxy", "have the proxy let cas.example through", "403 Forbidden"),
    "wants a password": Proxied("through the proxy", "http://USER:PASSWORD@HOST", "407 Proxy Authentication Required"),
    "does not get there": Proxied("through the proxy", "(HTTP 502 Bad Gateway)", "502 Bad Gateway"),
    "has a certificate of its own": Proxied(
        "through the proxy", "--ca-bundle FILE too", speaks_tls=True, scheme="https"
    ),
    "looks into TLS": Proxied("tls", INSPECTED, trusted=CERTIFICATE),
}


@pytest.mark.fuse
@pytest.mark.parametrize("what", PROXIED)
def test_tls_through_a_proxy_has_a_verdict(host: Host, served: Callable[..., Server], what: str) -> None:
    case = PROXIED[what]
    upstream = int(served(tls=certified(EXAMPLE)).url.rpartition(":")[2])

    def refuse(client: socket.socket) -> None:
        http_tunnel(client, f"HTTP/1.1 {case.refuses}\r\nContent-Length: 0\r\n\r\n")

    proxy = Tunnels(upstream, refuse if case.refuses else http_tunnel, certified() if case.speaks_tls else None)
    proxy.start()
    name = proxy.name
    try:
        host.env = {"HTTPS_PROXY": f"{case.scheme}://someone:PROXYSECRET@{name}"}
        seen = host.doctor("--ca-bundle", case.trusted, "https://cas.example")
    finally:
        proxy.stop()
    assert [line["name"] for line in seen.bad()] == ([case.name] if case.name else [])
    assert case.words in seen.failed()
    assert (seen.status, "PROXYSECRET" in seen.text) == (bool(case.name), False)
    if not case.name:
        assert seen.checks["tls"]["said"] == f"the certificate is trusted, through the proxy {name}"
