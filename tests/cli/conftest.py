"""Stands of the commands that work without a mount."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.stands import Stand
from tests.providers import NO_BOTOCORE

GLACIER = pytest.param("glacier", marks=pytest.mark.skipif(NO_BOTOCORE, reason="the extra glacier is not installed"))


@pytest.fixture(params=["cas", GLACIER])
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    """Give a service of each provider."""
    with standing(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def cas(tmp_path: Path) -> Iterator[Stand]:
    """Give a service of the usual provider, for what does not depend on it."""
    with standing("cas", tmp_path) as made:
        yield made


@contextmanager
def standing(provider: str, path: Path) -> Iterator[Stand]:
    """Run a service for the time of the block."""
    (path / "home").mkdir()
    made = Stand(provider, path / "home")
    with made.server:
        yield made
