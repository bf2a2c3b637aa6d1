"""A cache of many contents asks no more of the disk than one of few: when it is opened, read, written, made room in."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from casfs.data.disk.accounts import SLOT, Account
from casfs.data.disk.files import SystemFiles
from casfs.data.disk.layout import PAGE, ContentKey, Identity
from casfs.data.disk.store import Store
from tests.data.service import MIB
from tests.disk.contents import ROOT, Archive, Time, open_store, served
from tests.disk.machine import Inode, Machine, Process

FEW, MANY = 3, 3000
ARCHIVE = Archive.of(3 * MIB)


def cache_of(count: int) -> tuple[Machine, Store]:
    """Make a cache of so many contents: their files of one page, and their accounts, as the store leaves them."""
    machine = Machine()
    store = open_store(ROOT, files=Process(machine))
    folder = store._room.folder
    machine.names |= {folder.group(number): None for number in range(256)}
    slots = bytearray()
    for number in range(count):
        key = ContentKey.of(MIB, None, (str(number),))
        path = folder.file_of(key.digest)
        node = machine.names[path] = Inode(links=1)
        node.write(Identity.of(key).pack(), 0)
        slots += Account(key.digest, 2 * PAGE, 0, number).pack()
    journal = machine.names[folder.journal.path]
    assert journal is not None
    journal.write(bytes(slots), PAGE)
    with folder.journal.locked() as books:
        assert books is not None
        books.complete()
    assert len(slots) == count * SLOT.size
    return machine, store


def asked(count: int, step: Callable[[Store], object]) -> Counter[str]:
    """Return how often each call is made of the disk by a process that opens a cache of so many contents."""
    machine, _ = cache_of(count)
    process = Process(machine)
    calls: Counter[str] = Counter()
    process.before = lambda call: calls.update([call])
    store = open_store(ROOT, 64 * MIB, Time(), process)
    assert store.used_bytes() == count * 2 * PAGE
    step(store)
    return calls


def test_a_cache_is_ready_after_as_many_calls_whatever_is_in_it() -> None:
    few, many = (asked(count, lambda store: store.needs_rebuild) for count in (FEW, MANY))
    assert few == many
    assert sum(many.values()) < 40


def test_a_content_is_read_and_written_with_as_many_calls_whatever_else_is_there() -> None:
    def use(store: Store) -> None:
        content = store.content(ARCHIVE.key)
        assert content.write(ARCHIVE.new(range(3))) == 3
        assert served(content, ARCHIVE) == {0, 1, 2}

    few, many = (asked(count, use) for count in (FEW, MANY))
    assert few == many
    assert many["names"] <= 2


def test_room_is_made_with_a_bounded_number_of_calls() -> None:
    calls = asked(MANY, lambda store: store.shrink(MANY * 2 * PAGE - PAGE))
    assert calls["names"] <= 2
    assert calls["unlink"] <= 256
    assert calls["open"] + calls["open for writing"] < 256 * 4


def test_the_accounts_of_many_contents_take_as_little_memory_as_they_are_long(tmp_path: Path) -> None:
    store = open_store(tmp_path / "cache")
    count = 100_000
    with (tmp_path / "cache" / "journal").open("r+b") as file:
        file.seek(PAGE)
        file.write(b"".join(Account(number.to_bytes(32, "little"), PAGE, 0, 1).pack() for number in range(1, count)))
    read: list[int] = []

    class Reading(SystemFiles):
        def read(self, fd: int, length: int, offset: int) -> bytes:
            read.append(length)
            return super().read(fd, length, offset)

    again = open_store(tmp_path / "cache", files=Reading())
    assert again.used_bytes() == store.used_bytes()
    assert max(read) < 2 * PAGE, "the table is not read to be ready"
    with again._room.folder.journal.locked() as books:
        assert books is not None
        assert len(books.table) == count - 1
        assert max(read) == (count - 1) * SLOT.size < 10 * MIB
