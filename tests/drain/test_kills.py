"""A drain that is killed whenever chance has it, and run again."""

import random
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from casfs.emulator.shaping import Shaping
from tests.drain.runs import Drain
from tests.drain.services import Served, served
from tests.mounting import wait_until

SLOW = Shaping(first_byte_s=0.01, bytes_per_s=1e6)
"""So that most of the time of a run is one in which something is under way."""
LONGEST_S = 1.5
"""From the first request of a run to its kill: a tenth of what all of it takes."""
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
        killed = [kill(drain, chance.uniform(0, LONGEST_S)) for _ in range(kills)]
        drain.succeed()
        assert killed.count(True) > kills // 2
        assert service.paid() == Counter(dict.fromkeys(service.archives, 1))
        assert_hardly_again(service, kills)
        assert not (drain.destination / ".casfs-part").exists()


def assert_hardly_again(service: Served, kills: int) -> None:
    """Fail if more was downloaded again than what the kills found between the network and the disk.

    That is at most what is under way side by side, and twice the same only by chance: the first kill after a download
    has come to its end and before its block is in the part has it done again, and so may the second.
    """
    downloads = service.downloads()
    assert set(downloads) == set(service.archives)
    assert downloads.total() <= len(service.archives) + SIDE_BY_SIDE * kills
    assert max(downloads.values()) <= 3


def kill(drain: Drain, after_s: float) -> bool:
    """Begin a run, kill it so long after its first request, and say whether that found it alive."""
    journal = drain.served.server.journal
    before = journal.exchanges
    with drain.start() as process:
        wait_until(lambda: journal.exchanges > before or process.poll() is not None, "it is at work", 120)
        with suppress(subprocess.TimeoutExpired):
            process.wait(after_s)
        process.kill()
        _, errors = process.communicate()
    assert process.returncode in (-9, 0), errors
    return process.returncode == -9
