"""A service that gives outputs, over TLS and without."""

import pytest

from tests.api.scripted import ScriptedServer


@pytest.fixture(params=["plain_server", "tls_server"])
def server(request: pytest.FixtureRequest) -> ScriptedServer:
    """Speak both ways: other code receives the bytes of each."""
    server: ScriptedServer = request.getfixturevalue(request.param)
    return server
