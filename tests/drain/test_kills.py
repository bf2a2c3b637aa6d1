"""A drain that is killed whenever chance has it, and run again."""

import random
from collections import Counter
from pathlib import Path

import pytest

from casfs.emulator.shaping import Shaping
from tests.drain.runs import Drain
from tests.drain.services import Served, served
from tests.mounting import wait_until

SLOW = Shaping(first_byte_s=0.01, bytes_per_s=1e6)
"""So that most of the time of a run is one in which something is under way."""
MOST = 25
"""Retrievals and downloads that a run begins before its kill; however fast the machine is, the next one finds less."""
SIDE_BY_SIDE = 8


@pytest.mark.parametrize(
    ("provider", "count", "kills"),
    [
        pytest.param("cas", 60, 5, id="cas"),
        pytest.param("cas", 150, 20, marks=pytest.mark.long, id="cas, 20 times"),
        pytest.param("glacier", 150, 20, marks=pytest.mark.long, id="glacier, 20 times"),
    ],
)
def test_kills_in_a_row_cost_no_money_and_hardly_a_byte(tmp_path: Path, provider: str, count: int, kills: int) -> None:
    chance = random.Random(count * kills)
    with served(provider, count, shaping=SLOW, page=50 if provider == "cas" else None) as service:
        drain = Drain(service, tmp_path)
        killed = [kill(drain, chance.randrange(1, MOST)) for _ in range(kills)]
        drain.succeed()
        assert killed.count(True) > kills // 2
        assert service.paid() == Counter(dict.fromkeys(service.archives, 1))
        assert_hardly_again(service, kills)
        assert not (drain.destination / ".casfs-part").exists()


def assert_hardly_again(service: Served, kills: int) -> None:
    """Fail if more was downloaded again than what the kills found between the network and the disk.

    That is at most what is under way side by side: a kill after a download has come to its end and before its block is
    in the part has it done again.
    """
    downloads = service.downloads()
    assert set(downloads) == set(service.archives)
    assert downloads.total() <= len(service.archives) + SIDE_BY_SIDE * kills


def kill(drain: Drain, count: int) -> bool:
    """Begin a run, kill it once it has begun so many retrievals and downloads, and say whether that found it alive."""
    before = begun(drain.served)
    with drain.start() as process:
        wait_until(lambda: begun(drain.served) >= before + count or process.poll() is not None, "it is at work", 120)
        process.kill()
        _, errors = process.communicate()
    assert process.returncode in (-9, 0), errors
    return process.returncode == -9


def begun(service: Served) -> int:
    """Return how many retrievals and downloads were begun so far."""
    return sum(record.operation in ("initiate_job", "get_job_output") for record in service.server.requests)
