"""Programs that wait for a mount that does not answer can be ended."""

import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from casfs.fs.binding import load_binding
from tests.fs.conftest import Scene
from tests.fs.scene import STALLING, STALLS_FROM
from tests.mounting import wait_until

pytestmark = pytest.mark.fuse
PROMPT_S = 20.0
"""What a very busy machine takes to end a process; what the programs wait for takes far longer."""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGQUIT)

WITH_HANDLER = """
import os, signal, sys
def end(*_): sys.exit(7)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT): signal.signal(number, end)
fd = os.open(sys.argv[1], os.O_RDONLY)
while os.read(fd, 65536): pass
"""
IGNORING = """
import os, signal, sys
signal.signal(signal.SIGALRM, lambda *_: None)
signal.signal(signal.SIGCHLD, lambda *_: None)
fd = os.open(sys.argv[1], os.O_RDONLY)
while os.pread(fd, 65536, int(sys.argv[2])): pass
"""
MAPPING = """
import mmap, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
    sum(mapped[::4096])
"""


def waiting(command: Sequence[object]) -> subprocess.Popen[bytes]:
    """Start *command*, and return once it sleeps in the kernel over the mount."""
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    words = {str(word).removeprefix("if=") for word in command}
    wait_until(lambda: process.poll() is not None or _is_in_fuse(process.pid, words), f"{command} waits")
    return process


def _is_in_fuse(pid: int, words: set[str]) -> bool:
    """Say whether a process sleeps over the mount; over a page only where it has opened what it was told to.

    Over a page it may sleep before, too: of a program that is loaded.
    """
    with open(f"/proc/{pid}/wchan") as file:  # noqa: PTH123 - a file of /proc
        where = file.read()
    if any(word in where for word in ("request_wait", "fuse")):
        return True
    with suppress(FileNotFoundError):  # it has closed one meanwhile
        return "folio" in where and any(str(link.readlink()) in words for link in Path(f"/proc/{pid}/fd").iterdir())
    return False


def ended_within(process: subprocess.Popen[bytes], limit_s: float) -> bool:
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
@pytest.mark.parametrize(
    "command",
    [["cat"], ["dd", "bs=64k", "if="], [sys.executable, "-c", WITH_HANDLER], ["stat"]],
    ids=["cat", "dd", "handler", "stat"],
)
def test_a_program_that_waits_is_ended_at_once(mounted: Scene, command: list[str], number: signal.Signals) -> None:
    path = mounted.path / "vault/look-up-stalls" if command == ["stat"] else mounted.output("stalls")
    whole = [*command[:-1], f"if={path}"] if command[-1] == "if=" else [*command, path]
    process = waiting(whole)
    process.send_signal(number)
    assert ended_within(process, PROMPT_S)
    assert process.returncode != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT], ids=lambda number: number.name)
def test_a_program_that_waits_for_a_mapped_page_is_ended_at_once(mounted: Scene, number: signal.Signals) -> None:
    process = waiting([sys.executable, "-c", MAPPING, mounted.output("stalls")])
    process.send_signal(number)
    assert ended_within(process, PROMPT_S)
    assert process.returncode == -number


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGCHLD, signal.SIGWINCH], ids=lambda number: number.name)
def test_a_signal_that_does_not_mean_the_end_leaves_the_read_alone(mounted: Scene, number: signal.Signals) -> None:
    process = waiting([sys.executable, "-c", IGNORING, mounted.output("stalls"), STALLS_FROM])
    process.send_signal(number)
    assert not ended_within(process, 0.5)


def test_others_are_answered_while_programs_wait(mounted: Scene) -> None:
    stalled = [waiting(["cat", mounted.output(name)]) for name in STALLING]
    try:
        assert os.path.getsize(mounted.output("plain")) > 0  # noqa: PTH202 - one call of the kernel
        with mounted.output("plain").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            assert mapped[:4] == bytes(range(4))
    finally:
        for process in stalled:
            process.kill()
            process.wait()


def test_a_look_up_that_stalls_holds_up_no_other_in_its_directory(mounted: Scene) -> None:
    if load_binding(mounted.binding).libfuse < (3, 17):
        pytest.skip("before 3.17 libfuse does not tell the kernel")
    stalled = waiting(["stat", mounted.path / "vault/look-up-stalls"])
    other = subprocess.Popen(["stat", mounted.path / "vault/not there"], stderr=subprocess.DEVNULL)
    try:
        assert ended_within(other, 30)
        assert other.returncode == 1
        assert stalled.poll() is None
    finally:
        stalled.kill()
        stalled.wait()
