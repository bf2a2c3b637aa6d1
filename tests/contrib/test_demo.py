"""``contrib/demo.sh`` takes its mount away, however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mounting import environment, processes_of, wait_until

SCRIPT = Path(__file__).resolve().parents[2] / "contrib" / "demo.sh"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout in which all is set up, and an rsync that says so when it is reached, and waits to go on."""
    rsync = 'touch "$TMPDIR/reached"; until [ -e "$TMPDIR/go" ]; do sleep 0.1; done'
    files = {
        "contrib/demo.sh": SCRIPT.read_text(),
        "contrib/setup.sh": 'die() { echo "$*" >&2; exit 1; }; set_up() { :; }',
        ".venv/bin/casfs": f'#!/bin/sh\nexec {sys.executable} -m casfs "$@"\n',
        "bin/rsync": f"#!/bin/sh\n{rsync}\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return tmp_path


@pytest.mark.fuse
@pytest.mark.parametrize(
    "number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
def test_demo_that_is_ended_leaves_no_mount_and_no_process(checkout: Path, number: signal.Signals) -> None:
    temporary = checkout / "tmp"
    temporary.mkdir()
    path = f"{checkout}/bin:{os.environ['PATH']}"
    env = environment(checkout, TMPDIR=str(temporary), PATH=path)
    with subprocess.Popen(["sh", checkout / "contrib" / "demo.sh"], env=env, stdout=subprocess.DEVNULL) as demo:
        wait_until((temporary / "reached").exists, "it reads its mount")
        (mountpoint,) = temporary.glob("*/archive")
        assert mountpoint.is_mount()
        demo.send_signal(number)
        (temporary / "go").touch()
        expected = -number if number is signal.SIGKILL else 128 + number
        assert demo.wait(60) == expected
    wait_until(lambda: not processes_of(mountpoint), "the process of the mount ends")
    assert number is signal.SIGKILL or not mountpoint.parent.exists()
    assert str(mountpoint) not in Path("/proc/self/mounts").read_text()
