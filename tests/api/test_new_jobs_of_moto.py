"""Jobs begun at moto's server, which nobody here wrote: by botocore's signature, told and found by its documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("moto", reason="moto is not installed")

import boto3

from casfs.api.client import Client
from casfs.api.providers.glacier import GLACIER
from casfs.api.providers.provider import Access
from casfs.asked_jobs import ArchiveRetrieval, InventoryRetrieval
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests import moto_server
from tests.settings import client_settings


@dataclass(frozen=True)
class Moto:
    """A server with an archive.

    Attributes:
        client: ours.
        other: boto3's.
        archive: id of the archive.
    """

    client: Client
    other: Any
    archive: str


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Moto]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    with moto_server.running() as url:
        other = boto3.client("glacier", region_name="us-west-2", endpoint_url=url)
        other.create_vault(vaultName="vault")
        archive = other.upload_archive(vaultName="vault", body=b"some bytes")["archiveId"]
        service = GLACIER.connect(Access(endpoint_url=url, region="us-west-2"))
        yield Moto(Client(service, client_settings(), Stats()), other, archive)


def test_jobs_are_begun_and_told(moto: Moto) -> None:
    wanted = (ArchiveRetrieval(moto.archive, "Expedited", None, "words"), InventoryRetrieval())
    ids = [moto.client.initiate_job("vault", each, Deadline.after(60)) for each in wanted]
    listed = moto.other.list_jobs(vaultName="vault")["JobList"]
    assert {job["JobId"]: job["Action"] for job in listed} == dict(
        zip(ids, ("ArchiveRetrieval", "InventoryRetrieval"), strict=True)
    )
