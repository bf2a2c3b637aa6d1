"""The sources of the lanes, compiled for a test."""

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
FOLDER = CHECKOUT / "casfs/data/hashing/compiled"
SOURCES = sorted(FOLDER.glob("*.c"))
PROGRAM = Path(__file__).with_name("all_lanes.c")
LENGTHS = (1, 55, 56, 63, 64, 119, 120, 4095, 70_001)


def compiled(into: Path, *options: str | Path, source: str = "", compiler: str = "cc") -> Path:
    made = into / "made"
    command = [compiler, "-std=c11", "-shared", "-fPIC", *options, "-o", made, *(["-xc", "-"] if source else [])]
    subprocess.run(command, input=source, text=True, check=True, timeout=120)
    return made


def changed(into: Path, changes: Mapping[str, str]) -> list[Path]:
    """Copy the sources to *into*, with *changes* in their text; return those to compile."""
    for path in FOLDER.iterdir():
        text = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            text = text.replace(old, new)
        (into / path.name).write_text(text, encoding="utf-8")
    return sorted(into.glob("*.c"))


def some(count: int, length: int) -> list[memoryview]:
    return [memoryview(bytearray(os.urandom(length))) for _ in range(count)]


def one_by_one(blocks: Sequence[memoryview]) -> list[bytes]:
    return [hashlib.sha256(block).digest() for block in blocks]


def shown_right(program: Sequence[str | Path], folder: Path) -> set[tuple[int, int]]:
    """Run ``all_lanes.c``, hold what it prints against ``hashlib``, and return each kind that it has and its width."""
    data = os.urandom(100_000)
    (folder / "data").write_bytes(data)
    command = [*program, folder / "data", *map(str, LENGTHS)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()
    kinds = set()
    for line in lines:
        kind, width, length, digests = line.split()
        messages = [data[1001 * at : 1001 * at + int(length)] for at in range(len(digests) // 64)]
        assert digests == "".join(hashlib.sha256(message).hexdigest() for message in messages), line
        kinds.add((int(kind), int(width)))
    assert len(lines) == sum(width for _, width in kinds) * len(LENGTHS)
    return kinds
