"""The block that is built in: what brings it, what holds it up, and what does not."""

import threading

import pytest

from casfs.data.outputs import Outputs
from casfs.errors import InterruptedCallError
from casfs.stats import Stats
from tests.data.service import MIB, PATIENCE_S, Service, archive, mounted, read, sample, settings, still

DATA = sample(4 * MIB)


def ask(outputs: Outputs) -> bytes:
    reader = outputs.probe.open()
    try:
        return read(reader, 0, MIB)
    finally:
        reader.close()


def test_is_answered_without_the_service_and_not_counted_among_the_reads() -> None:
    service, stats = Service({}), Stats(clock=lambda: 0.0)
    with mounted(service, stats=stats) as outputs:
        before = stats.snapshot()
        assert [ask(outputs) for _ in range(3)] == [outputs.probe.text] * 3
        assert stats.snapshot() == before
    assert service.requests == []


def test_is_brought_anew_for_each_reader() -> None:
    with mounted(Service({})) as outputs:
        for _ in range(3):
            reader = outputs.probe.open()
            assert read(reader, 0, MIB) == read(reader, 0, MIB) == outputs.probe.text
            assert len(outputs.probe._monitor._cache) == 1
            reader.close()
            assert len(outputs.probe._monitor._cache) == 0


def test_no_two_mounts_have_the_same() -> None:
    with mounted(Service({})) as one, mounted(Service({})) as other:
        assert ask(one) != ask(other)


def test_ends_where_it_ends() -> None:
    with mounted(Service({})) as outputs:
        reader, size = outputs.probe.open(), len(outputs.probe.text)
        assert read(reader, size - 2, 10) == outputs.probe.text[-2:]
        assert read(reader, size, 10) == b""
        reader.close()


@pytest.mark.parametrize("blocks", [1, 64])
def test_is_answered_while_the_service_stalls_on_every_connection(blocks: int) -> None:
    service = Service({"one": DATA, "other": DATA}, stalled={"one", "other"})
    with mounted(service, settings(cache=blocks, connections=1), clock=still) as outputs:  # none gives way in time
        readers = [outputs.open(archive(DATA, name)) for name in ("one", "other")]
        waiting = [threading.Thread(target=read, args=(reader, 0, MIB)) for reader in readers]
        for thread in waiting:
            thread.start()
        service.arrived(1)
        assert ask(outputs) == outputs.probe.text
        assert (service.in_flight, service.parts) == (1, [(0, 1)]), "and takes the connection from nobody"
        service.release()
        for thread in waiting:
            thread.join(PATIENCE_S)


@pytest.mark.parametrize("lock", ["monitor", "stats"])
def test_waits_for_a_lock_of_the_reads_that_is_not_let_go(lock: str) -> None:
    stats = Stats()
    with mounted(Service({}), stats=stats) as outputs:
        held = outputs._monitor._lock if lock == "monitor" else stats._lock
        answered = threading.Event()

        def asks() -> None:
            ask(outputs)
            answered.set()

        asking = threading.Thread(target=asks)
        with held:
            asking.start()
            assert not answered.wait(0.2)
        assert answered.wait(PATIENCE_S)
        asking.join(PATIENCE_S)


def test_is_not_answered_any_more_once_the_mount_ends() -> None:
    with mounted(Service({})) as outputs:
        outputs.stop()
        with pytest.raises(InterruptedCallError):
            ask(outputs)
