"""A drain on hosts with a link each: what two bring, and what is lost when a host, a scheduler or a network is."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.drain.vaults import SECRET, Vault, serving, vault_of
from tests.long.hosts import ADDRESS, HERE, Hosts, hosts
from tests.mounting import environment, wait_until
from tests.network.namespace import why_none

pytest.importorskip("distributed", reason="the extra dask is not installed")

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(why_none() is not None, reason=why_none() or ""),
]

COUNT, SIZE = 100, 2 << 20
RATE = "40mbit"
PARTED_S = 30.0
LIMIT_S = 300


@contextmanager
def rig(folder: Path, count: int, links: int) -> Iterator[tuple[Vault, Hosts]]:
    """Serve a vault to hosts with a link each."""
    (folder / "home").mkdir()
    with hosts(folder / "cluster", environment(folder / "home", "id", SECRET)) as found:
        state = vault_of("cas", [f"d/{number}" for number in range(count)], SIZE)
        with serving(state, "cas", folder, host=HERE) as vault:
            for _ in range(links):
                found.add(RATE)
            yield vault, found


def outputs(vault: Vault) -> list[float]:
    """Return when outputs were answered."""
    return [record.at_s for record in vault.server.requests if record.operation == "get_job_output"]


def check(vault: Vault, found: Hosts, count: int) -> None:
    """Check that all is there, that each was paid for once, and nothing was downloaded more than twice."""
    vault.check()
    assert vault.retrievals() == count
    times: dict[str | None, Counter[str | None]] = {}
    for record in vault.server.journal.delivered():
        if record.operation == "get_job_output":
            times.setdefault(record.job, Counter())[record.range] += 1
    assert all(min(ranges.values()) <= 2 for ranges in times.values()), "nothing was downloaded whole more than twice"
    assert not (vault.out / ".casfs-part").exists()
    assert SECRET not in found.said("scheduler") + found.said("worker")


def took_s(folder: Path, links: int) -> float:
    """Return how long the downloads take over so many links."""
    with rig(folder, COUNT, links) as (vault, found):
        done = vault.drain("--scheduler", ADDRESS, "--jobs", 16)
        assert done.returncode == 0, done.stderr
        check(vault, found, COUNT)
        return max(outputs(vault)) - sorted(outputs(vault))[1]  # the first is of the inventory


def test_two_links_bring_close_to_twice_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for links in (1, 2):
        (tmp_path / str(links)).mkdir()
    one_s, two_s = (took_s(tmp_path / str(links), links) for links in (1, 2))
    with capsys.disabled():
        sys.stdout.write(f"\n{COUNT} archives of {SIZE >> 20} MiB over {RATE}: {one_s:.1f} s, over two {two_s:.1f} s\n")
    assert one_s / two_s >= 1.7


@pytest.mark.parametrize("event", ["worker", "scheduler", "network"])
def test_what_is_lost_on_the_way_costs_nothing(event: str, tmp_path: Path) -> None:
    count = 30
    with rig(tmp_path, count, 2) as (vault, found):
        with vault.running("--scheduler", ADDRESS, "--jobs", 16) as process:
            wait_until(lambda: len(outputs(vault)) > 5, "downloads are under way")
            if event == "worker":
                found.all[0].worker.kill()
            elif event == "scheduler":
                found.kill_scheduler()
                found.begin_scheduler()
                found.add(RATE)  # as a service manager starts workers again, which end with their scheduler
            else:
                found.all[0].cut()
                time.sleep(PARTED_S)
                found.all[0].mend()
            said = process.communicate(timeout=LIMIT_S)[1]
        if process.returncode:
            assert event == "scheduler", said
            done = vault.drain("--scheduler", ADDRESS)
            assert done.returncode == 0, done.stderr
        # a worker that was given up goes on with what it was at, and takes away what is left of it
        wait_until(lambda: not (vault.out / ".casfs-part").exists(), "nobody is at anything")
        check(vault, found, count)
