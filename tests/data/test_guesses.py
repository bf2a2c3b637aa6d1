"""What was asked for before it is opened: what it may take, who goes before it, and what becomes of it."""

import threading

import pytest

from casfs.data.ahead import guesses, walk
from casfs.errors import CasfsError, GoneError, InterruptedCallError, ProtocolError, UnreachableError
from casfs.models import Output
from casfs.stats import Stats
from tests.data.calls import in_thread, wait_until_joined
from tests.data.service import MIB, Request, Service, mounted, read, sample, settings, settle, still, until
from tests.data.walking import JOBS, SMALL, Walked, asked, copy, walk_on


@pytest.fixture
def service() -> Service:
    return Service(dict.fromkeys(JOBS, SMALL))


def test_what_is_guessed_has_its_bound_and_leaves_memory_to_who_reads() -> None:
    service = Service(dict.fromkeys(JOBS, sample(5 * MIB)))
    vault, stats = Walked(service), Stats()
    with mounted(service, settings(cache=16, read_ahead=16), stats, clock=still, following=vault.following) as outputs:
        for output in vault.outputs[:3]:
            reader = outputs.open(output)
            assert read(reader, 0, 5 * MIB) == sample(5 * MIB)
            reader.close()
        settle(outputs)
        blocks = [(request.job, request.start // MIB) for request in service.requests if request.job > JOBS[2]]
        ahead = [(JOBS[3], block) for block in range(5)] + [(JOBS[4], 0)]
        assert {job for job, _ in blocks} == {JOBS[3], JOBS[4]}
        assert sum(stop - first for first, stop in service.parts) == 15 + len(ahead)


def test_nothing_is_guessed_before_all_of_what_is_read_is_asked_for() -> None:
    data = dict.fromkeys(JOBS, SMALL) | {JOBS[2]: sample(40 * MIB)}
    service = Service(data)
    vault = Walked(service)
    with mounted(service, settings(cache=200, read_ahead=16), clock=still, following=vault.following) as outputs:
        for output in vault.outputs[:2]:
            copy(outputs, output)
        reader = outputs.open(vault.outputs[2])
        for block in range(20):
            read(reader, block * MIB, MIB)
        assert set(asked(service)) == set(JOBS[:3])
        for block in range(20, 40):
            read(reader, block * MIB, MIB)
        until(lambda: JOBS[3] in asked(service))
        big = [request for request in service.requests if request.job == JOBS[2]]
        assert len({request.part for request in big}) == len(big)


def test_a_reader_goes_before_guesses(service: Service) -> None:
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64, connections=2), following=vault.following) as outputs:
        for output in vault.outputs[:2]:
            copy(outputs, output)
        service.stalled = {JOBS[3]}
        copy(outputs, vault.outputs[2])
        service.arrived(4)
        assert sorted(asked(service)) == JOBS[:4]
        for job in (15, 17):  # one connection is left, and is theirs
            copy(outputs, vault.outputs[job])
        assert asked(service)[4:] == [JOBS[15], JOBS[17]]


def test_a_reader_waits_for_what_is_on_its_way_and_asks_for_nothing_twice(service: Service) -> None:
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        walk_on(service, vault, outputs)
        service.arrived(10)
        reader = outputs.open(vault.outputs[3])
        reading = in_thread(reader, 0, MIB)
        wait_until_joined(outputs, 1)
        service.release()
        assert reading.result(60) == SMALL
        for output in vault.outputs[4:]:
            copy(outputs, output)
    assert sorted(asked(service)) == JOBS


FAILURES = [UnreachableError("no network"), ProtocolError("nonsense"), GoneError("expired")]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda error: type(error).__name__)
def test_a_guess_that_fails_leaves_no_trace_for_who_reads(service: Service, failure: CasfsError) -> None:
    vault, failing, gone = Walked(service), threading.Event(), list[Output]()
    failing.set()

    def act(request: Request) -> None:
        if request.job == JOBS[4] and failing.is_set():
            raise failure

    service.act = act
    with mounted(service, settings(read_ahead=64), following=vault.following, on_gone=gone.append) as outputs:
        for output in vault.outputs[:3]:
            copy(outputs, output)
        until(lambda: JOBS[4] in asked(service))
        settle(outputs)  # who reads joins what is on its way, and its failure with it
        failing.clear()
        copy(outputs, vault.outputs[3])
        until(lambda: JOBS[3 + guesses.FIRST_BLOCKS] in asked(service))
        for output in vault.outputs[4:]:
            copy(outputs, output)
    assert [output.job for output in gone] == [JOBS[4]] * isinstance(failure, GoneError)
    assert sorted(asked(service)) == sorted([*JOBS, JOBS[4]])


