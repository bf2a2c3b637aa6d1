"""What is asked for before it is opened, when, and what is not: counts and orders of requests."""

import threading
from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from casfs.data.ahead import guesses, walk
from casfs.data.outputs import Outputs
from casfs.errors import CasfsError, GoneError, InterruptedCallError, ProtocolError, UnreachableError
from casfs.models import LARGEST_OUTPUT, Output
from casfs.stats import Stats
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings, still, until
from tests.data.test_failures import in_thread

JOBS = [f"job-{number:02}" for number in range(20)]
SMALL = sample(MIB)


class Walked:
    """A vault whose directory has the jobs of a service in their order.

    Attributes:
        outputs: of it.
    """

    def __init__(self, service: Service, passed: Sequence[str] = ()) -> None:
        self.by_job = {job: archive(data, job) for job, data in service.data.items()}
        self.outputs = [output for job, output in self.by_job.items() if job not in passed]

    def following(self, output: Output) -> list[Iterator[Output]]:
        place = next(place for place, each in enumerate(self.outputs) if each.job == output.job)
        return [iter(self.outputs[place + 1 :]), iter(self.outputs[:place][::-1])]


@pytest.fixture
def service() -> Service:
    return Service(dict.fromkeys(JOBS, SMALL))


def asked(service: Service) -> list[str]:
    return [request.job for request in service.requests]


def copy(outputs: Outputs, output: Output) -> None:
    """Open an output, read all of it, and close it."""
    reader = outputs.open(output)
    assert read(reader, 0, reader.size) == SMALL
    reader.close()


def walk_on(service: Service, vault: Walked, outputs: Outputs) -> None:
    """Copy three outputs, with all that follows stalled before the third."""
    for output in vault.outputs[:2]:
        copy(outputs, output)
    service.stalled = set(JOBS[3:])
    copy(outputs, vault.outputs[2])


def test_the_next_outputs_are_asked_for_before_they_are_opened_and_once(service: Service) -> None:
    vault, stats = Walked(service), Stats()
    with mounted(service, settings(read_ahead=64), stats, following=vault.following) as outputs:
        for output in vault.outputs[:3]:
            assert asked(service)[-1:] != [output.job]
            copy(outputs, output)
        service.arrived(3 + guesses.FIRST_BLOCKS)
        assert sorted(asked(service)) == JOBS[: 3 + guesses.FIRST_BLOCKS]
        for output in vault.outputs[3:]:
            copy(outputs, output)
    assert sorted(asked(service)) == JOBS
    figures = stats.snapshot()
    assert (figures["prefetched_outputs"], figures["prefetch_unused_outputs"]) == (len(JOBS) - 3, 0)
    assert figures["prefetch_unused_blocks"] == 0


@pytest.mark.parametrize("jobs", [[0, 1], [0, 2, 4, 6, 8, 10], [5, 1, 9, 3, 17, 2], [0, 0, 0, 0]], ids=str)
def test_reads_in_no_order_have_nothing_asked_for(service: Service, jobs: list[int]) -> None:
    vault, stats = Walked(service), Stats()
    with mounted(service, settings(read_ahead=64), stats, following=vault.following) as outputs:
        for job in jobs:
            copy(outputs, vault.outputs[job])
    assert len(service.requests) == len(set(jobs))
    assert stats.snapshot()["prefetched_outputs"] == 0


def test_outputs_that_are_opened_and_not_read_have_nothing_asked_for(service: Service) -> None:
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for output in vault.outputs:
            reader = outputs.open(output)
            outputs.size_of(output)
            outputs.verification(output)
            reader.close()
    assert service.requests == []


def test_outputs_of_which_only_the_end_is_read_have_nothing_asked_for() -> None:
    service = Service(dict.fromkeys(JOBS, sample(3 * MIB)))
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for output in vault.outputs[:5]:
            read(outputs.open(output), 2 * MIB, 10)
    assert service.parts == [(2, 3)] * 5


def test_without_read_ahead_nothing_is_asked_for(service: Service) -> None:
    vault, stats = Walked(service), Stats()
    with mounted(service, settings(read_ahead=0), stats, following=vault.following) as outputs:
        for output in vault.outputs[:9]:
            copy(outputs, output)
    assert asked(service) == JOBS[:9]
    assert stats.snapshot()["prefetched_outputs"] == 0


def test_a_wrong_guess_ends_what_is_on_its_way_until_two_more_steps_were_told(service: Service) -> None:
    vault, stats = Walked(service), Stats()
    with mounted(service, settings(read_ahead=64), stats, following=vault.following) as outputs:
        walk_on(service, vault, outputs)
        service.arrived(3 + 7)  # and the eighth connection is not for what is asked for ahead
        service.stalled.discard(JOBS[18])
        copy(outputs, vault.outputs[18])
        service.stir()
        until(lambda: service.in_flight == 0)
        assert sorted(set(asked(service))) == [*JOBS[:10], JOBS[18]]
        assert stats.snapshot()["prefetch_unused_outputs"] == guesses.FIRST_BLOCKS
        service.release()
        before = len(service.requests)
        for job in (12, 13):
            copy(outputs, vault.outputs[job])
        assert asked(service)[before:] == [JOBS[12], JOBS[13]]
        copy(outputs, vault.outputs[14])
        service.arrived(before + 3 + 4)
        assert sorted(asked(service)[before:]) == [*JOBS[12:18], JOBS[19]]


