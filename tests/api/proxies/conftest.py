"""No proxy but the test's own, and a service behind it."""

from collections.abc import Iterator

import pytest

from tests.api.conftest import started
from tests.api.proxies.asking import EXAMPLE
from tests.api.scripted import ScriptedServer
from tests.certificate import certified


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the proxies that this machine uses."""
    for scheme in ("http", "https", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """Let the server be the proxy that the environment names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, server.url.replace("http://", "http://someone:PROXYSECRET@"))
    return server


@pytest.fixture
def service() -> Iterator[ScriptedServer]:
    """Run a service with a certificate for cas.example."""
    yield from started(ScriptedServer(tls=certified(EXAMPLE)))
