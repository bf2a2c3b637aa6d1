"""Where bytes come from: each way gives the same bytes for the same range."""

from pathlib import Path

import pytest

from casfs.emulator.content import ARENA, Generated, InMemory, OnDisk, StoredContent, read

DATA = bytes(range(256)) * 100


@pytest.fixture(params=["memory", "file", "generated"])
def content(request: pytest.FixtureRequest, tmp_path: Path) -> StoredContent:
    (tmp_path / "file").write_bytes(DATA)
    kinds: dict[str, StoredContent] = {
        "memory": InMemory(DATA),
        "file": OnDisk(tmp_path / "file", len(DATA)),
        "generated": Generated(3 * ARENA + 17, seed=5),
    }
    return kinds[str(request.param)]


def test_pieces_of_a_range_are_the_same_bytes_as_the_whole(content: StoredContent) -> None:
    whole = read(content)
    assert len(whole) == content.size
    for start, stop in ((0, 1), (1, 5000), (4095, 4098), (content.size - 1, content.size), (7, 7)):
        assert read(content, start, stop) == whole[start:stop]


def test_generated_content_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert read(Generated(10, seed=1)).hex() == "a84be7bd0d5cdae620c8"


def test_contents_of_different_seeds_and_blocks_differ() -> None:
    content = Generated(40 << 20, seed=1)
    blocks = [read(content, at, at + (1 << 20)) for at in range(0, content.size, 1 << 20)]
    assert len({*blocks, read(Generated(1 << 20, seed=2))}) == 41


def test_huge_content_needs_no_memory() -> None:
    content = Generated(40 << 40, seed=3)
    assert sum(map(len, content.pieces(39 << 40, (39 << 40) + 100))) == 100
