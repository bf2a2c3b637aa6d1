"""A vault asked for through a proxy, and what is said where there is no way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from casfs.api.client import Client
from casfs.errors import (
    CasfsError,
    NoWayError,
)
from casfs.models import Vault
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import new_client
from tests.api.proxies.tunnels import Tunnels
from tests.api.scripted import answer
from tests.certificate import OTHERS

VAULT = answer("200 OK", b'{"VaultName":"v"}', x_cas_requestId="id")
PAGE = b"<html>Access denied by policy</html>"
EXAMPLE = OTHERS / "cas.example.pem"


@contextmanager
def tunnels(upstream: int, greet: Callable[..., tuple[str, int] | None]) -> Iterator[Tunnels]:
    running = Tunnels(upstream, greet)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def vault(client: Client) -> Vault:
    return client.vault("v", Deadline.after(30))


def ask(url: str, stats: Stats) -> Vault:
    """Ask for a vault, patiently."""
    return vault(new_client(url, stats, read_timeout_s=30, ca_bundle=str(EXAMPLE)))


def told(url: str, stats: Stats, kind: type[CasfsError] = NoWayError) -> str:
    """Return what is said of *url*, of which one attempt is enough."""
    with pytest.raises(kind) as caught:
        ask(url, stats)
    assert caught.type is kind
    assert stats.snapshot()["retries"] == 0
    assert "PROXYSECRET" not in str(caught.value) + repr(caught.value.__cause__)
    return str(caught.value)
