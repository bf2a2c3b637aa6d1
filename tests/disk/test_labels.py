"""Where contents were seen: the label and the document of every place, kept with what is held."""

import contextlib
import random
from dataclasses import replace
from pathlib import Path

import pytest

from casfs.data.disk import labels, layout
from casfs.data.disk.layout import Label
from casfs.data.disk.store import Store
from tests.data.service import MIB
from tests.disk.contents import ROOT, Archive, Time, open_store
from tests.disk.machine import Machine, Process, StoppedError

ARCHIVE, OTHER = Archive.of(3 * MIB + 7), Archive.of(2 * MIB, 40)
SEEN = Label("https://cas.example", "100", "vault", "job", 7, 5, '{"JobId":"job"}')
HOUR_NS = 3600 * 10**9


def at(number: int, document: str | None = None) -> Label:
    return replace(SEEN, job=f"job {number}", seen_ns=number, document=document)


def noted(store: Store, archive: Archive = ARCHIVE) -> tuple[Label, ...]:
    (found,) = [entry.labels for entry in store.entries() if entry.digest == archive.key.digest.hex()]
    return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "cache")
    store.content(ARCHIVE.key).write(ARCHIVE.new([0, 3]))
    return store


def file_of(store: Store, archive: Archive) -> Path:
    return Path(store._room.folder.file_of(archive.key.digest))


def test_a_listing_shows_what_is_held_and_where_it_was_seen(store: Store) -> None:
    assert store.content(ARCHIVE.key).note(SEEN)
    (entry,) = store.entries()
    assert (entry.digest, entry.size, entry.tree_hash) == (ARCHIVE.key.digest.hex(), 3 * MIB + 7, ARCHIVE.key.tree_hash)
    assert (entry.held, entry.blocks, entry.label, entry.is_whole_for(ARCHIVE.place)) == (2, 4, SEEN, False)


def test_every_place_is_kept_with_its_document_by_whoever_opens_the_folder_later(store: Store) -> None:
    content = store.content(ARCHIVE.key)
    content.write(ARCHIVE.new([1, 2]))
    places = [at(number, f'{{"JobId":"job {number}","Text":"\\u00e9\\ud800"}}') for number in range(5)]
    assert all(content.note(label) for label in places)
    again = open_store(Path(store._room.folder.path))
    found = [(label, entry.tree_hash, entry.is_whole_for(ARCHIVE.place)) for label, entry in again.labels()]
    assert found == [(label, ARCHIVE.key.tree_hash, True) for label in reversed(places)]


def test_what_was_seen_longest_ago_goes_where_there_are_too_many_places(store: Store) -> None:
    content = store.content(ARCHIVE.key)
    for number in range(labels.PLACES + 3):
        content.note(at(number))
    assert [label.seen_ns for label in noted(store)] == list(range(labels.PLACES + 2, 2, -1))


def test_documents_that_do_not_fit_together_leave_the_places_that_were_seen_last(store: Store) -> None:
    content = store.content(ARCHIVE.key)
    for number in range(8):
        content.note(at(number, "x" * (labels.DOCUMENT_LIMIT - 1)))
    assert [label.seen_ns for label in noted(store)] == [7, 6, 5]
    assert store.used_bytes() < 3 * MIB


def test_a_document_beyond_all_measure_is_left_out_and_its_place_is_kept(store: Store) -> None:
    content = store.content(ARCHIVE.key)
    assert content.note(replace(SEEN, document="x" * (labels.DOCUMENT_LIMIT + 1)))
    assert noted(store) == (replace(SEEN, document=None),)


def test_names_beyond_all_measure_are_not_noted_and_harm_nothing(store: Store) -> None:
    content = store.content(ARCHIVE.key)
    content.note(SEEN)
    content.note(replace(SEEN, vault="v" * (1 << 20), seen_ns=6))
    assert noted(store) == (SEEN,)


