"""Which archives an inventory lists, and how its lines are written."""

import json
import re

import pytest

from casfs.emulator.content import InMemory, read
from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.glacier import glacier
from casfs.emulator.inventories import inventory
from casfs.emulator.refusal import Refusal
from casfs.emulator.state import State, StoredVault

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
def test_a_csv_line_is_quoted_as_the_service_quotes(state: State, description: str) -> None:
    vault = state.add_vault("vault")
    state.add_archive("vault", InMemory(b"x"), description)
    output, _ = inventory(vault, state, CAS, form="CSV")
    header, line = read(output.content).decode().splitlines()
    assert header == "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"
    match = LINE.fullmatch(line)
    assert match is not None
    cell = match[2]
    if set(description) & set(',"\\'):
        assert (cell[0], cell[-1]) == ('"', '"')
        cell = cell[1:-1].replace('\\"', '"')
    assert cell == description
