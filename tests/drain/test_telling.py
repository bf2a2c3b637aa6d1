"""When word is left whose archives come to a destination, and when it is taken away."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.drain.destinations.opening import folder_at
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.manifest import Manifest
from casfs.drain.telling import Telling
from casfs.errors import ConfigError
from tests.drain.simulation import Simulation, contents
from tests.drain.test_manifest import FOLDERS, KilledError


@pytest.fixture(params=FOLDERS.values(), ids=list(FOLDERS))
def manifest(request: pytest.FixtureRequest, tmp_path: Path) -> Manifest:
    out = tmp_path / "out"
    out.mkdir()
    where: Callable[[Path], str] = request.param
    return Manifest(folder_at(where(out)))


@pytest.fixture
def entered(tmp_path: Path) -> Path:
    """Return a ledger that has an inventory."""
    drain = Simulation(tmp_path, contents(2))
    drain.enter()
    return drain.ledger


@pytest.mark.parametrize("is_done", [False, True], ids=["at work", "done"])
def test_a_drain_does_not_begin_where_another_one_has_begun_while_its_user_was_asked(
    entered: Path, manifest: Manifest, *, is_done: bool
) -> None:
    with Ledger(entered) as ledger:
        telling = Telling(ledger, manifest, time.time_ns)
        telling.check()
        if is_done:
            manifest.write(iter([{"archive_id": "another"}]))
        else:
            manifest.claim(["another"])
        with pytest.raises(ConfigError, match="another vault"):
            telling.begin()
    manifest.check_claim("another".__eq__)


def test_word_of_a_drain_is_gone_once_its_ledger_says_that_all_is_told(entered: Path, manifest: Manifest) -> None:
    def kill() -> int:
        raise KilledError

    with Ledger(entered) as ledger:
        telling = Telling(ledger, manifest, kill)
        telling.begin()
        with pytest.raises(ConfigError):
            manifest.check_claim("another".__eq__)
        with pytest.raises(KilledError):
            telling.finish()
        assert not telling.is_told()
        manifest.check_claim("another".__eq__)
