"""A served account whose time stands still unless a test moves it, and a client of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.emulator.client import Client


@dataclass
class Clock:
    """Time that a test moves."""

    now_s: float = 1500000000.25

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> State:
    state = State(clock=clock, job_takes_s=60.0)
    state.add_vault("vault")
    return state


@pytest.fixture
def server(state: State) -> Iterator[Server]:
    with Server(state, credentials={"id": "key"}) as server:
        yield server


@pytest.fixture
def client(server: Server, clock: Clock) -> Iterator[Client]:
    with Client(server.url, now_s=clock.now_s) as client:
        yield client
