"""Runs of a drain from the beginning to the end, of a vault behind our own Protocol: nobody is asked, or told."""

import time
from collections.abc import Callable
from dataclasses import replace

from casfs.drain.choice import Choice
from casfs.drain.destinations.destination import Destination
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.manifest import Manifest
from casfs.drain.names import Naming
from casfs.drain.needs import Progress
from casfs.drain.run import Drain, Estimate, Wish
from casfs.drain.settings import DrainSettings
from casfs.drain.waves import Bounds
from casfs.drain.way import Download
from tests.drain.simulation import Simulation

WISH = Wish(
    settings=DrainSettings("v", "Bulk", Bounds(1 << 40, None), 3, 2, 300.0),
    naming=Naming.DESCRIPTION,
    choice=Choice(None, None, None),
    inventory=None,
    is_dry=False,
    price=None,
    how_to_list=str,
)


class Nobody:
    """Who listens to nothing, and allows everything."""

    def note(self, text: str) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    def plan(self, estimate: Estimate) -> None: ...

    def allow(self, what: str) -> None: ...


def run(
    drain: Simulation,
    ledger: Ledger,
    destination: Destination,
    sleep: Callable[[float], None] = time.sleep,
    *,
    is_dry: bool = False,
) -> None:
    """Run it to the end, to a place whose manifest is written as archives are."""
    wish = replace(WISH, is_dry=is_dry)
    way, manifest = Download(drain.service, "v", destination, "Bulk"), Manifest(destination)
    Drain(drain.service, drain.service, ledger, way, manifest, wish, Nobody(), sleep).run()
