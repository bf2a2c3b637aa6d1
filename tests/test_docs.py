"""What the documents say is what the program does."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casfs.config.options import OPTIONS, Option
from casfs.emulator.content import InMemory, read
from casfs.emulator.glacier import glacier
from casfs.emulator.inventories import inventory
from casfs.emulator.rows import date
from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.stats import Stats
from tests.checkout import ROOT, document, examples
from tests.mounting import Mounting
from tests.test_layering import LEAVES, TABLE


def test_diagram_of_the_house_is_the_import_table() -> None:
    drawn = re.search(r"```imports\n(.*?)```", document("docs/architecture.md"), re.DOTALL)
    assert drawn is not None
    rows = [line.split("→") for line in drawn[1].splitlines()]
    assert {who.strip(): frozenset(re.findall(r"\w+", whom)) for who, whom in rows} == TABLE


def test_architecture_names_every_leaf() -> None:
    leaves = re.search(r"import the leaves: (.*?)\.", document("docs/architecture.md"), re.DOTALL)
    assert leaves is not None
    assert frozenset(re.findall(r"`(\w+)`", leaves[1])) == LEAVES


def test_house_shows_every_folder_and_top_module_and_nothing_that_is_not_there() -> None:
    cells = re.findall(r"^\| (`.*?) \|", document("docs/architecture.md").partition("Who may import")[0], re.MULTILINE)
    shown = re.findall(r"`(.*?)`", "".join(cells))
    paths = {path if path.startswith("casfs/") else f"casfs/{path}" for path in shown}
    assert [path for path in paths if not (ROOT / path).exists()] == []
    folders = {f"{path.parent.relative_to(ROOT)}/" for path in (ROOT / "casfs").rglob("*/__init__.py")}
    assert paths >= folders | {str(path.relative_to(ROOT)) for path in (ROOT / "casfs").glob("[!_]*.py")}


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/benchmarks.md", "docs/semantics.md", "docs/operate.md"])
def test_modules_that_a_document_names_are_there(name: str) -> None:
    parts = "|".join(sorted(part for part in TABLE if (ROOT / "casfs" / part).is_dir()))
    for module in re.findall(rf"`(?:casfs/)?((?:{parts})/[\w/]+)(?:\.py)?(?:\.[A-Z]\w+)?`", document(name)):
        path = ROOT / "casfs" / module
        assert path.is_dir() or path.with_suffix(".py").exists(), module


def test_path_of_a_read_is_the_one_that_a_cold_and_a_warm_read_take() -> None:
    told = re.search(r"```path\n(.*?)```", document("docs/architecture.md"), re.DOTALL)
    assert told is not None
    command = [sys.executable, str(ROOT / "contrib" / "hops.py"), "--map"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=240, check=True)
    assert told[1] == done.stdout, "if the new path is the right one: python contrib/hops.py --map prints it"


CHANGES = (
    "attribute", "provider", "fault of the emulator", "command", "counter", "rule of eviction", "source of credentials",
    "option", "error", "destination of outputs",
)  # fmt: skip


def test_files_that_a_newcomer_is_sent_to_are_there() -> None:
    _, _, section = document("CONTRIBUTING.md").partition("## Where does it go?\n")
    rows = [line.split(" | ") for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")][1:]
    assert tuple(change.removeprefix("| ") for change, *_ in rows) == CHANGES
    for change, *cells in rows:
        paths = re.findall(r"`([\w/]+(?:\.(?:py|md)|/))`", " ".join(cells))
        assert [path for path in paths if not (ROOT / path).exists()] == [], change


def row(option: Option) -> str:
    names = f"`{option.flag}`" + (f", `-{option.short}`" if option.short else "")
    usual = "off" if option.kind.is_flag else option.default_words or f"`{option.default}`"
    return f"| {names} | {usual} | {option.help} |"


def test_readme_lists_the_options_that_there_are() -> None:
    listed = re.findall(r"^\| `--.*$", document("README.md"), re.MULTILINE)
    assert listed == [row(option) for option in OPTIONS]


def test_semantics_tell_every_figure() -> None:
    told = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", document("docs/semantics.md"), re.MULTILINE)
    assert set(Stats().snapshot()) <= {name for names in told for name in re.findall(r"\w+", names)}


@pytest.mark.fuse
def test_examples_of_the_semantics_print_what_they_are_said_to_print(
    server: Server, mounting: Mounting, tmp_path: Path
) -> None:
    commands = examples("docs/semantics.md")
    assert commands
    (tmp_path / "copies").mkdir()
    script = "".join(f"{{ {command}\n}} 2>&1; printf '\\0'\n" for command, _ in commands)
    with mounting(server) as path:
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "copies": str(tmp_path / "copies")}
        done = subprocess.run(["sh", "-c", script], cwd=path, env=env, capture_output=True, timeout=120, check=True)
    for (command, expected), printed in zip(commands, done.stdout.decode().split("\0"), strict=False):
        pattern = re.escape(expected).replace("…", "(?s:.*)")
        assert re.fullmatch(pattern, printed), f"$ {command}\n{printed}"


HOSTILE = ["", "plain", "a,b", '"', '""', "\\", '\\"', '"\\"', 'a "long" cut, 2', ",", '",', "\\,", "a\\", "'", " x "]
"""Descriptions: any printable ASCII, up to 1,024 of it."""


def test_what_the_semantics_tell_about_csv_reads_any_inventory() -> None:
    code = re.search(r"```python\n(.*?)```", document("docs/semantics.md"), re.DOTALL)
    assert code is not None
    told: dict[str, Any] = {}
    exec(code[1], told)
    state = State()
    vault = state.add_vault("vault")
    made = [state.add_archive("vault", InMemory(b"bytes"), text) for text in HOSTILE]
    output, _ = inventory(vault, state, glacier(), form="CSV")
    text = read(output.content).decode()
    for ends in ("\n", "\r\n"):
        lines = text.replace("\n", ends).splitlines(keepends=True)
        found = {row[0]: row[1:] for row in told["archives"](lines)}
        assert found == {each.id: (each.description, date(each.created_s), 5, each.tree.root) for each in made}
