"""The checkout that the tests stand in, and what its documents say."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def examples(name: str) -> list[tuple[str, str]]:
    """Return the commands of a document, and what it says that each prints."""
    blocks = re.findall(r"```console\n(.*?)```", document(name), re.DOTALL)
    told = [part.partition("\n") for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in told]
