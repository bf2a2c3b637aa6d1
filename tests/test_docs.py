"""What the documents say is what the program does."""

import re
from pathlib import Path

from tests.test_layering import LEAVES, TABLE

ROOT = Path(__file__).resolve().parent.parent


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_diagram_of_the_house_is_the_import_table() -> None:
    drawn = re.search(r"```imports\n(.*?)```", document("docs/architecture.md"), re.DOTALL)
    assert drawn is not None
    rows = [line.split("→") for line in drawn[1].splitlines()]
    assert {who.strip(): frozenset(re.findall(r"\w+", whom)) for who, whom in rows} == TABLE


def test_architecture_names_every_leaf() -> None:
    leaves = re.search(r"import the leaves: (.*?)\.", document("docs/architecture.md"), re.DOTALL)
    assert leaves is not None
    assert frozenset(re.findall(r"`(\w+)`", leaves[1])) == LEAVES
