"""Outputs that stall: a healthy one goes first, and nobody's request is made twice without need."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from casfs.data.fetch.shares import MAX_UNSHARED_CONNECTIONS, STALL_S
from casfs.data.outputs import Outputs
from casfs.errors import InterruptedCallError
from casfs.models import Output
from tests.conftest import Announce
from tests.data.calls import Clock, in_thread
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings, until

DATA = sample(6 * MIB)
HEALTHY = archive(DATA, "healthy")
SAID = "nothing comes of blocks"


def jobs(service: Service) -> list[str]:
    return [request.job for request in service.requests]


def until_wait(outputs: Outputs, count: int) -> None:
    """Wait until *count* flights lack nothing but a connection, or memory."""
    monitor = outputs._monitor

    def is_so() -> bool:
        with monitor._lock:
            return monitor._flights.waiting() == count

    until(is_so)


class Scene:
    """Outputs of which some stall, and the time."""

    def __init__(self, stalled: int, connections: int) -> None:
        self.connections = connections
        self.names = [f"stalled-{number}" for number in range(stalled)]
        self.service = Service(dict.fromkeys([*self.names, "healthy"], DATA), stalled=set(self.names))
        self.clock = Clock()

    def read_stalled(self, outputs: Outputs) -> list["Future[bytes]"]:
        """Begin to read all that stall, and wait until they hold what they can."""
        reading = [in_thread(outputs.open(archive(DATA, name)), 0, MIB) for name in self.names]
        self.service.arrived(min(len(self.names), self.connections))
        flights = outputs._monitor._flights
        until(lambda: sum(len(flight.waiting) for flight in set(flights._flying.values())) == len(self.names))
        return reading

    def wait(self, seconds: float = STALL_S) -> None:
        """Let time pass, and everyone who waits for the service see it."""
        self.clock.now_s += seconds
        self.service.stir()

    def let_by(self, outputs: Outputs) -> None:
        """Read the healthy one, once one that stalls has given way to it."""
        healthy = in_thread(outputs.open(HEALTHY), 0, MIB)
        until_wait(outputs, 1)
        self.wait()
        assert healthy.result(60) == DATA[:MIB]

    @contextmanager
    def mounted(self, cache: int = 64, read_ahead: int = 0) -> Iterator[Outputs]:
        chosen = settings(cache, self.connections, read_ahead, timeout_s=1000.0)
        with mounted(self.service, chosen, clock=self.clock) as outputs:
            yield outputs
        assert self.service.most_in_flight <= self.connections


@pytest.mark.parametrize(("stalled", "connections"), [(32, 32), (4, 4), (2, 2), (1, 1), (9, 3)])
def test_a_healthy_output_goes_before_those_that_stall(stalled: int, connections: int, announce: Announce) -> None:
    announce(SAID)
    scene = Scene(stalled, connections)
    with scene.mounted() as outputs:
        waiting = scene.read_stalled(outputs)
        reader = outputs.open(HEALTHY)
        first = in_thread(reader, 0, MIB)
        until_wait(outputs, stalled - connections + 1)
        for turn in range(stalled - connections + 1):  # nobody can know that those stall which were never asked for
            assert "healthy" not in jobs(scene.service)
            scene.wait()
            scene.service.arrived(connections + turn + 1)
        assert first.result(60) == DATA[:MIB]
        assert not any(future.done() for future in waiting), "nobody's read failed for it"
        if connections > 1:
            before = scene.clock.now_s
            for block in range(1, 6):
                assert read(reader, block * MIB, MIB) == DATA[block * MIB : (block + 1) * MIB]
            assert scene.clock.now_s == before, "those that stall leave connections free from now on"


def test_those_that_stall_are_read_once_they_go_on(announce: Announce) -> None:
    announce(SAID)
    scene = Scene(4, 4)
    with scene.mounted() as outputs:
        waiting = scene.read_stalled(outputs)
        scene.let_by(outputs)
        scene.service.release()
        assert [future.result(60) for future in waiting] == [DATA[:MIB]] * 4
        monitor = outputs._monitor
        assert not any(monitor._workers._shares.is_stalling(content) for content, _ in monitor._cache._slots)


def test_what_stalls_is_asked_once_where_nobody_else_waits() -> None:
    scene = Scene(4, 4)
    with scene.mounted() as outputs:
        waiting = scene.read_stalled(outputs)
        for _ in range(5):
            scene.wait(60.0)
        assert len(scene.service.requests) == 4
        scene.service.release()
        assert [future.result(60) for future in waiting] == [DATA[:MIB]] * 4


def test_only_as_many_give_way_as_others_wait(announce: Announce) -> None:
    announce(SAID)
    scene = Scene(16, 16)
    with scene.mounted() as outputs:
        scene.read_stalled(outputs)
        scene.service.stalled.add("healthy")
        in_thread(outputs.open(HEALTHY), 0, MIB)
        until_wait(outputs, 1)
        scene.wait()
        scene.service.arrived(17)
        assert jobs(scene.service)[16:] == ["healthy"]
        assert outputs._monitor._flights.in_flight == 16


def test_one_output_never_has_all_of_many_connections() -> None:
    connections = MAX_UNSHARED_CONNECTIONS + 4
    service = Service({"busy": sample(MIB) * 2 * connections, "healthy": DATA}, hashes=False, stalled={"busy"})
    busy = Output("vault", "busy", 2 * connections * MIB, None, is_inventory=False)
    with mounted(service, settings(128, connections)) as outputs:
        readers = [in_thread(outputs.open(busy), block * MIB, MIB) for block in range(2 * connections)]
        service.arrived(connections - 1)
        assert read(outputs.open(HEALTHY), 0, MIB) == DATA[:MIB]
        assert jobs(service).count("busy") == connections - 1
        service.release()
        assert [len(reader.result(60)) for reader in readers] == [MIB] * 2 * connections


def test_outputs_that_stall_do_not_hold_all_of_the_memory(announce: Announce) -> None:
    announce(SAID)
    scene = Scene(4, 8)
    with scene.mounted(cache=4) as outputs:
        scene.read_stalled(outputs)
        reader = outputs.open(HEALTHY)
        first = in_thread(reader, 0, MIB)
        until(lambda: outputs._monitor._flights.is_short)
        scene.wait()
        assert first.result(60) == DATA[:MIB]
        for block in range(1, 6):
            assert read(reader, block * MIB, MIB) == DATA[block * MIB : (block + 1) * MIB]


def test_two_that_are_slow_to_begin_both_have_their_turn_on_one_connection(announce: Announce) -> None:
    """Neither brings its first byte within the patience: whoever gave way is given more of it."""
    announce(SAID)
    scene = Scene(1, 1)
    with scene.mounted() as outputs:
        (slow,) = scene.read_stalled(outputs)
        for turn in range(4):
            healthy = in_thread(outputs.open(archive(DATA, "healthy")), turn * MIB, MIB)
            until_wait(outputs, 1)
            scene.wait(STALL_S * 2**turn - 0.1)
            assert not healthy.done()
            scene.wait(0.1)
            assert healthy.result(60) == DATA[turn * MIB : (turn + 1) * MIB]
            scene.service.arrived(2 * turn + 3)
            assert jobs(scene.service)[-1] == "stalled-0"
        scene.service.release()
        assert slow.result(60) == DATA[:MIB]


def test_a_stop_ends_what_was_queued_again(announce: Announce) -> None:
    announce(SAID)
    scene = Scene(4, 4)
    with scene.mounted() as outputs:
        waiting = scene.read_stalled(outputs)
        scene.let_by(outputs)
        outputs.stop()
        for future in waiting:
            with pytest.raises(InterruptedCallError):
                future.result(60)


def test_a_size_that_does_not_come_gives_way_too(announce: Announce) -> None:
    announce(SAID)
    scene = Scene(0, 1)
    scene.service.stalled.add("inventory")
    scene.service.data["inventory"] = DATA
    with scene.mounted() as outputs:
        opened: Future[int] = Future()
        run(lambda: opened.set_result(outputs.open(Output("vault", "inventory", None, None, is_inventory=True)).size))
        scene.service.arrived(1)
        scene.let_by(outputs)
        scene.service.release()
        assert opened.result(60) == len(DATA)


def run(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()
