"""Leaves are the same side by side as one by one, on every machine; what cannot be trusted is not used."""

import ctypes
import hashlib
import mmap
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.copying import address
from casfs.data.hashing import lanes

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCE_TEXT = (CHECKOUT / "casfs/data/hashing/lanes.c").read_text(encoding="utf-8")
STUB = """
#include <stddef.h>
#include <string.h>
int lanes_work(void) {{ return {works}; }}
void lanes_sha256(void **messages, size_t count, size_t length, char *digests) {{ memset(digests, 0, 32 * count); }}
"""
HAS_SHA = re.search(r"\bsha_ni\b", Path("/proc/cpuinfo").read_text(encoding="utf-8")) is not None


@pytest.fixture(autouse=True)
def loaded_anew() -> Iterator[None]:
    yield
    lanes._library.cache_clear()


def use(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LIBRARY", library)
    lanes._library.cache_clear()


def compiled(into: Path, source: str, *options: str) -> Path:
    made = into / "made.so"
    command = ["cc", "-shared", "-fPIC", *options, "-o", str(made), "-xc", "-"]
    subprocess.run(command, input=source, text=True, check=True, timeout=30)
    return made


def some(count: int, length: int) -> list[memoryview]:
    return [memoryview(bytearray(os.urandom(length))) for _ in range(count)]


def one_by_one(blocks: list[memoryview]) -> list[bytes]:
    return [hashlib.sha256(block).digest() for block in blocks]


@pytest.mark.skipif(not HAS_SHA, reason="this processor has no SHA instructions")
def test_blocks_are_hashed_side_by_side_where_the_processor_can() -> None:
    assert lanes.width() == lanes.LANES


@pytest.mark.parametrize("count", range(1, 2 * lanes.LANES + 2))
def test_leaves_are_the_hashes_of_their_blocks(count: int) -> None:
    for length in [*range(1, 200), 4095, 1 << 20]:
        blocks = some(count, length)
        assert lanes.leaves(blocks) == one_by_one(blocks), length


def test_blocks_of_different_lengths_have_leaves_too() -> None:
    blocks = [*some(3, 1 << 10), *some(1, 7)]
    assert lanes.leaves(blocks) == one_by_one(blocks)


def test_nothing_is_read_behind_a_block() -> None:
    """A page that cannot be read follows; whoever touches it ends."""
    blocks = []
    for _ in range(lanes.LANES):
        pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
        whole = memoryview(pages)
        libc = ctypes.CDLL(None, use_errno=True)
        guard = ctypes.c_void_p(address(whole) + mmap.PAGESIZE)
        assert libc.mprotect(guard, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
        blocks.append(whole[mmap.PAGESIZE - 100 : mmap.PAGESIZE])
    for length in range(1, 101):
        ends = [block[-length:] for block in blocks]
        assert lanes.leaves(ends) == one_by_one(ends)


def test_without_the_library_blocks_are_hashed_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(tmp_path / "none.so", monkeypatch)
    blocks = some(5, 1000)
    assert lanes.width() == 1
    assert lanes.leaves(blocks) == one_by_one(blocks)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("int nothing;", id="another library"),
        pytest.param(STUB.format(works=1), id="wrong hashes"),
        pytest.param(STUB.format(works=0), id="not on this processor"),
        pytest.param(SOURCE_TEXT.replace("count -= 2", "count = 0"), id="wrong for three"),
        pytest.param(SOURCE_TEXT.replace("!defined(__x86_64__)", "1"), id="another architecture"),
    ],
)
def test_a_library_that_cannot_be_trusted_is_not_used(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(compiled(tmp_path, source), monkeypatch)
    blocks = some(lanes.LANES, 1000)
    assert lanes.width() == 1
    assert lanes.leaves(blocks) == one_by_one(blocks)


def test_the_compiler_has_nothing_to_say(tmp_path: Path) -> None:
    compiled(tmp_path, SOURCE_TEXT, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
