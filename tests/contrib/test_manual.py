"""The pages of the manual and the completions of shells are those of the options and commands that there are."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from casfs.config.options import OPTIONS
from tests.checkout import ROOT
from tests.mounting import environment

CONTRIB = ROOT / "contrib"
PAGES = ("casfs.1", "mount.casfs.8", "casfs.toml.5")
LINT = pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
MAN = pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")


@pytest.fixture(scope="module")
def manual() -> ModuleType:
    spec = importlib.util.spec_from_file_location("manual", CONTRIB / "manual.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_stands_there_is_what_would_be_written(manual: ModuleType) -> None:
    pages = {name: (CONTRIB / "man" / name).read_text() for name in PAGES}
    assert {name: make() for name, make in manual.PAGES.items()} == pages, "python contrib/manual.py writes them anew"


def test_completion_is_what_click_makes_of_casfs(manual: ModuleType) -> None:
    for shell, name in manual.SHELLS.items():
        text = (CONTRIB / "completion" / name).read_text()
        assert f"_CASFS_COMPLETE={shell}_complete" in text
        assert f"_CASFS_COMPLETE={shell}_complete" in manual.completion(shell)


@pytest.mark.parametrize("name", PAGES)
def test_every_option_is_on_the_page(name: str) -> None:
    text = (CONTRIB / "man" / name).read_text().replace("\\-", "-")
    for option in OPTIONS:
        if option.profile or name != "casfs.toml.5":
            assert (option.flag if name == "casfs.1" else option.name) in text


@LINT
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_well_formed(name: str) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(CONTRIB / "man" / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


@MAN
@pytest.mark.parametrize("name", PAGES)
def test_man_has_nothing_to_warn_of(name: str) -> None:
    env = {"PATH": os.environ["PATH"], "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""}
    command = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(CONTRIB / "man" / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (0, "")


def completed(home: Path, *words: str) -> list[str]:
    """Return what bash is told may stand for the last of *words*."""
    env = environment(home, _CASFS_COMPLETE="bash_complete", COMP_WORDS=" ".join(words), COMP_CWORD=str(len(words) - 1))
    done = subprocess.run(
        [sys.executable, "-m", "casfs"], env=env, capture_output=True, text=True, check=True, timeout=120
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_options_and_values_are_completed(tmp_path: Path) -> None:
    assert completed(tmp_path, "casfs", "mou") == ["mount"]
    assert completed(tmp_path, "casfs", "mount", "--list") == ["--list-ttl"]
    assert completed(tmp_path, "casfs", "mount", "--verify", "re") == ["require"]
    assert completed(tmp_path, "casfs", "cache", "ver") == ["verify"]
    assert completed(tmp_path, "casfs", "mount", "--cache-dir", "/var/c") == [
        "/var/c"
    ]  # the shell knows which there are


@pytest.mark.parametrize(("shell", "name"), [("bash", "casfs.bash"), ("zsh", "_casfs"), ("fish", "casfs.fish")])
def test_shells_can_read_their_completion(shell: str, name: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-n", CONTRIB / "completion" / name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("logrotate"), reason="logrotate is not installed")
def test_logrotate_takes_its_lines(tmp_path: Path) -> None:
    (tmp_path / "logrotate").write_text((CONTRIB / "casfs.logrotate").read_text())
    (tmp_path / "logrotate").chmod(0o644)
    command = ["logrotate", "-d", "-s", str(tmp_path / "state"), str(tmp_path / "logrotate")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "error" not in done.stderr
