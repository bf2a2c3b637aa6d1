"""Vaults of millions of archives, made up as they are read."""

import json
import tracemalloc
from dataclasses import replace
from itertools import pairwise

import pytest

from casfs.emulator.content import InMemory, MadeWhenRead, Repeated, read
from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.documents import vault_document
from casfs.emulator.generated_archives import A_SECOND, GeneratedArchives
from casfs.emulator.glacier import glacier
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import INVENTORY_RETRIEVAL
from casfs.emulator.rows import COLUMNS, in_json, row
from casfs.emulator.state import State, StoredVault
from casfs.emulator.treehash import TreeHash
from tests.emulator.client import Client, tree_hash

SEVEN_MILLION = GeneratedArchives(7_000_000)
WHOLE = replace(CAS, inventories=replace(CAS.inventories, page=None))
"""CAS as it is not: with all archives in one inventory."""
OUTPUT = "/-/vaults/made/jobs/job/output"


def vault_of(state: State, generated: GeneratedArchives, *others: str) -> StoredVault:
    vault = state.add_vault("made", generated=generated, inventory_s=0.0)
    for name in others:
        state.add_archive("made", InMemory(b"x"), f"{name} \ud800", archive_id=name, created_s=0.0)
    return vault


@pytest.mark.parametrize("dialect", [WHOLE, glacier()], ids=["cas", "glacier"])
@pytest.mark.parametrize("others", [(), ("!a", "!b")], ids=["generated alone", "after others"])
@pytest.mark.parametrize("form", ["JSON", "CSV"])
def test_an_inventory_of_generated_archives_is_that_of_archives(
    state: State, dialect: Dialect, others: tuple[str, ...], form: str
) -> None:
    generated = GeneratedArchives(150, id_length=dialect.archive_id_length, smallest=1000)
    vault = vault_of(state, generated, *others)
    same = state.add_vault("same", inventory_s=0.0)
    same.archives |= vault.archives | {one.id: one for one in map(generated.archive, range(150))}
    expected = read(inventory(same, state, dialect, form=form)[0].content)
    made = read(inventory(vault, state, dialect, form=form)[0].content)
    assert made == expected.replace(b"vaults/same", b"vaults/made")


def test_any_stretch_of_it_is_what_stands_there_in_the_whole() -> None:
    content = Repeated(b"head", lambda number: f"<{number:03}>", range(7, 27), ", ", b"tail")
    whole = b"head" + b", ".join(b"<%03d>" % number for number in range(7, 27)) + b"tail"
    assert read(content) == whole
    for start in range(len(whole) + 1):
        for stop in range(start, len(whole) + 1):
            assert read(content, start, stop) == whole[start:stop]


def test_pieces_are_a_sequence_like_any_other() -> None:
    pieces = MadeWhenRead(lambda start, stop: bytes(at % 251 for at in range(start, stop)), 5, 5 + 40_000)
    assert [len(piece) for piece in pieces] == [16384, 16384, 40_000 - 2 * 16384]
    assert (pieces.size, len(pieces), bytes(pieces[-1])) == (40_000, 3, bytes(pieces[2]))
    assert [bytes(piece) for piece in pieces[1:]] == [bytes(pieces[1]), bytes(pieces[2])]


def test_seven_million_archives_can_be_read_from_either_end(state: State) -> None:
    content = inventory(vault_of(state, SEVEN_MILLION), state, WHOLE)[0].content
    assert content.size > 2_000_000_000
    begin, end = read(content, 0, 1 << 16).decode(), read(content, content.size - (1 << 16), content.size).decode()
    first, _ = json.JSONDecoder().raw_decode(begin, begin.index('{"ArchiveId"'))
    last, _ = json.JSONDecoder().raw_decode(end, end.rindex('{"ArchiveId"'))
    assert (first, last) == (row(SEVEN_MILLION.archive(0)), row(SEVEN_MILLION.archive(6_999_999)))
    assert end.endswith('"}]}')


def test_numbers_ids_and_dates_are_of_one_order() -> None:
    numbers = [0, 1, 63, 64, 99, 100, 9999, 6_999_999]
    archives = list(map(SEVEN_MILLION.archive, numbers))
    assert all(before.id < after.id and before.created_s <= after.created_s for before, after in pairwise(archives))
    assert [SEVEN_MILLION.number(archive.id) for archive in archives] == numbers
    for wrong in ("", "1", "x" * 128, SEVEN_MILLION.id(7_000_000), SEVEN_MILLION.id(1)[:-1]):
        assert SEVEN_MILLION.number(wrong) is None


