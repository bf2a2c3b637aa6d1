"""What is built and installed: the wheel's content, its version, and that the tests test it."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import casfs
from tests.checkout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def built(into: Path, root: Path = ROOT, **environment: str) -> Path:
    script = f"import hatchling.build; hatchling.build.build_wheel({str(into)!r})"
    command = [sys.executable, "-c", script]
    environment = os.environ | environment
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, timeout=120)
    return next(into.glob("*.whl"))


def contents(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name and name[-1] != "/"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"))


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "casfs").rglob("*.py")}
    assert contents(wheel) == modules | {"casfs/py.typed", "casfs/drain/prices.toml", "casfs/data/hashing/liblanes.so"}
    assert "-none-linux_" in wheel.name


def test_a_wheel_is_built_whole_where_nobody_may_write_to_the_checkout(tmp_path: Path) -> None:
    checkout, compiled_to = tmp_path / "checkout", tmp_path / "temporary"
    left_out = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "liblanes*")
    shutil.copytree(ROOT, checkout, ignore=left_out)
    compiled_to.mkdir()
    before = sorted(checkout.rglob("*"))
    wheel = built(tmp_path, checkout, TMPDIR=str(compiled_to), PYTHONDONTWRITEBYTECODE="1")
    assert "casfs/data/hashing/liblanes.so" in contents(wheel)
    assert (sorted(checkout.rglob("*")), list(compiled_to.iterdir())) == (before, [])


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler"])
def test_without_a_compiler_the_wheel_is_for_every_machine(tmp_path: Path, compiler: str) -> None:
    wheel = built(tmp_path, CC=compiler)
    assert "casfs/data/hashing/liblanes.so" not in contents(wheel)
    assert wheel.name.endswith("-py3-none-any.whl")


def test_an_index_gets_a_source_a_wheel_for_every_machine_and_one_with_lanes_for_this_kind(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", ROOT / "contrib" / "release.sh", tmp_path], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (source,) = tmp_path.glob("casfs-*.tar.gz")
    (for_every_machine,) = tmp_path.glob("*-py3-none-any.whl")
    (for_this_kind,) = tmp_path.glob("*-py3-none-manylinux*.whl")
    assert contents(for_this_kind) - contents(for_every_machine) == {"casfs/data/hashing/liblanes.so"}
    assert contents(wheel_of(source, tmp_path / "again")) == contents(for_this_kind)


def wheel_of(source: Path, into: Path) -> Path:
    """Return the wheel that pip builds of a source distribution where there is no network."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", into, source], check=True, capture_output=True, timeout=120)
    return next(into.glob("*.whl"))


def test_wheel_installs_both_commands_and_both_protocols(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert re.findall(r"^(\S+) = ", archive.read(entry_points).decode(), re.MULTILINE) == [
        "casfs",
        "mount.casfs",
        "cas",
        "glacier",
    ]


def test_changelog_begins_with_the_version_of_the_project() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = [name for name in re.findall(r"^## (\S+)", changelog, re.MULTILINE) if name != "Unreleased"]
    assert versions[0] == PROJECT["version"]


@pytest.mark.skipif(not os.environ.get("PYTHONSAFEPATH"), reason="PYTHONSAFEPATH is not set: the checkout is tested")
def test_the_installed_package_is_what_is_tested() -> None:
    assert not Path(casfs.__file__).is_relative_to(ROOT / "casfs")
    assert importlib.metadata.version("casfs") == PROJECT["version"]
