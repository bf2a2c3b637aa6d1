"""Ways through SOCKS proxies, and what it means when one refuses."""

import socket
import sys

import pytest

from casfs.errors import (
    ConfigError,
)
from casfs.stats import Stats
from tests.api.conftest import new_client
from tests.api.proxies.asking import EXAMPLE, VAULT, told, tunnels, vault
from tests.api.proxies.tunnels import socks5
from tests.api.scripted import ScriptedServer
from tests.conftest import Announce


@pytest.mark.parametrize(
    ("scheme", "url"),
    [("socks5h", "https://cas.example:8443"), ("socks5h", "http://cas.example:81"), ("socks5", "http://192.0.2.1:82")],
)
def test_a_socks_proxy_leads_to_the_service(
    service: ScriptedServer, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, scheme: str, url: str
) -> None:
    end = service if url.startswith("https") else server
    end.always = (VAULT,)
    with tunnels(end.port, socks5(user=b"someone", password=b"PROXYSECRET")) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://someone:PROXYSECRET@{proxy.name}")
        client = new_client(url, Stats(), ca_bundle=str(EXAMPLE))
        assert [vault(client).name for _ in range(3)] == ["v"] * 3
        host, _, port = url.rpartition("/")[2].rpartition(":")
        assert proxy.asked == [(host, int(port))]
    assert [seen.target for seen in end.seen] == ["/-/vaults/v"] * 3


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (2, "refuses the way (SOCKS 0x02: Connection not allowed by ruleset); hosts in NO_PROXY are asked without it"),
        (4, "does not get there (SOCKS 0x04: Host unreachable)"),
    ],
)
def test_what_a_socks_proxy_refuses_is_said_to_be_its_own_at_once(
    stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch, reply: int, words: str
) -> None:
    announce("the proxy")
    with tunnels(1, socks5(reply)) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://{proxy.name}")
        assert told("https://cas.example", stats) == f"cas.example: the proxy {proxy.name} of ALL_PROXY {words}"


@pytest.mark.parametrize("user", ["", "someone:PROXYSECRET@"])
def test_a_socks_proxy_that_wants_another_password_says_so(
    stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    announce("wants user and password")
    with tunnels(1, socks5(user=b"other", password=b"other")) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://{user}{proxy.name}")
        assert "wants user and password" in told("https://cas.example", stats)


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["another protocol", "silence"])
def test_a_proxy_that_does_not_speak_socks_is_told_at_once(
    stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    announce("the proxy")

    def greet(client: socket.socket) -> None:
        client.sendall(words)
        while client.recv(64):
            pass

    with tunnels(1, greet) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://{proxy.name}")
        said = told("https://cas.example", stats)
        assert said == f"cas.example: the proxy {proxy.name} of ALL_PROXY does not get there (it does not speak SOCKS)"


def test_a_host_that_this_machine_is_to_look_up_for_a_socks_proxy_is_told_by_its_own_name(
    stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce("no such host")
    with tunnels(1, socks5()) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5://{proxy.name}")
        said = told("https://nowhere.invalid", stats)
        assert said.startswith(f"nowhere.invalid through the proxy {proxy.name}: no such host (")
    assert said.endswith("; behind socks5h:// or socks4a:// the proxy looks it up")


def test_a_socks_proxy_without_a_listener_is_told_at_once(
    stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce("nobody listens")
    monkeypatch.setenv("ALL_PROXY", "socks5h://someone:PROXYSECRET@127.0.0.1:1")
    assert "the proxy 127.0.0.1:1 of ALL_PROXY: nobody listens there (Connection refused)" in told(
        "https://cas.example", stats
    )


def test_a_socks_proxy_without_pysocks_names_what_to_install(
    stats: Stats, announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce("PySocks")
    monkeypatch.setitem(sys.modules, "socks", None)
    monkeypatch.setenv("ALL_PROXY", "socks5h://someone:PROXYSECRET@127.0.0.1:1")
    assert "pip install 'casfs[socks]'" in told("https://cas.example", stats, ConfigError)
