"""How a run ends that is stopped, by a signal or by the service: with a manifest of what is there."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from casfs.drain.archive import State
from casfs.drain.destinations.destination import Found
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.local_part import LocalPart
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.presence import SHARED_S
from casfs.errors import AccessDeniedError, RefusedError
from tests.drain.simulation import Simulation, contents, failing
from tests.drain.whole_runs import run

COUNT = 3


@dataclass(frozen=True)
class Stopped(LocalDestination):
    """Is told to end when it is written to for the first time."""

    signals: list[str]

    def part(self, path: str, attempt: str) -> LocalPart:
        if self.signals:
            raise KeyboardInterrupt(self.signals.pop())
        return super().part(path, attempt)


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_run_that_is_stopped_while_the_manifest_is_written_writes_it_whole(tmp_path: Path, *, is_lost: bool) -> None:
    drain = Simulation(tmp_path, contents(COUNT))
    drain.run()
    with Ledger(drain.ledger) as ledger:
        with ledger.step():
            ledger.put("lost", is_lost)
        with pytest.raises(KeyboardInterrupt):
            run(drain, ledger, Stopped(str(drain.out), ["SIGTERM"]))
    assert len(told(drain.out)) == COUNT


class StoppedAtClaim(LocalDestination):
    """Meets a signal once a claim is left."""

    def claim(self, name: str, text: bytes) -> None:
        super().claim(name, text)
        raise KeyboardInterrupt


def test_a_run_that_is_stopped_before_its_first_retrieval_leaves_a_manifest_and_nothing_else(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(COUNT))
    drain.enter()
    with Ledger(drain.ledger) as ledger, pytest.raises(KeyboardInterrupt):
        run(drain, ledger, StoppedAtClaim(str(drain.out)))
    assert (drain.service.begun, [each.name for each in drain.out.iterdir()]) == ([], ["MANIFEST.jsonl"])
    assert told(drain.out) == []


def told(folder: Path) -> list[str]:
    """Return the paths that the manifest tells of."""
    return [json.loads(line)["path"] for line in (folder / "MANIFEST.jsonl").read_text("utf-8").splitlines()]


def refused_once_at_work(tmp_path: Path, meanwhile: Callable[[Path], object]) -> Simulation:
    """Return a drain of which one archive is to be brought, whose next run is refused the list of jobs."""
    drain = Simulation(tmp_path, contents(COUNT))
    drain.service.on_open = failing(1, lambda: RefusedError("not now"), of="archive-002")
    assert drain.run() == {State.DONE: 2, State.FAILED: 1}

    def refuse() -> None:
        meanwhile(drain.out)
        raise AccessDeniedError("no permission")

    drain.service.on_list = refuse
    return drain


def test_what_is_missed_by_a_run_that_the_service_ends_is_not_in_the_manifest(tmp_path: Path) -> None:
    drain = refused_once_at_work(tmp_path, lambda out: (out / "archive-000").unlink(missing_ok=True))
    with Ledger(drain.ledger) as ledger, pytest.raises(AccessDeniedError):
        run(drain, ledger, drain.destination, lambda _: None)
    assert told(drain.out) == ["archive-001"]

    drain.service.on_list = lambda: None
    with Ledger(drain.ledger) as ledger:
        run(drain, ledger, drain.destination)
    assert sorted(told(drain.out)) == list(drain.service.contents)
    assert len(drain.service.begun) == COUNT, "the job that lives brings it"


def test_a_disk_that_goes_from_a_run_that_the_service_ends_is_not_forgotten(tmp_path: Path) -> None:
    drain = refused_once_at_work(tmp_path, lambda out: out.exists() and out.rename(tmp_path / "unmounted"))
    with Ledger(drain.ledger) as ledger:
        with pytest.raises(AccessDeniedError):
            run(drain, ledger, drain.destination, lambda _: None)
        assert not drain.out.exists()
        assert ledger.archives.totals()[State.DONE][0] == 2


class Late(LocalDestination):
    """Lists nothing at one look, once it is late; as a store whose listings lag behind."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.is_late = False

    def look(self, paths: Iterable[str]) -> Iterator[Found | None]:
        found = list(super().look(paths))
        was_late, self.is_late = self.is_late, False
        return iter([None] * len(found) if was_late else found)


def test_what_the_first_look_misses_of_a_run_that_the_service_ends_is_looked_for_a_minute_later(tmp_path: Path) -> None:
    late, pauses_s = Late(str(tmp_path / "out")), list[float]()
    drain = refused_once_at_work(tmp_path, lambda _: setattr(late, "is_late", True))
    with Ledger(drain.ledger) as ledger:
        with pytest.raises(AccessDeniedError):
            run(drain, ledger, late, pauses_s.append)
        assert ledger.archives.totals()[State.DONE][0] == 2
    assert (told(drain.out), pauses_s) == (["archive-000", "archive-001"], [SHARED_S])
