"""The host of a test, as it is, and services for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from tests.doctor.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def served() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def serve(**more: object) -> Server:
        server = Server(sample_state(), credentials={"id": "key"}, **more)  # type: ignore[arg-type]  # - as the test says
        server.start()
        made.append(server)
        return server

    yield serve
    for server in made:
        server.stop()
