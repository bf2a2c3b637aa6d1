"""After any crowd of readers, with faults and in any memory, every reservation has come back."""

import random
import threading

import pytest

from casfs.data.memory.cache import Place
from casfs.data.outputs import Outputs
from casfs.errors import CasfsError, ServiceError
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings, settle

DATA = {"a": sample(20 * MIB + 5, seed=1), "b": sample(9 * MIB, seed=2), "c": b"short"}
READERS = 6
READS = 60


class Moods:
    """A service that fails, or flips a bit, now and then."""

    def __init__(self) -> None:
        self._chance = random.Random(7)

    def __call__(self, request: Request) -> bytes | None:
        mood = self._chance.random()
        if mood < 0.05:
            raise ServiceError("500")
        if mood < 0.1:
            return b"\0" * request.length
        return None


def wander(outputs: Outputs, seed: int, mistakes: list[str]) -> None:
    """Open, read here and there, mostly in sequence, and close."""
    chance = random.Random(seed)
    for _ in range(3):
        job, data = chance.choice(list(DATA.items()))
        reader, offset = outputs.open(archive(data, job)), 0
        for _ in range(READS // 3):
            length = chance.choice([4096, MIB // 8, MIB, 3 * MIB])
            try:
                if read(reader, offset, length) != data[offset : offset + length]:
                    mistakes.append(f"{job} at {offset}")
            except CasfsError:
                pass
            offset = offset + length if chance.random() < 0.9 else chance.randrange(len(data))
        reader.close()


@pytest.mark.parametrize("read_ahead", [0, 64])
@pytest.mark.parametrize(("cache", "connections"), [(1, 1), (3, 4), (8, 2), (60, 16)])
def test_after_the_last_close_nothing_is_reserved_in_flight_or_waited_for(
    cache: int, connections: int, read_ahead: int
) -> None:
    service = Service(dict(DATA), act=Moods())
    mistakes: list[str] = []
    with mounted(service, settings(cache, connections, read_ahead)) as outputs:
        threads = [threading.Thread(target=wander, args=(outputs, seed, mistakes)) for seed in range(READERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        monitor, held = outputs._monitor, outputs._monitor._cache
        settle(outputs)
        assert mistakes == []
        assert {(slot.place, slot.pins, slot.bringer) for slot in held._slots.values()} <= {
            (Place.KEPT, 0, None),
            (Place.STALE, 0, None),
        }
        assert sum(map(len, held._rows.values())) == len(held)
        assert held._pool.free + len(held) == cache
        assert (monitor._flights.asked_ahead, monitor._budget._sharers, monitor._windows._windows) == (0, {}, {})
        assert not any(content.open_readers for content in outputs._contents._contents.values())
    assert service.most_in_flight <= connections
