"""Objects of a bucket that are not there any more, and buckets that cannot be listed."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from casfs.drain.archive import Archive, State
from casfs.drain.destinations.destination import Found
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import folder_at
from casfs.drain.jobs import Retrieval, seen
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.names import Naming
from casfs.drain.presence import Lost, Presence
from casfs.drain.pushing import Bucket, Push
from casfs.errors import DestinationError
from casfs.models import JobState
from tests.drain.test_pushing import DOMAIN, NoService, job


def test_an_object_that_is_gone_from_its_bucket_is_not_there_by_the_word_of_an_old_job(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = pytest.importorskip("fsspec.implementations.memory")

    class Cos(memory.MemoryFileSystem):  # type: ignore[misc,name-defined]  # it has no annotations
        protocol = "cos"
        store: dict[str, Any] = {}  # noqa: RUF012 - as fsspec has it
        pseudo_dirs = [""]  # noqa: RUF012 - as fsspec has it

    fsspec.register_implementation("cos", Cos, clobber=True)
    bucket, notes = Bucket(DOMAIN, "p/"), list[str]()
    assert bucket.url == "cos://backup-125/p/"
    way = Push(NoService(), "v", bucket, "Bulk", folder_at(bucket.url), notes.append)
    with Ledger(tmp_path / "ledger") as ledger:
        with ledger.step():
            ledger.archives.add([Archive("a", "x", "2014-03-01", 100, "0" * 64)], Naming.DESCRIPTION)
            ledger.archives.finish()
            ledger.retrievals.add("job", "a", 5, 100)
            ledger.archives.done(1, "0" * 64, "service", "2026-01-01")
        presence = Presence(ledger, way, lambda: [job(Object="p/x")], notes.append, time.time_ns)
        later = Presence(ledger, way, lambda: [job(Object="p/x")], notes.append, time.time_ns)
        files, prefix = fsspec.core.url_to_fs(bucket.url)
        files.pipe_file(f"{prefix.rstrip('/')}/x", bytes(100))
        assert presence.check(is_empty=lambda: False).archives == 0
        files.pipe_file(f"{prefix.rstrip('/')}/x", bytes(99))
        assert presence.check(is_empty=lambda: False) == Lost(1, 100, is_all=True)
        later.match()
        entry = ledger.archives.by_id("a")
        assert entry is not None
        assert (entry.state, entry.tree_hash) == (State.NEW, "0" * 64)
        assert (
            seen(entry, [Retrieval("a", "job", JobState.SUCCEEDED, 5, 7, "", "x")], ledger.retrievals.over("a")) is None
        )


def test_a_bucket_that_cannot_be_listed_is_said_and_changes_nothing(tmp_path: Path) -> None:
    class Unlisted(LocalDestination):
        def look(self, paths: Iterable[str]) -> Iterator[Found | None]:
            raise DestinationError("cos://backup-125/p/: no keys")

    notes = list[str]()
    way = Push(NoService(), "v", Bucket(DOMAIN, "p/"), "Bulk", Unlisted(str(tmp_path)), notes.append)
    assert way.look(["x"]) is None
    assert notes == ["cos://backup-125/p/: no keys; that archives are still there is not looked at"]
    assert Push(NoService(), "v", Bucket(DOMAIN, "p/"), "Bulk").look(["x"]) is None
