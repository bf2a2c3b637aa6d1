"""A service with a few vaults, and a file system over it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.fsspec.filesystem import CasFileSystem
from tests.fsspec.service import KEYS, serving
from tests.mounting import environment

OUTPUTS = {
    "bulk/job1": b"first",
    "bulk/job2": b"second",
    "bulk/other": b"third",
    "prefix/sub": b"below",
    "prefix/sub.txt": b"beside",
}


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let casfs find a key in the environment, and nothing of whoever runs the tests."""
    env = environment(tmp_path, *next(iter(KEYS.items())))
    for name in os.environ.keys() - env.keys():
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def service() -> Iterator[tuple[Server, State]]:
    with serving(OUTPUTS) as both:
        yield both


@pytest.fixture
def server(service: tuple[Server, State]) -> Server:
    return service[0]


@pytest.fixture
def state(service: tuple[Server, State]) -> State:
    return service[1]


@pytest.fixture
def fs(server: Server) -> Iterator[CasFileSystem]:
    made = CasFileSystem(server.url)
    yield made
    made.close()
    CasFileSystem.clear_instance_cache()
