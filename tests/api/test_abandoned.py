"""A document that nobody waits for any more is given up, wherever its answer has stopped."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from casfs.api.client import Client
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.errors import InterruptedCallError
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.mounting import wait_until
from tests.providers import cas
from tests.settings import client_settings

HOUR_S = 3600.0
LIMIT_S = 50.0
"""A hundred times what it takes."""

QUESTIONS: dict[str, Callable[[Client, Deadline], object]] = {
    "list_vaults": lambda client, deadline: list(client.vaults(deadline)),
    "list_jobs": lambda client, deadline: list(client.jobs("photos", deadline)),
    "describe_vault": lambda client, deadline: client.vault("photos", deadline),
    "describe_job": lambda client, deadline: client.job("photos", "job", deadline),
}
FAULTS = {
    "no head": Fault(kind=Kind.DELAY, seconds=HOUR_S, times=None),
    "half a body": Fault(kind=Kind.STALL, times=None),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("operation", QUESTIONS)
def test_document_that_nobody_waits_for_is_given_up(operation: str, fault: Fault) -> None:
    left = threading.Event()
    with Server(sample_state(), credentials={"id": "key"}) as server, ThreadPoolExecutor(1) as asker:
        server.faults.add(fault)
        settings = client_settings(read_timeout_s=HOUR_S)
        stats = Stats()
        client = Client(cas(server.url), settings, stats)
        deadline = Deadline.after(2 * LIMIT_S, cancelled=left.is_set)
        asked = asker.submit(QUESTIONS[operation], client, deadline)
        try:
            wait_until(lambda: len(server.requests) == 1, "it is asked for", LIMIT_S)
            left.set()
            with pytest.raises(InterruptedCallError):
                asked.result(LIMIT_S)
            assert stats.snapshot()["retries"] == 0, "it did not wait until the attempt had failed"
        finally:
            server.stop()
        client.close()
