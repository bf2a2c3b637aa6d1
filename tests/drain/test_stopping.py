"""A signal that comes while the manifest is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from casfs.drain.choice import Choice
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.local_part import LocalPart
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.manifest import Manifest
from casfs.drain.names import Naming
from casfs.drain.needs import Progress
from casfs.drain.run import Drain, Estimate, Wish
from casfs.drain.settings import DrainSettings
from casfs.drain.waves import Bounds
from casfs.drain.way import Download
from tests.drain.simulation import Simulation, contents

COUNT = 3


@dataclass(frozen=True)
class Stopped(LocalDestination):
    """Is told to end when it is written to for the first time."""

    signals: list[str]

    def part(self, path: str, attempt: str) -> LocalPart:
        if self.signals:
            raise KeyboardInterrupt(self.signals.pop())
        return super().part(path, attempt)


class Nobody:
    """Who listens to nothing, and allows nothing."""

    def note(self, text: str) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    def given_up(self, lost: Sequence[tuple[str, str]]) -> None: ...

    def plan(self, estimate: Estimate) -> None: ...

    def allow(self, what: str) -> None:
        raise AssertionError(what)


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_run_that_is_stopped_while_the_manifest_is_written_writes_it_whole(tmp_path: Path, *, is_lost: bool) -> None:
    drain = Simulation(tmp_path, contents(COUNT))
    drain.enter()
    drain.run()
    destination = Stopped(str(drain.out), ["SIGTERM"])
    wish = Wish(
        settings=DrainSettings("v", "Bulk", Bounds(1 << 40, None), 3, 2, 1.0),
        naming=Naming.DESCRIPTION,
        choice=Choice(None, None, None),
        inventory=None,
        is_dry=False,
        price=None,
        how_to_list=str,
    )
    with Ledger(drain.ledger) as ledger:
        with ledger.step():
            ledger.put("inventory", "2026-11-27")
            ledger.put("lost", is_lost)
        way = Download(drain.service, "v", destination, "Bulk")
        run = Drain(drain.service, drain.service, ledger, way, Manifest(destination), wish, Nobody())
        with pytest.raises(KeyboardInterrupt):
            run.run()
    assert (drain.out / "MANIFEST.jsonl").read_text("utf-8").count("\n") == COUNT