def test_a_place_that_is_seen_again_is_noted_once_and_keeps_its_document(store: Store) -> None:
    content = store.content(ARCHIVE.key)
    content.note(SEEN)
    before = file_of(store, ARCHIVE).read_bytes()
    assert content.note(replace(SEEN, seen_ns=HOUR_NS, document=None))
    assert file_of(store, ARCHIVE).read_bytes() == before
    later = replace(SEEN, seen_ns=6 + HOUR_NS, document=None)
    assert content.note(later)
    assert noted(store) == (replace(later, document=SEEN.document),)
    assert content.note(replace(later, expires_ns=9))
    assert noted(store)[0].expires_ns == 9


def test_of_what_is_not_held_nothing_is_noted(store: Store) -> None:
    assert not store.content(OTHER.key).note(SEEN)
    assert [entry.tree_hash for entry in store.entries()] == [ARCHIVE.key.tree_hash]


def test_nothing_is_noted_in_a_file_that_says_it_is_another_content_s(store: Store) -> None:
    file_of(store, OTHER).parent.mkdir(0o700, exist_ok=True)
    file_of(store, ARCHIVE).rename(file_of(store, OTHER))
    assert not store.content(OTHER.key).note(SEEN)


def test_labels_go_with_the_content_and_are_charged_with_it(store: Store) -> None:
    before = store.used_bytes()
    store.content(ARCHIVE.key).note(SEEN)
    assert store.used_bytes() == before + layout.PAGE
    later = open_store(Path(store._room.folder.path), time=Time(2_000_000.0))
    assert later.shrink(0) == 0
    assert list(later.labels()) == []


def test_any_byte_of_the_labels_flipped_leaves_the_places_that_were_noted_before(store: Store) -> None:
    content, path = store.content(ARCHIVE.key), file_of(store, ARCHIVE)
    content.note(at(1))
    content.note(at(2))
    raw = bytearray(path.read_bytes())
    slot = layout.LABELS_OFFSET  # of the second turn
    for offset in range(slot, slot + labels.HEAD.size + 80):
        path.write_bytes(raw[:offset] + bytes([raw[offset] ^ 1]) + raw[offset + 1 :])
        assert noted(store) == (at(1),), offset
    path.write_bytes(raw)
    assert noted(store) == (at(2), at(1))


def test_labels_of_another_content_are_none(store: Store) -> None:
    store.content(OTHER.key).write(OTHER.new([0]))
    store.content(OTHER.key).note(SEEN)
    raw, slots = file_of(store, OTHER).read_bytes(), slice(layout.LABELS_OFFSET, layout.LEAVES_OFFSET)
    with file_of(store, ARCHIVE).open("r+b") as file:
        file.seek(layout.LABELS_OFFSET)
        file.write(raw[slots])
    assert noted(store, OTHER) == (SEEN,)
    assert noted(store) == ()


@pytest.mark.parametrize("seed", range(6))
def test_a_loss_of_power_while_a_place_is_noted_leaves_the_places_before(seed: int) -> None:
    for changes in range(1, 9):
        machine, time = Machine(), Time()
        content = open_store(ROOT, time=time, files=Process(machine)).content(ARCHIVE.key)
        content.write(ARCHIVE.new([3]))  # a short block
        content.note(at(1, "x" * 9000))
        process = Process(machine, stops_at=changes)
        with contextlib.suppress(StoppedError):
            open_store(ROOT, time=time, files=process).content(ARCHIVE.key).note(at(2, "y" * 9000))
        machine.lose_power(random.Random(seed * 100 + changes))
        found = noted(open_store(ROOT, time=time, files=Process(machine)))
        assert found in ((at(1, "x" * 9000),), (at(2, "y" * 9000), at(1, "x" * 9000)))


def test_a_cache_is_opened_without_a_look_at_its_contents_and_labels_come_one_by_one() -> None:
    machine = Machine()
    store = open_store(ROOT, files=Process(machine))
    archives = [Archive.of(MIB, seed) for seed in range(60, 66)]
    for archive in archives:
        store.content(archive.key).write(archive.new([0]))
        store.content(archive.key).note(SEEN)
    process = Process(machine)
    asked: list[str] = []
    process.before = asked.append
    again = open_store(ROOT, files=process)
    places = again.labels()
    assert len(asked) < 20
    before = asked.count("open")
    next(places)
    assert asked.count("open") - before <= 2
    assert len(list(places)) == 5
