"""What is asked for before it is opened, when, and what is not: counts and orders of requests."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from casfs.data.ahead import guesses
from casfs.data.outputs import Outputs
from casfs.models import LARGEST_OUTPUT, Output
from casfs.stats import Stats
from tests.data.service import MIB, Service, mounted, read, sample, settings, settle
from tests.data.walking import JOBS, SMALL, Walked, asked, copy, walk_on


@pytest.fixture
def service() -> Service:
    return Service(dict.fromkeys(JOBS, SMALL))


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
        settle(outputs)
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
