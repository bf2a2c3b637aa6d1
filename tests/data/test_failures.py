"""What a failure means: to the call that met it, to those beside it, and to the next one."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from casfs.data.open_readers import FAILURE_TTL_S
from casfs.data.outputs import Outputs
from casfs.errors import BadHandleError, CasfsError, DeadlineError, InterruptedCallError, ServiceError, UnreachableError
from casfs.stats import Stats
from tests.data.calls import Clock, in_thread, wait_until_joined
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings, settle, still

DATA = sample(16 * MIB)


def failing(error: CasfsError, *parts: tuple[int, int]) -> Service:
    """A service on which the requests for *parts* fail, as often as they are made."""
    service = Service({"job": DATA})

    def act(request: Request) -> None:
        if request.part in parts:
            raise error

    service.act = act
    return service


def test_a_failed_block_is_remembered_for_a_second_and_the_others_are_not_harmed() -> None:
    clock = Clock()
    service = failing(ServiceError("500"), (3, 4))
    with mounted(service, clock=clock) as outputs:
        reader = outputs.open(archive(DATA))
        for _ in range(3):
            with pytest.raises(ServiceError):
                read(reader, 3 * MIB, 4096)
        assert service.parts == [(3, 4)]
        assert read(reader, 4 * MIB, 1) == DATA[4 * MIB : 4 * MIB + 1]
        with pytest.raises(ServiceError):
            read(outputs.open(archive(DATA)), 3 * MIB, 1)
        assert service.parts == [(3, 4), (4, 5), (3, 4)], "who opens it anew asks anew"
        clock.now_s += FAILURE_TTL_S
        service.act = lambda _request: None
        assert read(reader, 3 * MIB, 1) == DATA[3 * MIB : 3 * MIB + 1]


def test_a_read_that_fails_is_counted_with_its_time_and_its_errno() -> None:
    clock, stats = Clock(), Stats()
    service = failing(ServiceError("500"), (3, 4))
    fail = service.act

    def act(request: Request) -> None:
        clock.now_s += 45.0
        fail(request)

    service.act = act
    with mounted(service, settings(timeout_s=100.0), clock=clock, stats=stats) as outputs:
        with pytest.raises(ServiceError):
            read(outputs.open(archive(DATA)), 3 * MIB, 4096)
        outputs.probe.read()
    reads = stats.exchanges().reads
    assert {code: sum(times.counts) for code, times in reads.items()} == {"ok": 0, "EIO": 1}
    assert reads["EIO"].sum_s == 45.0


def test_a_failed_block_is_not_asked_for_again_by_others_that_had_the_output_open() -> None:
    clock = Clock()
    service = failing(ServiceError("500"), (3, 4))
    with mounted(service, clock=clock) as outputs:
        readers = [outputs.open(archive(DATA)) for _ in range(5)]
        for reader in readers:
            with pytest.raises(ServiceError):
                read(reader, 3 * MIB, 4096)
        assert service.parts == [(3, 4)]
        clock.now_s += FAILURE_TTL_S
        service.act = lambda _request: None
        assert {read(reader, 3 * MIB, 1) for reader in readers} == {DATA[3 * MIB : 3 * MIB + 1]}


def test_calls_that_wait_for_one_block_share_its_failure() -> None:
    service = failing(ServiceError("500"), (3, 4))
    service.is_held = True
    with mounted(service) as outputs:
        reads = [in_thread(outputs.open(archive(DATA)), 3 * MIB, 1) for _ in range(5)]
        service.arrived(1)
        wait_until_joined(outputs, 5)
        service.release()
        assert {type(one.exception(60)) for one in reads} == {ServiceError}
    assert service.parts == [(3, 4)]


def test_a_failed_prefetch_is_asked_for_anew_by_the_read_that_needs_it() -> None:
    service = Service({"job": DATA})

    def act(request: Request) -> None:
        if request.part == (2, 3) and service.parts.count((2, 3)) == 1:
            raise UnreachableError("no route")

    service.act = act
    with mounted(service, settings(read_ahead=8), clock=still) as outputs:
        reader = outputs.open(archive(DATA))
        read(reader, 0, MIB)
        service.is_held = True
        service.let((1, 2))
        read(reader, MIB, MIB)
        waiting = in_thread(reader, 2 * MIB, MIB)
        wait_until_joined(outputs, 1)
        service.let((2, 3))
        assert waiting.result(60) == DATA[2 * MIB : 3 * MIB]
    assert service.parts.count((2, 3)) == 2


def early_and_late(outputs: Outputs, service: Service, clock: Clock) -> "tuple[Future[bytes], Future[bytes]]":
    """Begin a read, which asks, and another one, which joins it; then let the 100 s of the first pass."""
    early = in_thread(outputs.open(archive(DATA)), 0, 1)
    service.arrived(1)
    clock.now_s += 50
    late = in_thread(outputs.open(archive(DATA)), 0, 1)
    wait_until_joined(outputs, 2)
    clock.now_s += 60
    return early, late


def test_a_call_ends_at_its_own_deadline_while_the_request_goes_on_for_others() -> None:
    clock = Clock()
    service = Service({"job": DATA}, is_held=True)
    with mounted(service, settings(timeout_s=100.0), clock=clock) as outputs:
        early, late = early_and_late(outputs, service, clock)
        with pytest.raises(DeadlineError):
            early.result(60)
        assert not service.requests[0].cancelled()
        service.release()
        assert late.result(60) == DATA[:1]
    assert service.parts == [(0, 1)]


def test_a_deadline_of_the_call_that_asked_is_none_of_the_call_that_joined() -> None:
    clock = Clock()
    service = Service({"job": DATA}, is_held=True)

    def act(request: Request) -> None:
        request.deadline.check("fetching")

    service.act = act
    with mounted(service, settings(timeout_s=100.0), clock=clock) as outputs:
        early, late = early_and_late(outputs, service, clock)
        service.release()
        assert type(early.exception(60)) is DeadlineError
        assert late.result(60) == DATA[:1]
    assert service.parts == [(0, 1)] * 2


def test_a_signalled_call_ends_at_once_takes_its_request_along_and_is_not_remembered() -> None:
    signals: set[int] = set()
    service = Service({"job": DATA}, is_held=True)
    with mounted(service, interrupted=lambda: threading.get_ident() in signals) as outputs:
        reader = outputs.open(archive(DATA))
        signalled: Future[bytes] = Future()

        def run() -> None:
            signals.add(threading.get_ident())
            with pytest.raises(InterruptedCallError):
                read(reader, 0, 1)
            signalled.set_result(b"")

        threading.Thread(target=run, daemon=True).start()
        signalled.result(60)
        assert service.arrived(1) == [(0, 1)]
        assert service.requests[0].cancelled()
        service.release()
        settle(outputs)
        assert read(reader, 0, 1) == DATA[:1]


def test_a_call_that_joins_a_request_which_is_being_called_back_asks_for_itself() -> None:
    service = Service({"job": DATA}, is_held=True)

    def act(request: Request) -> None:
        if len(service.requests) == 1:
            raise InterruptedCallError("cancelled")

    service.act = act
    with mounted(service) as outputs:
        first = in_thread(outputs.open(archive(DATA)), 0, 1)
        service.arrived(1)
        second = in_thread(outputs.open(archive(DATA)), 0, 1)
        wait_until_joined(outputs, 2)
        service.release()
        assert type(first.exception(60)) is InterruptedCallError
        assert second.result(60) == DATA[:1]


def test_stopping_wakes_every_call_that_waits_at_once() -> None:
    service = Service({"job": DATA}, is_held=True)
    with mounted(service, settings(connections=1)) as outputs:
        reads = [in_thread(outputs.open(archive(DATA)), block * MIB, 1) for block in (0, 0, 5, 9)]
        wait_until_joined(outputs, 4)
        threading.Thread(target=outputs.stop, daemon=True).start()
        assert {type(one.exception(60)) for one in reads} == {InterruptedCallError}
        with pytest.raises(InterruptedCallError):
            read(outputs.open(archive(DATA)), 0, 1)


def test_a_bug_in_the_source_is_an_error_of_the_read_and_not_the_end_of_a_worker(
    announce: Callable[[str], None],
) -> None:
    announce("fetching blocks .* failed")
    service = Service({"job": DATA})

    def act(_request: Request) -> None:
        raise ZeroDivisionError

    service.act = act
    with mounted(service, settings(connections=1)) as outputs:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                read(outputs.open(archive(DATA)), 0, 1)
        service.act = lambda _request: None
        assert read(outputs.open(archive(DATA)), 0, 1) == DATA[:1]


def test_what_is_wrong_with_one_reader_is_not_remembered_for_the_others() -> None:
    service = Service({"job": DATA}, is_held=True)
    with mounted(service) as outputs:
        closed, other = outputs.open(archive(DATA)), outputs.open(archive(DATA))
        waiting = in_thread(closed, 3 * MIB, 1)
        service.arrived(1)
        wait_until_joined(outputs, 1)
        closed.close()
        service.release()
        assert type(waiting.exception(60)) is BadHandleError
        outputs._monitor._cache.drop(closed._content)  # as if it was evicted since
        assert read(other, 3 * MIB, 1) == DATA[3 * MIB : 3 * MIB + 1]