def test_one_that_is_known_to_be_gone_is_not_asked_for_and_holds_up_none(service: Service) -> None:
    vault = Walked(service)

    def act(request: Request) -> None:
        if request.job == JOBS[5]:
            raise GoneError("expired")

    service.act = act
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        with pytest.raises(GoneError):
            read(outputs.open(vault.outputs[5]), 0, MIB)
        for output in vault.outputs[:3]:
            copy(outputs, output)
        until(lambda: JOBS[6] in asked(service))
        assert asked(service).count(JOBS[5]) == 1


def test_who_closes_what_was_guessed_gives_up_what_it_has_not_read() -> None:
    service = Service(dict.fromkeys(JOBS[:4], sample(5 * MIB)))
    vault = Walked(service)

    def act(request: Request) -> None:
        if request.job == JOBS[3] and request.start:
            until(request.cancelled)
            raise InterruptedCallError("cancelled")

    service.act = act
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for output in vault.outputs[:3]:
            reader = outputs.open(output)
            read(reader, 0, reader.size)
            reader.close()
        until(lambda: asked(service).count(JOBS[3]) > 1)
        reader = outputs.open(vault.outputs[3])
        read(reader, 0, MIB)
        reader.close()
        settle(outputs)


def test_of_outputs_that_are_not_read_to_their_end_only_the_first_block_is_asked_for() -> None:
    large = sample(5 * MIB)
    service = Service({job: large if place % 4 == 3 else SMALL for place, job in enumerate(JOBS)})
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for output in vault.outputs:
            reader = outputs.open(output)
            read(reader, 0, 10)
            reader.close()
            settle(outputs)
    beyond = {request.job for request in service.requests if request.part[1] > 1}
    assert beyond <= set(JOBS[3:11])  # what was guessed before the first of them was closed


def test_once_one_is_read_to_its_end_the_next_ones_are_asked_for_whole() -> None:
    service = Service({job: sample(3 * MIB) if place % 2 else SMALL for place, job in enumerate(JOBS)})
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for place, output in enumerate(vault.outputs[:9]):
            reader = outputs.open(output)
            read(reader, 0, 10 if place == 1 else reader.size)
            reader.close()
        settle(outputs)
    assert {request.job for request in service.requests if request.part[1] > 1} >= set(JOBS[3:12:2])


def test_a_walk_that_rests_gives_its_memory_to_who_reads() -> None:
    service = Service(dict.fromkeys(JOBS, SMALL) | {"big": sample(40 * MIB)})
    vault, stats, now_s = Walked(service), Stats(), [0.0]
    small = settings(cache=16, read_ahead=16)
    with mounted(service, small, stats, clock=lambda: now_s[0], following=vault.following) as outputs:
        for output in vault.outputs[:3]:
            copy(outputs, output)
        service.arrived(3 + 6)
        settle(outputs)
        now_s[0] += 10
        reader = outputs.open(Output("elsewhere", "big", 40 * MIB, None, is_inventory=False))
        assert stats.snapshot()["prefetch_unused_outputs"] == 0
        for block in range(40):
            read(reader, block * MIB, MIB)
        assert stats.snapshot()["prefetch_unused_outputs"] == 6


def test_a_stop_ends_what_is_guessed(service: Service) -> None:
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        walk_on(service, vault, outputs)
        service.arrived(10)
        stopping = threading.Thread(target=outputs.stop)
        stopping.start()
        until(lambda: all(request.cancelled() for request in service.requests[3:]))
        service.stir()
        stopping.join(60)
        assert len(service.requests) == 10


def test_the_bounds_are_within_each_other() -> None:
    assert guesses.FIRST_BLOCKS <= guesses.MAX_BLOCKS
    assert guesses.FIRST_BLOCKS <= walk.MAX_OUTPUTS
