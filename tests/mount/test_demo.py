"""``casfs demo``: what it tells one to try, typed as it stands there."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mounting import environment, is_mounted

pytestmark = pytest.mark.fuse


@pytest.mark.parametrize("name", ["mount", "a mount's"])
def test_every_hint_does_what_it_says(tmp_path: Path, name: str) -> None:
    path, copies = tmp_path / name, tmp_path / "the copies"
    path.mkdir()
    copies.mkdir()
    env = environment(tmp_path, TMPDIR=str(copies), PYTHONUNBUFFERED="1")
    command = [sys.executable, "-m", "casfs", "demo", str(path)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            hints = []
            for line in iter(demo.stdout.readline, "Ctrl-C ends it.\n"):
                assert line, "the demo ended"
                hints += [line] if line.startswith("  ") else []
            assert len(hints) == 5
            done = subprocess.run(
                ["sh", "-eux", "-c", "".join(hints)], env=env, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stderr
        finally:
            demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    assert not is_mounted(path)
    outputs = [found.relative_to(copies) for found in copies.rglob("output")]
    assert len([found for found in outputs if found.parts[0] == "photos"]) > 1
    assert len([found for found in outputs if found.parts[0] == "everything"]) > 5
