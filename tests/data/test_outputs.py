"""Opening outputs: sizes that are known and wrong; what the kernel may keep; what is gone."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from casfs.data.outputs import Outputs
from casfs.data.settings import Verify
from casfs.errors import (
    GoneError,
    ProtocolError,
    RefusedError,
    ShortageError,
    SizeChangedError,
)
from casfs.models import Output
from casfs.stats import Stats
from tests.conftest import Announce, no_more_threads
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings, tree_hash, until
from tests.data.test_learnt_sizes import fails_once

DATA = sample(3 * MIB + 7)
INVENTORY = Output("vault", "job", 5, None, is_inventory=True)


def test_opening_an_archive_asks_for_nothing() -> None:
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        outputs.open(archive(DATA))
        assert outputs.size_of(archive(DATA)) == len(DATA)
    assert not service.requests


def test_a_contradicted_size_fails_its_readers_for_good_and_is_right_at_the_next_open() -> None:
    service = Service({"job": DATA})
    believed = Output("vault", "job", 9 * MIB, None, is_inventory=False)
    with mounted(service) as outputs:
        old, other = outputs.open(believed), outputs.open(believed)
        for reader in (old, other, old):
            with pytest.raises(SizeChangedError):
                read(reader, 0, MIB)
        assert len(service.requests) == 1, "the others know already"
        assert outputs.size_of(believed) == len(DATA)
        new = outputs.open(believed)
        assert new.size == len(DATA)
        assert not new.keep_pages
        assert read(new, 0, 9 * MIB) == DATA


def test_blocks_of_a_size_that_proved_wrong_are_dropped() -> None:
    service = Service({"job": DATA})
    output = archive(DATA, hashed=False)
    with mounted(service) as outputs:
        reader = outputs.open(output)
        read(reader, 0, 2 * MIB)
        service.data["job"] = sample(len(DATA) + 4, seed=9)
        with pytest.raises(SizeChangedError):
            read(reader, 2 * MIB, 1)
        with pytest.raises(SizeChangedError):
            read(reader, 0, 1)
        assert len(outputs._monitor._cache) == 0
        assert read(outputs.open(output), 0, 9 * MIB) == service.data["job"]


def test_a_learnt_size_outlives_a_change_of_the_document_that_is_not_of_its_size() -> None:
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        assert outputs.learn_size(INVENTORY, 20.0) == len(DATA)
        changed = Output("vault", "job", INVENTORY.size, tree_hash(DATA), is_inventory=True)
        assert outputs.size_of(changed) == len(DATA)
        assert read(outputs.open(changed), 0, 9 * MIB) == DATA


def test_the_kernel_keeps_pages_again_once_no_reader_of_the_old_size_is_open() -> None:
    service = Service({"job": DATA})
    believed = Output("vault", "job", 9 * MIB, None, is_inventory=False)
    with mounted(service) as outputs:
        old = outputs.open(believed)
        with pytest.raises(SizeChangedError):
            read(old, 0, 1)
        second = outputs.open(believed)
        assert not second.keep_pages
        assert read(second, 0, 1) == DATA[:1]
        assert not outputs.open(believed).keep_pages, "the old one may have filled them again"
        old.close()
        first = outputs.open(believed)
        assert not first.keep_pages
        assert not outputs.open(believed).keep_pages, "the kernel may not have emptied them yet"
        assert read(first, 0, 1) == DATA[:1]
        assert outputs.open(believed).keep_pages


def test_a_document_that_says_something_else_is_believed_anew() -> None:
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        read(outputs.open(archive(DATA)), 0, 1)
        service.data["job"] = DATA[: 2 * MIB]
        changed = archive(DATA[: 2 * MIB])
        assert outputs.size_of(changed) == 2 * MIB
        reader = outputs.open(changed)
        assert not reader.keep_pages
        assert read(reader, 0, 9 * MIB) == DATA[: 2 * MIB]


def test_an_output_that_is_gone_is_told_and_not_asked_for_again_until_it_is_opened() -> None:
    service = Service({"job": DATA})
    told: list[Output] = []
    with mounted(service, on_gone=told.append) as outputs:
        reader = outputs.open(archive(DATA))
        read(reader, 0, 1)
        service.act = lambda _request: (_ for _ in ()).throw(GoneError("404"))
        for block in (1, 2):
            with pytest.raises(GoneError):
                read(reader, block * MIB, 1)
        assert read(reader, 0, 1) == DATA[:1], "what is held is still right"
        assert service.parts == [(0, 1), (1, 2)]
        assert told == [archive(DATA)]
        service.act = lambda _request: None
        assert read(outputs.open(archive(DATA)), 2 * MIB, 1) == DATA[2 * MIB : 2 * MIB + 1]


def test_a_failure_to_tell_that_an_output_is_gone_harms_nobody(announce: Callable[[str], None]) -> None:
    announce("telling that it is gone failed")

    def tell(_output: Output) -> None:
        raise RefusedError("no")

    with mounted(fails_once(GoneError("404")), on_gone=tell) as outputs:
        with pytest.raises(GoneError):
            read(outputs.open(archive(DATA)), 0, 1)
        assert read(outputs.open(archive(DATA)), 0, 1) == DATA[:1]


@pytest.mark.parametrize(
    ("output", "said"),
    [(archive(DATA), "none"), (archive(DATA, hashed=False), "unavailable"), (INVENTORY, "unavailable")],
)
def test_what_was_never_opened_costs_nothing_to_ask_about(output: Output, said: str) -> None:
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        assert str(outputs.verification(output)) == said
        assert outputs.media_type(output) is None
        assert not outputs._contents._contents
    assert not service.requests


def test_a_mount_that_does_not_verify_says_so() -> None:
    service = Service({"job": DATA})
    service.act = lambda request: b"\0" * request.length
    with mounted(service, settings(verify=Verify.OFF)) as outputs:
        assert read(outputs.open(archive(DATA)), 0, MIB) == bytes(MIB)
        assert str(outputs.verification(archive(DATA))) == "none"


def test_of_more_outputs_than_can_be_remembered_only_the_oldest_that_are_closed_and_well_are_forgotten() -> None:
    jobs = [f"job{number}" for number in range(6)]
    service = Service(dict.fromkeys(jobs, DATA))
    outputs = Outputs(service, settings(), Stats(), remembered=3)
    outputs.start()
    well, opened, bad, *others = [archive(DATA, job) for job in jobs]
    outputs.open(well).close()
    reader = outputs.open(opened)
    bad = Output("vault", bad.job, 5, None, is_inventory=False)
    with pytest.raises(SizeChangedError):
        read(outputs.open(bad), 0, 1)
    for other in others:
        outputs.open(other).close()
    assert [job for _, job in outputs._contents._contents] == [opened.job, bad.job, others[-1].job]
    assert outputs.size_of(bad) == len(DATA)
    assert read(reader, 0, 5) == DATA[:5]
    assert read(outputs.open(well), 0, 5) == DATA[:5]
    outputs.stop()


@pytest.mark.parametrize("told", [archive(DATA), INVENTORY], ids=["archive", "inventory"])
def test_an_output_that_is_said_to_be_larger_than_any_is_refused_and_warned_of_once(
    told: Output, announce: Announce, caplog: pytest.LogCaptureFixture
) -> None:
    announce("its document says")
    absurd = replace(told, size=(40 << 40) + 1)
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        for ask in (outputs.open, outputs.size_of, lambda output: outputs.learn_size(output, 20.0)):
            with pytest.raises(ProtocolError, match=r"vault/job: its document says \d+ bytes"):
                ask(absurd)
        assert outputs.size_of(replace(absurd, size=40 << 40)) == 40 << 40
    assert not service.requests
    assert len(caplog.records) == 1


def test_a_reader_before_the_start_starts_the_threads() -> None:
    outputs = Outputs(Service({"job": DATA}), settings(), Stats())
    before = set(threading.enumerate())
    reader = outputs.open(archive(DATA))
    assert set(threading.enumerate()) <= before, "nothing was asked for yet"
    assert read(reader, 0, len(DATA)) == DATA
    outputs.stop()
    until(lambda: set(threading.enumerate()) <= before)


def test_a_read_for_which_the_system_gives_no_thread_fails_at_once_and_the_next_one_is_served() -> None:
    outputs = Outputs(Service({"job": DATA}), settings(), Stats())
    reader = outputs.open(archive(DATA))
    with no_more_threads(), pytest.raises(ShortageError, match="no more threads"):
        read(reader, 0, 1)
    assert read(reader, 0, 1) == DATA[:1]
    outputs.stop()
