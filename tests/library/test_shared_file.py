"""A file that several threads have, one of them twice, or a child of its process."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from casfs.file import File
from tests.data.service import MIB
from tests.library.in_memory import DATA, InMemory, opened, unknown


def test_threads_that_share_a_file_get_each_byte_once(file: File) -> None:
    found: list[bytes] = []

    def take(size: int) -> None:
        while piece := file.read(size):
            found.append(piece)

    sizes = [1000, 4096, 100_000, MIB, 77_777, 300_000, 2 * MIB, 10_000]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(take, sizes))
    left = DATA
    while left:
        piece = next(piece for piece in found if left.startswith(piece))
        found.remove(piece)
        left = left[len(piece) :]
    assert found == []


def test_a_child_goes_on_where_the_file_was_though_another_thread_held_it() -> None:
    is_in, go = threading.Event(), threading.Event()
    readers = [InMemory(DATA) for _ in range(3)]  # the third for that thread, which a child has not

    def hold(offset: int) -> None:
        if offset >= MIB:
            is_in.set()
            assert go.wait(60)

    readers[0].act = hold
    file = File("vault/job/output", iter(readers).__next__, unknown)
    file.read(1000)
    thread = threading.Thread(target=file.read, args=(2 * MIB,))
    thread.start()
    assert is_in.wait(60)
    file.begin_anew()  # what a child does, where that thread is not
    assert not readers[0].is_closed
    assert file.tell() == 1000
    assert file.read() == DATA[1000:]
    go.set()
    thread.join(60)
    file.close()


def test_a_child_leaves_the_reader_of_its_parent_alone() -> None:
    readers = [InMemory(DATA), InMemory(DATA)]
    file = File("vault/job/output", iter(readers).__next__, unknown)
    file.read(1000)
    file.begin_anew()
    assert file.read(10) == DATA[:10]
    file.close()
    del file
    assert [reader.is_closed for reader in readers] == [False, True]


def test_a_read_within_a_read_of_the_same_thread_is_an_error_and_does_not_wait_for_itself() -> None:
    caught: list[type[BaseException]] = []

    def use_again(_offset: int) -> None:
        for use in (shared.read, shared.tell, lambda: shared.seek(0)):
            try:
                use()
            except RuntimeError as error:
                caught.append(type(error))

    shared = opened(InMemory(DATA, use_again))
    assert shared.read(10) == DATA[:10]
    assert caught == [RuntimeError] * 3
    assert shared.read(10) == DATA[10:20]
    shared.close()


def test_a_close_within_a_read_of_the_same_thread_takes_effect_when_the_read_is_over() -> None:
    reader = InMemory(DATA, lambda _offset: shared.close())
    shared = opened(reader)
    assert shared.read(10) == DATA[:10]
    assert shared.closed
    assert reader.is_closed
    with pytest.raises(ValueError, match="closed"):
        shared.read(10)
