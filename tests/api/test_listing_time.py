"""How long a listing may take."""

from collections.abc import Iterator

import pytest

from casfs.api.client import Client
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from casfs.emulator.state import State
from casfs.errors import DeadlineError, InterruptedCallError
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.conftest import Announce
from tests.providers import cas
from tests.settings import client_settings

VAULTS = 5001
PAGE_S = 0.5


def listed(client: Client, deadline: Deadline, stats: Stats) -> int:
    """Return how many requests a listing takes until it fails."""
    with pytest.raises((DeadlineError, InterruptedCallError)):
        list(client.vaults(deadline))
    asked = stats.snapshot()["requests"]
    assert isinstance(asked, int)
    return asked


@pytest.fixture
def slow() -> Iterator[Server]:
    state = State()
    for number in range(VAULTS):
        state.add_vault(f"vault{number}")
    with Server(state, shaping=Shaping(first_byte_s=PAGE_S)) as server:
        yield server


def test_one_deadline_is_that_of_all_pages(slow: Server, announce: Announce) -> None:
    announce("list_vaults")
    stats = Stats()
    client = Client(cas(slow.url), client_settings(), stats)
    assert listed(client, Deadline.after(2.5 * PAGE_S), stats) <= 4
    client.close()


def test_a_listing_ends_when_nobody_waits(slow: Server) -> None:
    stats = Stats()
    client = Client(cas(slow.url), client_settings(), stats)
    waiting = iter([False] * 4)
    assert listed(client, Deadline.after(60, cancelled=lambda: next(waiting, True)), stats) <= 4
    client.close()
