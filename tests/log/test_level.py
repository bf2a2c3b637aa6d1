"""The least that is logged, as it was decided and as it is for a while."""

import logging
from collections.abc import Iterator

import pytest

from casfs.log.level import Level


@pytest.fixture(autouse=True)
def root_level() -> Iterator[None]:
    """Leave the level as it was."""
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


def test_debug_is_turned_on_and_off_over_what_is_decided_meanwhile() -> None:
    level = Level("error")
    assert (level.turn(), logging.getLogger().level) == ("debug", logging.DEBUG)
    level.decide("warning")
    assert logging.getLogger().level == logging.DEBUG
    assert (level.turn(), logging.getLogger().level) == ("warning", logging.WARNING)
    level.decide("info")
    assert logging.getLogger().level == logging.INFO
