"""Flights from the queue to their end, without threads: what is counted, and who may be let down."""

from dataclasses import dataclass, field

import pytest

from casfs.data.content import Content
from casfs.data.fetch.flight import Flight, State
from casfs.data.fetch.flights import Flights
from casfs.data.fetch.shares import Shares
from casfs.data.memory.cache import BlockCache
from casfs.data.settings import Verify
from casfs.errors import SizeChangedError
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.data.service import MIB, archive, still

CONNECTIONS = 4


@dataclass
class World:
    """Flights over a memory of 16 blocks, and the outputs that they are of."""

    stats: Stats = field(default_factory=Stats)
    woken: int = 0

    def __post_init__(self) -> None:
        self.shares = Shares(CONNECTIONS, still)
        self.cache: BlockCache[Flight] = BlockCache(16, self.stats)
        self.flights = Flights(
            self.cache, self.shares, connections=CONNECTIONS, spare=4, wake=self.wake, stats=self.stats
        )

    def wake(self) -> None:
        self.woken += 1

    def content(self, job: str) -> Content:
        return Content(archive(b"?", job), 40 * MIB, Verify.AUTO, self.stats)

    def asked(self, content: Content, part: range, readers: int = 1) -> Flight:
        """Return a flight that calls wait for, or a prefetch where none does."""
        flight = Flight(content, part, Deadline.after(20) if readers else None)
        flight.readers = readers
        self.flights.ask(flight)
        return flight


@pytest.fixture
def world() -> World:
    return World()


def test_a_connection_that_was_given_up_does_not_count_as_giving_way_once_its_flight_is_sent_again(
    world: World,
) -> None:
    flight = world.asked(world.content("slow"), range(1))
    for _ in range(3):
        assignment = world.flights.send()
        assert assignment is not None
        assert flight.state is State.SENT
        world.shares.stalls(flight.content)
        assert world.shares.must_yield(flight, waiting=1, is_short=True), "none gives way yet"
        world.flights.disconnected(assignment)
        world.flights.requeue(flight, assignment.room)
    assert world.flights.in_flight == 0


def test_none_gives_way_for_a_connection_that_another_has_just_given_up() -> None:
    shares, stats = Shares(16, still), Stats()
    contents = [Content(archive(b"?", f"job-{number}"), MIB, Verify.AUTO, stats) for number in range(17)]
    *slow, healthy = [Flight(content, range(1), None) for content in contents]
    for flight in slow:
        shares.sent(flight)
        flight.enter(State.SENT)
        shares.stalls(flight.content)
    assert shares.must_yield(slow[0], waiting=1, is_short=False)
    shares.ended(slow[0])
    slow[0].enter(State.QUEUED)
    assert not shares.must_yield(slow[1], waiting=1, is_short=False), "the one that waits is about to be sent"
    shares.sent(healthy)
    assert shares.must_yield(slow[1], waiting=1, is_short=False), "another one waits"


def test_a_flight_that_others_wait_for_is_not_called_back_when_one_of_them_goes_though_its_output_has_failed(
    world: World,
) -> None:
    content = world.content("job")
    flight = world.asked(content, range(1), readers=2)
    content.failure = SizeChangedError("another length", 1)
    flight.readers -= 1
    world.flights.drop_unwanted(flight)
    states = [flight.state]  # its worker tells who waits
    flight.readers -= 1
    world.flights.drop_unwanted(flight)
    assert [*states, flight.state] == [State.QUEUED, State.CALLED_BACK]
    assert world.flights.send() is None


def test_what_was_asked_ahead_counts_until_it_ends_in_whichever_way(world: World) -> None:
    content = world.content("job")
    landed, failed, called_back = [world.asked(content, range(at, at + 2), readers=0) for at in (0, 2, 4)]
    assert world.flights.asked_ahead == 6
    assignments = [world.flights.send() for _ in range(2)]
    for assignment in assignments:
        assert assignment is not None
        world.flights.disconnected(assignment)
        if assignment.flight is landed:
            assert [len(assignment.room[index]) for index in range(2)] == [MIB, MIB]
            world.flights.land(landed, assignment.room)
        else:
            world.flights.fail(failed, assignment.room)
    world.flights.drop_unwanted(called_back)
    assert [flight.state for flight in (landed, failed, called_back)] == [
        State.LANDED,
        State.FAILED,
        State.CALLED_BACK,
    ]
    assert (world.flights.asked_ahead, world.flights.in_flight, len(world.cache)) == (0, 0, 2)
    assert [world.flights.bringing((content, block)) for block in range(6)] == [None] * 6
    assert world.cache.reserve(16)


def test_after_a_stop_nothing_is_sent_and_what_had_been_ends_without_a_trace(world: World) -> None:
    content = world.content("job")
    sent, queued = world.asked(content, range(2)), world.asked(content, range(2, 4))
    assignment = world.flights.send()
    assert assignment is not None
    assert set(world.flights.stop()) == {sent, queued}
    assert world.flights.send() is None
    assert len(assignment.room[0]) == MIB
    world.flights.disconnected(assignment)
    world.flights.fail(sent, assignment.room)
    assert (sent.state, queued.state, world.flights.in_flight) == (State.FAILED, State.FAILED, 0)
    assert world.cache.reserve(16)
