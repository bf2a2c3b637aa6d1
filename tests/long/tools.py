"""Programs of others, each installed once into a folder of the virtual environment that the tests run in."""

import fcntl
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

TOOLS = Path(sys.prefix) / "tools-of-long-tests"
INSTALL_S = 600
"""More than any of them takes to be fetched and installed."""

SDK_FOR_JAVASCRIPT = "@aws-sdk/client-glacier@3.1048.0"
"""Pinned, since it runs on Node 20; those of 2027 want 22, as it says itself."""


def aws_cli() -> Path:
    """Return AWS' own command line."""
    return _installed("awscli", _install_aws_cli) / "bin" / "aws"


def node_modules() -> Path:
    """Return a folder of modules for Node in which AWS' SDK for JavaScript has its client for Glacier."""
    return _installed("node", _install_sdk_for_javascript) / "node_modules"


def _install_aws_cli(folder: Path) -> None:
    venv.create(folder, with_pip=True)
    _run(folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "awscli>=1.44,<2")


def _install_sdk_for_javascript(folder: Path) -> None:
    folder.mkdir()
    npm = shutil.which("npm")
    assert npm, "the long tests need npm: install nodejs and npm"
    _run(npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, SDK_FOR_JAVASCRIPT)


def _installed(name: str, install: Callable[[Path], None]) -> Path:
    """Return the folder of that name once *install* has filled it; what it left half done is begun anew."""
    folder, done = TOOLS / name, TOOLS / f"{name}.done"
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes of this run of the tests want it too
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            done.touch()
    return folder


def _run(*command: object) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=INSTALL_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
