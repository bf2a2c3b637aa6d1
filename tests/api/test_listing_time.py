"""How long a listing may take."""

from casfs.api.client import Client, ClientSettings
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from casfs.emulator.state import State
from casfs.models import Credentials
from casfs.stats import Stats
from casfs.waiting import Deadline

VAULTS = 5001
PAGE_S = 0.3


def test_each_page_of_a_listing_has_the_time_of_the_first() -> None:
    state = State()
    for number in range(VAULTS):
        state.add_vault(f"vault{number}")
    stats = Stats()
    with Server(state, shaping=Shaping(first_byte_s=PAGE_S)) as server:
        client = Client(ClientSettings(endpoint_url=server.url), Credentials("id", "key"), stats)
        listed = list(client.vaults(Deadline.after(4 * PAGE_S)))
        client.close()
    assert len(listed) == VAULTS
    assert stats.snapshot()["requests_by_operation"] == {"list_vaults": 6}
