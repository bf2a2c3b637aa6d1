"""A folder as a destination, which is not there before something is put into it."""

from pathlib import Path

import pytest

from casfs.drain.destinations.local import LocalDestination


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "made" / "there"


@pytest.fixture
def destination(root: Path) -> LocalDestination:
    return LocalDestination(str(root))