def test_bytes_of_generated_archives_are_those_that_their_lines_tell() -> None:
    archive = GeneratedArchives(200, smallest=2_000_000).archive(137)
    assert tree_hash(read(archive.content)) == row(archive)["SHA256TreeHash"] == archive.tree.root
    assert archive.content.size == row(archive)["Size"]


def test_rows_are_written_as_any_row_is() -> None:
    written = SEVEN_MILLION.rows(in_json)
    for number in (0, 123_456):
        assert written(number).encode() == in_json(row(SEVEN_MILLION.archive(number)))
    assert list(row(SEVEN_MILLION.archive(1))) == list(COLUMNS)


def test_dates_select_generated_archives() -> None:
    generated = GeneratedArchives(10 * A_SECOND, created_s=1000.0)
    assert generated.between(1003.0, 1005.0, end_included=True) == range(3 * A_SECOND, 6 * A_SECOND)
    assert generated.between(1003.0, 1005.0, end_included=False) == range(3 * A_SECOND, 5 * A_SECOND)
    assert generated.between(0.0, 1e9, end_included=True) == range(1000)


def test_pages_go_on_from_the_others_to_the_generated_ones(state: State) -> None:
    vault = vault_of(state, GeneratedArchives(5, smallest=100), "a", "b", "c")
    pages, marker = [], ""
    while marker != "None":
        output, fields = inventory(vault, state, CAS, asked={"Limit": "2", "Marker": marker})
        pages.append([archive["ArchiveId"].rstrip("-") for archive in json.loads(read(output.content))["ArchiveList"]])
        parameters = fields["InventoryRetrievalParameters"]
        assert isinstance(parameters, dict)
        marker = str(parameters["Marker"])
    numbers = [f"{number:010}" for number in range(5)]
    assert pages == [["a", "b"], ["c", numbers[0]], numbers[1:3], numbers[3:]]


def test_a_vault_counts_generated_archives_and_their_bytes(state: State) -> None:
    generated = GeneratedArchives(1000)
    counted = vault_document(vault_of(state, generated, "a"), state, CAS)
    sizes = [generated.archive(number).content.size for number in range(1000)]
    assert (counted["NumberOfArchives"], counted["SizeInBytes"]) == (1001, sum(sizes) + 1)


def test_a_generated_archive_is_retrieved_until_it_is_deleted(state: State, client: Client) -> None:
    state.job_takes_s = 0.0
    vault_of(state, SEVEN_MILLION)
    archive = SEVEN_MILLION.archive(6_000_000)
    wish = json.dumps({"Type": "archive-retrieval", "ArchiveId": archive.id}).encode()
    began = client.ask("POST", "/-/vaults/made/jobs", body=wish)
    reply = client.get(f"/-/vaults/made/jobs/{began.headers['x-cas-job-id']}/output")
    assert reply.body == read(archive.content)
    assert reply.headers["x-cas-sha256-tree-hash"] == archive.tree.root
    state.remove_archive("made", archive.id)
    assert client.ask("POST", "/-/vaults/made/jobs", body=wish).status == 404


@pytest.mark.parametrize("span", [None, "bytes=0-"], ids=["whole", "range"])
def test_a_large_inventory_is_served_without_being_kept(state: State, client: Client, span: str | None) -> None:
    output, fields = inventory(vault_of(state, GeneratedArchives(60_000)), state, WHOLE)
    assert output.size > 20_000_000
    state.add_job("made", INVENTORY_RETRIEVAL, output, job_id="job", fields=fields)
    expected = TreeHash.over(output.pieces(0, output.size)).root
    headers = {"Host": client.host} | ({"Range": span} if span else {})
    headers["Authorization"] = client.authorization("GET", OUTPUT, {}, headers)
    tracemalloc.start()
    client.connection.request("GET", OUTPUT, headers=headers)
    answer = client.connection.getresponse()
    arrived = TreeHash.over(iter(lambda: memoryview(answer.read(1 << 20)), b""))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer.status, arrived.size, arrived.root) == (206 if span else 200, output.size, expected)
    assert most < 16_000_000
