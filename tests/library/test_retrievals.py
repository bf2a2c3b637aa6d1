"""Jobs that a program begins through its account."""

import json
from datetime import UTC, datetime

import pytest

import casfs
from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from tests.data.service import MIB
from tests.library.conftest import DATA, Connect

ARCHIVE = "archive-to-retrieve"


@pytest.fixture(autouse=True)
def archive(server: Server) -> None:
    server.state.job_takes_s = 0.0
    server.state.add_archive("backups", InMemory(DATA), archive_id=ARCHIVE)


def test_a_part_of_an_archive_is_retrieved_and_read(connect: Connect) -> None:
    with connect() as account:
        assert len(list(account.jobs("backups"))) == 12
        job_id = account.retrieve("backups", ARCHIVE, tier="Bulk", byte_range=(MIB, 2 * MIB - 1), description="a part")
        assert account.wait("backups", job_id).fields["JobDescription"] == "a part"
        assert job_id in [job.id for job in account.jobs("backups")], "though the list was asked for a moment ago"
        with account.open("backups", job_id) as file:
            assert file.read() == DATA[MIB : 2 * MIB]


def test_an_inventory_is_retrieved_and_read(connect: Connect) -> None:
    with connect() as account:
        job_id = account.retrieve_inventory(
            "backups", start_date=datetime(2020, 1, 1, tzinfo=UTC), end_date="2037-01-01T00:00:00Z", limit=2
        )
        asked = account.job("backups", job_id).fields["InventoryRetrievalParameters"]
        assert [asked[name] for name in ("Format", "StartDate", "EndDate", "Limit")] == [
            "JSON", "2020-01-01T00:00:00Z", "2037-01-01T00:00:00Z", "2",
        ]  # fmt: skip
        following = account.retrieve_inventory("backups", format="CSV", marker=asked["Marker"])
        with account.open("backups", job_id) as file:
            assert len(json.load(file)["ArchiveList"]) == 2
        with account.open("backups", following) as file:
            assert len(file.read().splitlines()) == 1 + 13 - 2


def test_one_job_is_begun_though_the_answer_is_lost(connect: Connect, server: Server) -> None:
    server.faults.add(Fault(kind=Kind.DROP, operation="initiate_job"))
    before = set(server.state.vaults()[0].job_ids)
    with connect() as account:
        job_id = account.retrieve("backups", ARCHIVE)
    assert set(server.state.vaults()[0].job_ids) - before == {job_id}


def test_what_cannot_be_asked_for_is_told_before_anything_is_sent(connect: Connect, server: Server) -> None:
    with connect() as account:
        for span in ((5, 4), (-1, 4)):
            with pytest.raises(ValueError, match="must be the first and the last byte"):
                account.retrieve("backups", ARCHIVE, byte_range=span)
        with pytest.raises(ValueError, match="must be 1 or more"):
            account.retrieve_inventory("backups", limit=0)
        with pytest.raises(ValueError, match="without a zone"):
            account.retrieve_inventory("backups", start_date=datetime(2020, 1, 1))  # noqa: DTZ001 - the case
    assert server.requests == []
    with pytest.raises(ValueError, match="closed"):
        account.retrieve("backups", ARCHIVE)


def test_an_archive_that_is_not_there_is_not_found(connect: Connect) -> None:
    with connect() as account, pytest.raises(casfs.NotFoundError, match="archive ID was not found"):
        account.retrieve("backups", "no-such-archive")
