"""Who may import whom, how long a module may get, and what a package's front page may hold."""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.checkout import ROOT

PACKAGE = ROOT / "casfs"
LEAVES = frozenset({"attributes", "errors", "errnos", "models", "asked_jobs"}) | {
    "waiting", "apart", "stats", "log", "copying", "shortage", "iso_time",
}  # fmt: skip
"""What every part may import."""

TABLE: dict[str, frozenset[str]] = {
    "cli": frozenset({"mount", "operate", "doctor", "cache", "drain", "library", "tree_hash", "config", "emulator"}),
    "mount": frozenset({"account", "fs", "operate", "config"}),
    "doctor": frozenset({"mount", "account", "fs", "api", "data", "config"}),
    "operate": frozenset({"account", "api", "config"}),
    "cache": frozenset({"library", "data", "file", "config"}),
    "account": frozenset({"api", "tree", "data", "config", "kept_jobs"}),
    "kept_jobs": frozenset({"api", "data"}),
    "drain": frozenset({"library", "file", "tree_hash", "data"}),
    "tree_hash": frozenset({"data"}),
    "library": frozenset({"account", "aside", "tree", "config", "file", "retrievals"}),
    "aside": frozenset({"file"}),
    "retrievals": frozenset({"account"}),
    "file": frozenset({"data"}),
    "fsspec": frozenset({"library", "config", "file"}),
    "fs": frozenset({"tree", "data"}),
    "tree": frozenset(),
    "data": frozenset(),
    "api": frozenset(),
    "emulator": frozenset(),
    "config": frozenset(),
}
"""What each part may import beside the leaves and itself; docs/architecture.md shows it."""

READ_THE_TABLE = frozenset({"cli", "config"})
PROVIDERS = [["api", "providers", name] for name in ("table", "provider", "cas")]
"""What may read the entries of the providers, which are values, though it may import nothing else of ``api``."""

ENTRANCES = {"__main__": frozenset({"cli"}), "__init__": frozenset({"library", "file"})}
"""What is imported in the name of the whole."""

LIBRARIES: dict[str, frozenset[str]] = {
    "requests": frozenset({"api"}),
    "urllib3": frozenset({"api"}),
    "botocore": frozenset({"api"}),
    "fuse": frozenset({"fs", "mount"}),
    "mfusepy": frozenset({"fs", "mount"}),
    "click": frozenset({"cli"}),
    "rich": frozenset({"cli"}),
    "fsspec": frozenset({"fsspec", "drain"}),
    "distributed": frozenset({"drain"}),
    "prometheus_client": frozenset({"operate"}),
    "cachetools": frozenset({"tree", "data"}),
}
"""Which parts may import a library that is ours to import at all."""

ONE_MODULE = {
    "fsspec": PACKAGE / "drain" / "destinations" / "fsspec.py",
    "distributed": PACKAGE / "drain" / "dask.py",
    "prometheus_client": PACKAGE / "operate" / "metrics.py",
}
"""Which module alone of a part may import a library that is the part's beside others."""

FLOORS = ("outputs", "probe", "reader", "ahead", "fetch", "memory", "disk", "content", "hashing")
"""What ``data`` is made of, from the top down: each imports only itself and what stands behind it. What is in none of
them is what ``content`` is made of, or plain values."""
VALUES = frozenset({"settings", "source"})

LINE_BUDGET = 300
MODULES = sorted(PACKAGE.rglob("*.py"))
EVERY_MODULE = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))


