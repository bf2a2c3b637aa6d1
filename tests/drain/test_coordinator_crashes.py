"""A run that is killed at any step of its ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casfs.drain.archive import State
from casfs.drain.ledger.ledger import Ledger
from tests.drain.simulation import SECOND, Simulation, contents

DONE = State.DONE


class CrashError(BaseException):
    """A kill."""


class CrashingLedger(Ledger):
    """A ledger whose process is killed at one of its steps: before it is on disk, or just after."""

    left = 0
    is_after = False

    @contextmanager
    def step(self) -> Iterator[None]:
        self.left -= 1
        if self.left < 0 and not (self.left == -1 and self.is_after):
            raise CrashError
        with super().step():
            yield
        if self.left < 0:
            raise CrashError


@pytest.mark.parametrize("is_after", [False, True])
def test_a_run_that_is_killed_at_any_step_of_the_ledger_is_gone_on_with(tmp_path: Path, *, is_after: bool) -> None:
    for step in range(200):
        drain = Simulation(tmp_path / str(step), contents(3), takes_ns=600 * SECOND)
        drain.enter()
        ledger = CrashingLedger(drain.ledger)
        ledger.left, ledger.is_after = step, is_after
        try:
            drain.run(killed=ledger)
        except CrashError:
            assert drain.run() == {DONE: 3}
        else:
            break
        assert len(drain.service.jobs_by_id) == 3, f"killed at step {step}, something was paid for twice"
        names = [job.rpartition("-of-")[2] for job in drain.service.opened]
        assert all(names.count(name) <= 2 for name in names)
    assert 6 < step < 199
