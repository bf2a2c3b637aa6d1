"""A vault of 150 archives, some described by enemies, out of each service: all of it, and nothing else."""

import json
from collections import Counter
from pathlib import Path

import pytest

from casfs.emulator.content import read
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import INVENTORY_RETRIEVAL
from tests.drain.appearances import Appearances
from tests.drain.runs import Drain
from tests.drain.services import DIALECTS, served

PARTS = (
    {"Limit": "5"},
    {"Marker": "m"},
    {"StartDate": "2017-07-14T02:40:04Z"},
    {"EndDate": "2017-07-14T02:40:04Z"},
)
"""What selects a part of the archives. The document of a finished job does not tell the Marker that it began with."""


@pytest.mark.parametrize(("provider", "page"), [("cas", 60), ("glacier", None)])
def test_everything_is_there_once_and_nothing_is_seen_before_it_is_whole(
    tmp_path: Path, provider: str, page: int | None
) -> None:
    with served(provider, 150, page=page) as service:
        drain = Drain(service, tmp_path)
        drain.destination.mkdir(parents=True)
        with Appearances(drain.destination) as seen:
            drain.succeed()
        assert (seen.written, seen.overflowed) == ([], False)
        assert_whole(drain, seen)
        assert service.paid() == Counter(dict.fromkeys(service.archives, 1))
        assert service.downloads() == service.paid()
        assert service.inventories() == (3 if page else 1)
        assert not (drain.destination / ".casfs-part").exists()
        again(drain)


def assert_whole(drain: Drain, seen: Appearances) -> None:
    """Fail unless each file, whenever it had its name, was what it is now."""
    now = {line["path"] for line in drain.manifest()}
    assert now <= {path for path, _ in seen.appeared}
    with Appearances(drain.destination) as final:
        pass
    assert {each for each in seen.appeared if each[0] != "MANIFEST.jsonl"} == {
        each for each in final.appeared if each[0] != "MANIFEST.jsonl"
    }


def again(drain: Drain) -> None:
    """Run it once more: nothing is begun, nothing is downloaded."""
    drain.served.server.journal.clear()
    drain.succeed()
    operations = {record.operation for record in drain.served.server.requests}
    assert operations & {"initiate_job", "get_job_output"} == set()


@pytest.mark.parametrize("provider", ["cas", "glacier"])
@pytest.mark.parametrize("asked", PARTS, ids=lambda asked: next(iter(asked)))
def test_an_inventory_of_a_part_is_not_taken_for_a_whole_one(
    tmp_path: Path, provider: str, asked: dict[str, str]
) -> None:
    with served(provider, 12, hostile=0) as service:
        state, vault = service.server.state, service.vault
        marker = sorted(vault.archives)[6]
        parameters = {name: marker if name == "Marker" else value for name, value in asked.items()}
        listed, fields = inventory(vault, state, DIALECTS[provider], asked=parameters)
        assert 0 < len(json.loads(read(listed.content))["ArchiveList"]) < 12
        state.add_job("vault", INVENTORY_RETRIEVAL, listed, fields=fields, description="somebody's own")
        Drain(service, tmp_path).succeed()
        assert service.inventories() == 2