def test_what_is_guessed_has_its_bound_and_leaves_memory_to_who_reads() -> None:
    service = Service(dict.fromkeys(JOBS, sample(5 * MIB)))
    vault, stats = Walked(service), Stats()
    with mounted(service, settings(cache=16, read_ahead=16), stats, clock=still, following=vault.following) as outputs:
        for output in vault.outputs[:3]:
            reader = outputs.open(output)
            assert read(reader, 0, 5 * MIB) == sample(5 * MIB)
            reader.close()
        service.idle()
        until(lambda: stats.snapshot()["in_flight"] == 0)
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
        assert asked(service)[-1] == JOBS[3]
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
        until(lambda: len(service.requests) >= 10)
        service.release()
        assert reading.result(20) == SMALL
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
        until(lambda: service.in_flight == 0)
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


def test_what_cannot_be_downloaded_is_passed_over(service: Service) -> None:
    vault = Walked(service, passed=JOBS[4:6])
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for output in vault.outputs:
            copy(outputs, output)
    assert sorted(asked(service)) == [job for job in JOBS if job not in JOBS[4:6]]


def test_a_size_that_no_output_has_is_passed_over(service: Service) -> None:
    vault = Walked(service)
    vault.outputs[4] = Output("vault", JOBS[4], LARGEST_OUTPUT + 1, None, is_inventory=False)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for output in vault.outputs[:3]:
            copy(outputs, output)
        service.arrived(3 + guesses.FIRST_BLOCKS)
    assert JOBS[4] not in asked(service)


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
        service.idle()


def test_of_outputs_that_are_not_read_to_their_end_only_the_first_block_is_asked_for() -> None:
    large = sample(5 * MIB)
    service = Service({job: large if place % 4 == 3 else SMALL for place, job in enumerate(JOBS)})
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for output in vault.outputs:
            reader = outputs.open(output)
            read(reader, 0, 10)
            reader.close()
            service.idle()
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
        service.idle()
    assert {request.job for request in service.requests if request.part[1] > 1} >= set(JOBS[3:12:2])


def test_a_walk_that_rests_gives_its_memory_to_who_reads() -> None:
    service = Service(dict.fromkeys(JOBS, SMALL) | {"big": sample(40 * MIB)})
    vault, stats, now_s = Walked(service), Stats(), [0.0]
    small = settings(cache=16, read_ahead=16)
    with mounted(service, small, stats, clock=lambda: now_s[0], following=vault.following) as outputs:
        for output in vault.outputs[:3]:
            copy(outputs, output)
        service.arrived(3 + 6)
        service.idle()
        now_s[0] += 10
        reader = outputs.open(Output("elsewhere", "big", 40 * MIB, None, is_inventory=False))
        assert stats.snapshot()["prefetch_unused_outputs"] == 0
        for block in range(40):
            read(reader, block * MIB, MIB)
        assert stats.snapshot()["prefetch_unused_outputs"] == 6


def test_sizes_that_are_not_known_are_not_asked_for(service: Service) -> None:
    vault = Walked(service)
    vault.outputs[4] = Output("vault", JOBS[4], None, None, is_inventory=True)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        for output in vault.outputs[:3]:
            copy(outputs, output)
        service.arrived(3 + guesses.FIRST_BLOCKS - 1)
        assert JOBS[4] not in asked(service)
        for output in vault.outputs[3:]:
            copy(outputs, output)
    assert sorted(asked(service)) == JOBS


def test_a_stop_ends_what_is_guessed(service: Service) -> None:
    vault = Walked(service)
    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        walk_on(service, vault, outputs)
        service.arrived(10)
        stopping = threading.Thread(target=outputs.stop)
        stopping.start()
        until(lambda: all(request.cancelled() for request in service.requests[3:]))
        service.stir()
        stopping.join(20)
        assert len(service.requests) == 10


def test_walks_through_two_vaults_are_two(service: Service) -> None:
    service.data |= {f"other-{job}": SMALL for job in JOBS}
    vault = Walked(service)
    near = [output for output in vault.outputs if not output.job.startswith("other")]
    far = [Output("far", output.job, MIB, None, is_inventory=False) for output in vault.outputs[len(near) :]]

    def following(output: Output) -> list[Iterator[Output]]:
        outputs = near if output.vault == "vault" else far
        return [iter(outputs[outputs.index(output) + 1 :])]

    with mounted(service, settings(read_ahead=64), following=following) as outputs:
        for pair in zip(near, far, strict=True):
            for output in pair:
                copy(outputs, output)
    assert sorted(asked(service)) == sorted(service.data)


def test_eight_that_copy_side_by_side_ask_for_nothing_twice(service: Service) -> None:
    vault, places, lock = Walked(service), iter(range(len(JOBS))), threading.Lock()

    def work(outputs: Outputs) -> None:
        while True:
            with lock:
                place = next(places, None)
            if place is None:
                return
            copy(outputs, vault.outputs[place])

    with mounted(service, settings(read_ahead=64), following=vault.following) as outputs:
        threads = [threading.Thread(target=partial(work, outputs)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert sorted(set(asked(service))) == JOBS


def test_the_bounds_are_within_each_other() -> None:
    assert guesses.FIRST_BLOCKS <= guesses.MAX_BLOCKS
    assert guesses.FIRST_BLOCKS <= walk.MAX_OUTPUTS
