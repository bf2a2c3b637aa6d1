"""What tests of drain share."""

import sys
from pathlib import Path

import pytest


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Make a folder for PATH, with the ``casfs`` and the ``python3`` of this run."""
    made = tmp_path / "bin"
    made.mkdir()
    (made / "casfs").write_text(f'#!/bin/sh\nexec {sys.executable} -m casfs "$@"\n')
    (made / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for program in made.iterdir():
        program.chmod(0o755)
    return made
