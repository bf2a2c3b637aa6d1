"""Leaves are the same side by side as one by one, on every machine; what cannot be trusted is not used."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.data.hashing import lane_kinds, lanes
from tests.conftest import Announce
from tests.data.lanes.compiling import changed, compiled, one_by_one, some

STUB = """
#include <stddef.h>
#include <string.h>
const char *lanes_name(size_t kind) { return kind ? NULL : "magic"; }
size_t lanes_width(size_t kind) { return 4; }
int lanes_work(size_t kind) { return WORKS; }
void lanes_sha256(size_t kind, void **messages, size_t count, size_t length, char *digests)
{
    memset(digests, 0, 32 * count);
}
"""


@pytest.fixture(autouse=True)
def loaded_anew() -> Iterator[None]:
    yield
    lanes._plan.cache_clear()


def use(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LIBRARY", library)
    lanes._plan.cache_clear()


@pytest.mark.skipif(not lane_kinds.compiled(lanes.LIBRARY), reason="this processor has no instructions that we use")
def test_blocks_are_hashed_side_by_side_where_the_processor_can() -> None:
    assert lanes.width() > 1


@pytest.mark.parametrize("count", [*range(1, lane_kinds.WIDEST + 2), 35])
def test_leaves_are_the_hashes_of_their_blocks(count: int) -> None:
    for length in [1, 63, 64, 4095]:
        blocks = some(count, length)
        assert lanes.leaves(blocks) == one_by_one(blocks), length


def test_a_last_block_that_is_shorter_has_its_leaf_beside_the_others() -> None:
    blocks = [*some(5, 1 << 20), *some(1, 7)]
    assert lanes.leaves(blocks) == one_by_one(blocks)


def test_blocks_of_any_lengths_have_their_leaves_in_order() -> None:
    blocks = [*some(3, 1 << 10), *some(2, 7), *some(1, 1 << 10), *some(1, 1)]
    assert lanes.leaves(blocks) == one_by_one(blocks)


def test_without_the_library_blocks_are_hashed_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(tmp_path / "none.so", monkeypatch)
    blocks = some(5, 1000)
    assert (lanes.width(), lanes.is_compiled()) == (1, False)
    assert lanes.described() == "blocks are hashed 1 at a time, by hashlib"
    assert lanes.leaves(blocks) == one_by_one(blocks)


@pytest.mark.parametrize(
    ("source", "is_compiled"),
    [
        pytest.param("int nothing;", False, id="another library"),
        pytest.param(STUB.replace("WORKS", "0"), True, id="not on this processor"),
    ],
)
def test_a_library_that_has_nothing_for_this_processor_is_not_used(
    source: str,
    is_compiled: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    use(compiled(tmp_path, source=source), monkeypatch)
    blocks = some(4, 1000)
    assert lanes.leaves(blocks) == one_by_one(blocks)
    assert (lanes.width(), lanes.is_compiled()) == (1, is_compiled)
    assert not caplog.records


def test_lanes_that_give_a_wrong_hash_are_not_used_and_the_log_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, announce: Announce
) -> None:
    use(compiled(tmp_path, source=STUB.replace("WORKS", "1")), monkeypatch)
    blocks = some(4, 1000)
    for _ in range(2):
        assert lanes.leaves(blocks) == one_by_one(blocks)
    announce("gave a wrong hash")
    assert caplog.messages == ["4 lanes by magic gave a wrong hash and are not used"]
    assert caplog.records[0].levelno == logging.WARNING


def test_on_another_architecture_there_is_hashlib(tmp_path: Path) -> None:
    sources = changed(tmp_path, {"defined(__x86_64__)": "0", "defined(__AARCH64EL__)": "0"})
    library = compiled(tmp_path, *sources)
    assert library.exists()
    assert not lane_kinds.compiled(library)
