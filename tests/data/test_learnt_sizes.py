"""Sizes that nobody tells: learnt once, with the first block."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from casfs.data.settings import Verify
from casfs.errors import (
    CasfsError,
    DeadlineError,
    ServiceError,
    SizeChangedError,
    UncheckableError,
)
from casfs.models import Output
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings, tree_hash

DATA = sample(3 * MIB + 7)
INVENTORY = Output("vault", "job", 5, None, is_inventory=True)
UNKNOWN = Output("vault", "job", None, tree_hash(DATA), is_inventory=False)


def fails_once(error: CasfsError) -> Service:
    service = Service({"job": DATA})

    def act(_request: Request) -> None:
        if len(service.requests) == 1:
            raise error

    service.act = act
    return service


@pytest.mark.parametrize("output", [INVENTORY, UNKNOWN], ids=["inventory", "unknown size"])
def test_a_size_is_learnt_once_with_the_first_block(output: Output) -> None:
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        assert outputs.size_of(output) == output.size
        assert outputs.learn_size(output, 20.0) == len(DATA)
        assert outputs.size_of(output) == len(DATA)
        reader = outputs.open(output)
        assert reader.size == len(DATA)
        assert reader.keep_pages
        assert read(reader, 10, 20) == DATA[10:30]
        assert outputs.media_type(output) == "text/csv"
    assert service.parts == [(0, 1)]


def test_opens_at_the_same_time_learn_the_size_with_one_request() -> None:
    service = Service({"job": DATA}, is_held=True)
    with mounted(service) as outputs:
        sizes: list[int] = []
        threads = [threading.Thread(target=lambda: sizes.append(outputs.open(INVENTORY).size)) for _ in range(4)]
        for thread in threads:
            thread.start()
        service.arrived(1)
        service.release()
        for thread in threads:
            thread.join()
    assert sizes == [len(DATA)] * 4
    assert service.parts == [(0, 1)]


def test_an_inventory_may_turn_out_to_be_empty() -> None:
    service = Service({"job": b"", "other": DATA})
    with mounted(service, settings(cache=1)) as outputs:
        reader = outputs.open(INVENTORY)
        assert reader.size == 0
        assert read(reader, 0, 10) == b""
        assert outputs.size_of(INVENTORY) == 0
        assert outputs.open(INVENTORY).size == 0
        assert len(service.requests) == 1
        assert read(outputs.open(archive(DATA, "other")), 0, 1) == DATA[:1], "of the buffer that no block came into"


def test_a_size_that_could_not_be_learnt_is_asked_again_at_the_next_open() -> None:
    with mounted(fails_once(ServiceError("500"))) as outputs:
        with pytest.raises(ServiceError):
            outputs.open(INVENTORY)
        assert outputs.open(INVENTORY).size == len(DATA)


def test_a_first_block_that_came_wrong_is_fetched_once_more() -> None:
    service = Service({"job": DATA})
    service.act = lambda request: b"\0" * request.length if len(service.requests) == 1 else None
    with mounted(service) as outputs:
        assert read(outputs.open(UNKNOWN), 0, MIB) == DATA[:MIB]
    assert service.parts == [(0, 1), (0, 1)]


def test_a_first_block_that_comes_with_another_size_once_more_is_not_served() -> None:
    service = Service({"job": DATA})

    def act(request: Request) -> bytes | None:
        if len(service.requests) == 1:
            return b"?" * request.length
        service.data["job"] = DATA[:-1]
        return None

    service.act = act
    with mounted(service) as outputs:
        reader = outputs.open(INVENTORY)
        assert reader.size == len(DATA)
        with pytest.raises(SizeChangedError):
            read(reader, 0, 1)


def test_who_no_longer_waits_for_a_size_leaves_its_request_to_who_does() -> None:
    service = Service({"job": DATA}, is_held=True)
    with mounted(service) as outputs, ThreadPoolExecutor(1) as other:
        opening = other.submit(outputs.open, INVENTORY)
        service.arrived(1)
        with pytest.raises(DeadlineError):
            outputs.learn_size(INVENTORY, 0.01)
        service.stir()
        service.release()
        assert opening.result(60).size == len(DATA)
    assert len(service.requests) == 1


def test_a_first_block_that_cannot_be_trusted_does_not_hide_the_size() -> None:
    service = Service({"job": DATA}, hashes=False)
    with mounted(service, settings(verify=Verify.REQUIRE)) as outputs:
        assert outputs.learn_size(INVENTORY, 20.0) == len(DATA)
        with pytest.raises(UncheckableError):
            read(outputs.open(INVENTORY), 0, 1)
