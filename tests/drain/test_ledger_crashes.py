"""A drain that dies at a change of its ledger, any of them, and is run again."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.drain.runs import Drain
from tests.drain.services import KEYS, served
from tests.mounting import environment

COUNT = 6
Run = Callable[[Drain, int], tuple[int, int, str]]


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile what kills."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    made = tmp_path_factory.mktemp("preloaded") / "crash.so"
    source = Path(__file__).with_name("crash.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True, timeout=120)
    return made


@contextmanager
def running(preloaded: Path, home: Path) -> Iterator[Run]:
    """Give what runs a drain that dies at a change of its ledger; 0 is none."""
    env = environment(home, *KEYS, LD_PRELOAD=str(preloaded))
    pipe = subprocess.PIPE
    command = [sys.executable, str(Path(__file__).with_name("crashing.py"))]
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def run(drain: Drain, at: int) -> tuple[int, int, str]:
            wanted = {"prefix": str(drain.ledger), "at": at, "arguments": drain.command()[3:]}
            asked.write(json.dumps(wanted) + "\n")
            asked.flush()
            status, changes, errors = json.loads(answers.readline())
            return status, changes, errors

        try:
            yield run
        finally:
            asked.close()


@contextmanager
def emptied(home: Path) -> Iterator[Drain]:
    """Give a drain of its own vault; it must have ended right by the end of the block."""
    with served("cas", COUNT, hostile=3, page=4) as service:
        service.server.state.job_takes_s = 0.0
        home.mkdir()
        drain = Drain(service, home)
        yield drain
        drain.check()
        assert service.paid() == Counter(list(service.archives))
        assert service.inventories() == 2
        assert max(service.downloads().values()) <= 2


@pytest.mark.parametrize("every", [37, pytest.param(1, marks=pytest.mark.long)])
def test_a_crash_at_a_change_of_the_ledger_costs_no_money(preloaded: Path, tmp_path: Path, every: int) -> None:
    with running(preloaded, tmp_path) as run:
        with emptied(tmp_path / "whole") as drain:
            status, changes, errors = run(drain, 0)
            assert (status, errors.count("Traceback")) == (0, 0), errors
        assert changes > 50
        ends: list[int] = []
        for at in range(1 + changes % every, changes + 1, every):
            with emptied(tmp_path / f"crash-{at}") as drain:
                ended, _, errors = run(drain, at)
                assert ended in (-9, 0), (at, errors)  # 0 where a run had fewer changes than the first one
                ends.append(ended)
                status, _, errors = run(drain, 0)
                assert status == 0, (at, errors)
        assert ends.count(-9) > len(ends) // 2