def part_of(path: Path) -> str:
    """Return the first component of a module's path: the package or the top-level module it is in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything a module imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.ImportFrom():
                yield "a relative import"
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
                yield name


def offences(part: str, names: Iterator[str]) -> list[str]:
    """Return those of *names* that *part* may not import."""
    allowed = LEAVES | {part} | (TABLE | ENTRANCES).get(part, frozenset())
    return [name for name in names if not may_import(part, name.split("."), allowed)]


def may_import(part: str, name: list[str], allowed: frozenset[str]) -> bool:
    """Whether *part*, which may import the parts *allowed*, may import the dotted *name*."""
    if name[0] == "casfs":
        return len(name) > 1 and (name[1] in allowed or (part in READ_THE_TABLE and name[1:4] in PROVIDERS))
    return name[0] != "a relative import" and part in LIBRARIES.get(name[0], {part})


@EVERY_MODULE
def test_each_part_imports_only_what_the_table_allows(path: Path) -> None:
    assert offences(part_of(path), imported(path)) == []


def test_library_of_one_module_is_imported_by_no_other_of_its_part() -> None:
    for library, module in ONE_MODULE.items():
        part = PACKAGE / module.relative_to(PACKAGE).parts[0]
        importers = [path for path in part.rglob("*.py") if library in {name.split(".")[0] for name in imported(path)}]
        assert importers == [module]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("fs", "casfs.api.client.Client"),
        ("tree", "casfs.data.source.RangeSource"),
        ("api", "casfs.tree.lister.Lister"),
        ("emulator", "casfs.api.providers.signing.sign"),
        ("data", "casfs.config.Config"),
        ("config", "casfs.api.client.Client"),
        ("config", "casfs.api.providers.sigv4.GlacierSigner"),
        ("tree", "casfs.api.providers.table.PROVIDERS"),
        ("errors", "casfs.api.client"),
        ("data", "requests"),
        ("tree", "mfusepy"),
        ("fs", "a relative import"),
    ],
)
def test_a_forbidden_import_is_noticed(part: str, name: str) -> None:
    assert offences(part, iter([name])) == [name]


def test_every_part_has_a_row_in_the_table() -> None:
    assert {part_of(path) for path in MODULES} - LEAVES - {"__init__", "__main__"} <= set(TABLE)


def floor_of(name: str) -> int:
    """Return where a module of ``data`` stands, by the first part of its name."""
    return FLOORS.index(name if name in FLOORS else "content")


def rising(module: str, names: Iterator[str]) -> list[str]:
    """Return those of *names* that a module of ``data``, on the floor of *module*, would import from above."""
    parts = [name.split(".") for name in names if name.startswith("casfs.data.")]
    return [".".join(name) for name in parts if name[2] not in VALUES and floor_of(name[2]) < floor_of(module)]


@pytest.mark.parametrize("path", sorted((PACKAGE / "data").rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_in_data_imports_from_a_floor_above(path: Path) -> None:
    module = path.relative_to(PACKAGE / "data").parts[0].removesuffix(".py")
    assert rising(module, imported(path)) == []


def test_an_import_from_above_is_noticed() -> None:
    assert rising("memory", iter(["casfs.data.fetch.flight.Flight"])) == ["casfs.data.fetch.flight.Flight"]
    assert rising("hashing", iter(["casfs.data.content.Content"])) == ["casfs.data.content.Content"]
    assert rising("fetch", iter(["casfs.data.memory.room.Room", "casfs.data.source.RangeSource"])) == []


Name = tuple[str, ...]
"""A dotted name, in parts."""


def name_of(path: Path) -> Name:
    """Return the dotted name of a module, in parts; that of a package is its folder's."""
    parts = ("casfs", *path.relative_to(PACKAGE).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def wants(path: Path, names: Collection[Name]) -> Iterator[Name]:
    """Yield the modules, of those called *names*, that a module imports or imports from."""
    for parts in (tuple(name.split(".")) for name in imported(path)):
        for found in (parts[:length] for length in range(len(parts), 1, -1)):
            if found in names:
                yield found
                break


def circle(depth: int, graph: Mapping[Name, Iterable[Name]]) -> list[Name]:
    """Return a circle in which modules import each other, none where there is none.

    Args:
        depth: how many parts of a name tell modules apart: what has more of them in common counts as one.
        graph: whom each module imports.
    """
    sorter: TopologicalSorter[Name] = TopologicalSorter()
    for importer, others in graph.items():
        sorter.add(importer[:depth], *(other[:depth] for other in others if other[:depth] != importer[:depth]))
    try:
        sorter.prepare()
    except CycleError as error:
        found: list[Name] = error.args[1]
        return found
    return []


@pytest.mark.parametrize("depth", [2, 3, 4], ids=["parts", "folders in parts", "modules"])
def test_nothing_imports_itself_by_way_of_others(depth: int) -> None:
    paths = {name_of(path): path for path in MODULES}
    assert circle(depth, {name: list(wants(path, paths.keys())) for name, path in paths.items()}) == []


def test_a_circle_is_noticed() -> None:
    graph: dict[Name, list[Name]] = {("casfs", "a", "x"): [("casfs", "b", "y")], ("casfs", "b", "z"): [("casfs", "a")]}
    assert circle(3, graph) == []
    assert {part for _, part in circle(2, graph)} == {"a", "b"}


@EVERY_MODULE
def test_no_module_is_longer_than_the_budget(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < LINE_BUDGET


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name == "__init__.py" and path.parent != PACKAGE], ids=part_of
)
def test_a_package_front_page_holds_its_docstring_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert [type(node) for node in body] == [ast.Expr]


@EVERY_MODULE
def test_each_exception_to_a_lint_gives_its_code_and_its_reason(path: Path) -> None:
    owed = [line for line in path.read_text(encoding="utf-8").splitlines() if "# noqa" in line or "# type: ig" in line]
    assert [line for line in owed if " - " not in line.partition("#")[2]] == []
