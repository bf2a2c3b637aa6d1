"""Each failure of the service is one line, with the service's id of the answer that it was; or says that none came."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from casfs.api.client import Client
from casfs.api.providers.meanings import MEANINGS
from casfs.api.providers.provider import Access
from casfs.api.providers.table import PROVIDERS
from casfs.asked_jobs import InventoryRetrieval
from casfs.data.outputs import Outputs
from casfs.data.settings import DataSettings, Verify
from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.errors import CasfsError
from casfs.log.lines import JsonFormatter
from casfs.log.redaction import redact
from casfs.models import Credentials, Job
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.conftest import Announce
from tests.data.service import MIB, sample
from tests.mounting import environment
from tests.providers import DIALECTS, EVERY_PROVIDER, state_of
from tests.settings import client_settings

CODES = (*MEANINGS, "InvalidParameterValueException", "UnheardOfException")
SILENT = (Kind.DROP, Kind.RESET)
"""What comes without an answer."""
SPOILT = {
    "list_jobs": (Kind.CUT, Kind.GARBAGE, Kind.STALL),
    "get_job_output": (
        Kind.CUT, Kind.STALL, Kind.FLIP, Kind.WRONG_RANGE, Kind.WRONG_TOTAL, Kind.WRONG_LENGTH, Kind.WRONG_HASH,
        Kind.BAD_HASH,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class House:
    """Names and bytes over a real socket.

    Attributes:
        server: what answers.
        client: asks, once.
        job: whose output there is.
        lines: what was logged of failures, as objects.
    """

    server: Server
    client: Client
    job: Job
    lines: Callable[[], list[dict[str, Any]]]

    def read(self, seconds: float) -> None:
        settings = DataSettings(8 * MIB, 1, 0, Verify.AUTO, seconds)
        outputs = Outputs(self.client, settings, Stats())
        try:
            assert self.job.output is not None
            outputs.open(self.job.output).read_into(0, memoryview(bytearray(2 * MIB)))
        finally:
            outputs.stop()

    def ask(self, operation: str, seconds: float = 30.0) -> None:
        deadline = Deadline.after(seconds)
        match operation:
            case "list_vaults":
                list(self.client.vaults(deadline))
            case "describe_vault":
                self.client.vault("v", deadline)
            case "list_jobs":
                list(self.client.jobs("v", deadline))
            case "describe_job":
                self.client.job("v", self.job.id, deadline)
            case "initiate_job":
                self.client.initiate_job("v", InventoryRetrieval(), deadline)
            case _:
                self.read(seconds)

    def failure(self, fault: Fault, seconds: float = 30.0) -> dict[str, Any]:
        """Ask in vain, and return the line of that."""
        before = len(self.lines())
        self.server.faults.add(fault)
        with suppress(CasfsError):
            self.ask(fault.operation or "", seconds)
        self.server.faults.clear()
        (line,) = self.lines()[before:]
        return line

    def last_id(self) -> str:
        return self.server.requests[-1].request_id


@pytest.fixture
def made(
    provider: str,
    caplog: pytest.LogCaptureFixture,
    announce: Announce,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[House]:
    announce("tries")
    for name, text in environment(tmp_path).items():
        monkeypatch.setenv(name, text)
    state, formatter = state_of(provider), JsonFormatter(redact)
    state.add_vault("v")
    stored = state.add_job("v", ARCHIVE_RETRIEVAL, part(state.add_archive("v", InMemory(sample(2 * MIB)))))
    entry = PROVIDERS[provider]
    with Server(state, dialect=DIALECTS[provider], credentials={"id": "key"}) as server:
        access = Access(endpoint_url=server.url, credentials=Credentials("id", "key"), region="us-west-2")
        client = Client(entry.connect(access), client_settings(), Stats())
        client._retry._share = lambda: 1e9  # a wait that no call has time for
        job = client.job("v", stored.id, Deadline.after(60))

        def lines() -> list[dict[str, Any]]:
            records = [record for record in caplog.records if record.name == "casfs.api.retry"]
            return [json.loads(formatter.format(record)) for record in records]

        with caplog.at_level(logging.DEBUG, "casfs.api.retry"):
            yield House(server, client, job, lines)
        client.close()


@EVERY_PROVIDER
def test_every_refusal_is_logged_with_its_code_and_its_id(made: House) -> None:
    operations = ("list_vaults", "describe_vault", "list_jobs", "describe_job", "get_job_output", "initiate_job")
    for operation in operations:
        for code in CODES:
            line = made.failure(Fault(kind=Kind.STATUS, code=code, operation=operation, times=None))
            told = (line["operation"], line["code"], line["request_id"])
            assert told == (operation, code, made.last_id())
            assert f"code {code}, request id {made.last_id()}]" in line["message"]
            assert line["status"] == made.server.requests[-1].status
            assert line["tries"] == 1


@EVERY_PROVIDER
def test_so_is_every_answer_that_cannot_be_used(made: House) -> None:
    for operation, kinds in SPOILT.items():
        for kind in kinds:
            line = made.failure(Fault(kind=kind, operation=operation, times=None), 2.0)
            assert (line["request_id"], line["status"] in {200, 206}) == (made.last_id(), True), kind
            assert len(line["request_id"]) == 32


@EVERY_PROVIDER
def test_so_are_pages_each_of_which_can_be_used_and_that_lead_nowhere(made: House) -> None:
    page = json.dumps({"JobList": [{"JobId": name, "Action": "Unknown"} for name in "ab"], "Marker": "again"})
    line = made.failure(Fault(kind=Kind.GARBAGE, operation="list_jobs", body=page, times=None))
    assert line["message"].startswith("list_jobs, vault 'v': the pages of the listing go round")
    assert (line["request_id"], line["level"]) == (made.last_id(), "warning")
    assert [record.operation for record in made.server.requests[-2:]] == ["list_jobs"] * 2


@EVERY_PROVIDER
def test_one_that_never_came_says_so(made: House) -> None:
    for operation in SPOILT:
        for kind in SILENT:
            line = made.failure(Fault(kind=kind, operation=operation, times=None), 2.0)
            assert (line["status"], line["code"], line["request_id"]) == (None, "", "")
            assert "status -, code -, request id -]" in line["message"]


@EVERY_PROVIDER
def test_after_several_tries_the_id_is_that_of_the_last(made: House) -> None:
    shares = iter([0.0, 0.0, 1e9])
    made.client._retry._share = lambda: next(shares)
    made.server.faults.add(Fault(kind=Kind.THROTTLE, operation="get_job_output"))
    made.server.faults.add(Fault(kind=Kind.DROP, operation="get_job_output"))
    line = made.failure(Fault(kind=Kind.STATUS, operation="get_job_output", times=None))
    asked = [record for record in made.server.requests if record.operation == "get_job_output"]
    assert (line["tries"], line["request_id"]) == (3, asked[2].request_id)
    assert len(asked) == 3
