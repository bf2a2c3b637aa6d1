"""Which archives an inventory lists, and how its lines are written."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from casfs.emulator.content import InMemory, read
from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.glacier import glacier
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import Json
from casfs.emulator.refusal import Refusal
from casfs.emulator.server import Server
from casfs.emulator.state import State, StoredVault
from tests.emulator.client import Client
from tests.emulator.conftest import Clock

LINE = re.compile(r"([^,]*),(.*),([^,]*),(\d+),([0-9a-f]{64})")
"""How a line can be read though it is no RFC 4180: by the other columns. Source: reference section 5."""


@pytest.fixture
def vault(state: State) -> StoredVault:
    for number in range(5):
        state.add_archive("vault", InMemory(b"x"), archive_id=f"a{number}", created_s=1000.0 * number)
    return state.add_vault("vault")


def listed(vault: StoredVault, state: State, dialect: Dialect = CAS, /, **asked: str) -> tuple[list[str], object]:
    output, fields = inventory(vault, state, dialect, asked=asked)
    parameters = fields["InventoryRetrievalParameters"]
    assert isinstance(parameters, dict)
    ids = [archive["ArchiveId"] for archive in json.loads(read(output.content))["ArchiveList"]]
    return ids, parameters["Marker"]


def test_an_inventory_goes_on_where_the_one_before_ended(vault: StoredVault, state: State) -> None:
    first, marker = listed(vault, state, Limit="2")
    assert (first, marker) == (["a0", "a1"], "a2")
    assert listed(vault, state, Limit="2", Marker=str(marker)) == (["a2", "a3"], "a4")
    assert listed(vault, state, Limit="2", Marker="a4") == (["a4"], None)


def test_dates_select_archives_whose_end_is_included_by_cas_alone(vault: StoredVault, state: State) -> None:
    dates = {"StartDate": "1970-01-01T00:16:40Z", "EndDate": "1970-01-01T00:50:00Z"}
    assert listed(vault, state, CAS, **dates) == (["a1", "a2", "a3"], None)
    assert listed(vault, state, glacier(), **dates) == (["a1", "a2"], None)
    assert listed(vault, state, glacier(), StartDate="1970-01-01T00:50:00Z") == (["a3", "a4"], None)


def test_an_inventory_has_as_many_archives_as_the_service_says_if_the_client_does_not(
    vault: StoredVault, state: State
) -> None:
    small = replace(CAS, inventories=replace(CAS.inventories, page=2))
    assert listed(vault, state, small) == (["a0", "a1"], "a2")
    assert listed(vault, state, small, Marker="a2") == (["a2", "a3"], "a4")
    assert listed(vault, state, small, Marker="a4") == (["a4"], None)
    assert listed(vault, state, small, Limit="3", StartDate="1970-01-01T00:16:40Z") == (["a1", "a2", "a3"], "a4")


def test_where_the_next_inventory_starts_is_told_once_one_has_been_made(
    vault: StoredVault, client: Client, clock: Clock
) -> None:
    asked = {"StartDate": "1970-01-01T00:16:40Z", "Limit": "2", "Marker": "a1"}
    wish = {"Type": "inventory-retrieval", "Format": "CSV", "InventoryRetrievalParameters": asked}
    began = client.ask("POST", "/-/vaults/vault/jobs", body=json.dumps(wish).encode())
    job = f"/-/vaults/vault/jobs/{began.headers['x-cas-job-id']}"
    expected = {"Format": "CSV", "StartDate": asked["StartDate"], "EndDate": None, "Limit": "2"}
    assert client.get(job).json["InventoryRetrievalParameters"] == {**expected, "Marker": None}
    clock.now_s += 60
    client.now_s = clock.now_s
    assert client.get(job).json["InventoryRetrievalParameters"] == {**expected, "Marker": "a3"}


def test_parameters_not_asked_for_are_null_and_the_limit_is_the_number_zero(vault: StoredVault, state: State) -> None:
    _, fields = inventory(vault, state, CAS, form="CSV")
    expected = {"Format": "CSV", "StartDate": None, "EndDate": None, "Limit": 0, "Marker": None}
    assert fields == {"InventoryRetrievalParameters": expected}


@pytest.mark.parametrize("asked", [{"Limit": "x"}, {"Limit": "10001"}, {"StartDate": "yesterday"}])
def test_parameters_that_cannot_be_used_are_refused(vault: StoredVault, state: State, asked: dict[str, str]) -> None:
    with pytest.raises(Refusal, match="InvalidParameterValueException"):
        inventory(vault, state, CAS, asked=asked)
    with pytest.raises(Refusal, match="Invalid format: XML"):
        inventory(vault, state, CAS, form="XML")


@pytest.mark.parametrize("description", ["", "plain", "a,b", 'say "a"', '"', "\\", '\\"', '",', "a,\\"])
def test_a_csv_line_is_quoted_as_glacier_quotes(state: State, description: str) -> None:
    vault = state.add_vault("vault")
    state.add_archive("vault", InMemory(b"x"), description)
    output, _ = inventory(vault, state, glacier(), form="CSV")
    header, line = read(output.content).decode().splitlines()
    assert header == "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"
    match = LINE.fullmatch(line)
    assert match is not None
    cell = match[2]
    if set(description) & set(',"\\'):
        assert (cell[0], cell[-1]) == ('"', '"')
        cell = cell[1:-1].replace('\\"', '"')
    assert cell == description


HOSTILE = [
    "../../etc/passwd",
    "/absolute",
    "C:\\new\\..\\old",
    "nul\0 bell\a escape\x1b[31m delete\x7f",
    "line\nbreak\r\n",
    'quote " comma , \\"',
    "lone \ud800 and \udfff",
    "pair \U0001f4be",
    "e\u0301 and \u00e9, right to left \u202e",
    "x" * 5000,
    "twin",
    "twin",
]


@pytest.mark.parametrize("dialect", [CAS, glacier()], ids=["cas", "glacier"])
def test_hostile_descriptions_arrive_in_json_as_they_are(state: State, dialect: Dialect) -> None:
    vault = state.add_vault("vault")
    for number, description in enumerate(HOSTILE):
        state.add_archive("vault", InMemory(b"x"), description, archive_id=f"a{number:02}")
    data = read(inventory(vault, state, dialect)[0].content)
    data.decode("utf-8", "strict")
    assert [archive["ArchiveDescription"] for archive in json.loads(data)["ArchiveList"]] == HOSTILE


def test_csv_of_cas_is_read_by_the_usual_readers_and_tells_no_hash(state: State) -> None:
    vault = state.add_vault("vault")
    for number, description in enumerate(HOSTILE):
        state.add_archive("vault", InMemory(b"x"), description, archive_id=f"a{number:02}", created_s=0.0)
    data = read(inventory(vault, state, CAS, form="CSV")[0].content)
    lines = list(csv.reader(io.StringIO(data.decode("utf-8", "surrogatepass"), newline="")))
    assert lines[0] == ["ArchiveId", "ArchiveDescription", "CreationDate", "Size"]
    assert lines[1] == ["a00", HOSTILE[0], "1970-01-01T00:00:00.000Z", "1"]
    assert [line[1] for line in lines[1:]] == HOSTILE


def test_a_line_may_tell_what_is_wrong_or_nothing(state: State) -> None:
    told: dict[str, Json] = {"Size": "12", "ArchiveDescription": None, "SHA256TreeHash": "f" * 64}
    state.add_archive("vault", InMemory(b"x"), "what it is", archive_id="a", created_s=0.0, overrides=told)
    vault = state.add_vault("vault")
    [line] = json.loads(read(inventory(vault, state, CAS)[0].content))["ArchiveList"]
    assert line == {"ArchiveId": "a", "CreationDate": "1970-01-01T00:00:00.000Z", **told}
    [_, text] = read(inventory(vault, state, glacier(), form="CSV")[0].content).decode().splitlines()
    assert text == f"a,,1970-01-01T00:00:00.000Z,12,{'f' * 64}"


def test_a_description_that_no_header_can_hold_is_sent_without_what_it_cannot(state: State) -> None:
    state.job_takes_s = 0.0
    state.add_archive("vault", InMemory(b"x"), "a\r\nX-Evil: yes\0\u20ac", archive_id="a")
    dialect = replace(CAS, archive_description_header="x-amz-archive-description")
    with Server(state, dialect=dialect) as server, Client(server.url) as client:
        wish = {"Type": "archive-retrieval", "ArchiveId": "a"}
        began = client.ask("POST", "/-/vaults/vault/jobs", body=json.dumps(wish).encode())
        reply = client.get(f"/-/vaults/vault/jobs/{began.headers['x-cas-job-id']}/output")
    assert (reply.body, reply.headers["x-amz-archive-description"]) == (b"x", "a  X-Evil: yes ?")
    assert "x-evil" not in reply.headers
