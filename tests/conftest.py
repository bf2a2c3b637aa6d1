"""What tests share: no mount is left behind, no warning goes unannounced, and whether this machine can mount."""

import ctypes.util
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casfs import mountpoint

MUST_MOUNT = "CASFS_TESTS_MUST_MOUNT"
"""The variable that makes a machine that cannot mount a failure: so that no run is green that tested nothing."""
Announce = Callable[[str], None]


def why_no_mount() -> str | None:
    """Return what this machine lacks to mount anything, or None."""
    if not any(map(ctypes.util.find_library, ("fuse", "fuse3"))):
        return "neither libfuse 2 nor libfuse 3 is installed"
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the kernel where it cannot be had, unless it must."""
    reason = why_no_mount()
    if reason is None:
        return
    if os.environ.get(MUST_MOUNT):
        pytest.exit(f"{MUST_MOUNT} is set, and {reason}", returncode=1)
    for item in items:
        if item.get_closest_marker("fuse"):
            item.add_marker(pytest.mark.skip(reason=reason))


def sweep(run: Path) -> None:
    """Take away every casfs mount in the directory of one test run."""
    for mounted in list(mountpoint.mounts()):
        if mounted.kind == "fuse.casfs" and Path(mounted.path).is_relative_to(run):
            subprocess.run(["umount", "-l", mounted.path], check=False, timeout=10)


def is_over(run: Path) -> bool:
    """Whether nobody runs the tests of that directory any more: pytest keeps a lock there, with its process in it."""
    try:
        return not Path("/proc", (run / ".lock").read_text()).exists()
    except OSError:
        return True


@pytest.fixture(scope="session", autouse=True)
def no_stale_mounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Sweep what aborted runs left behind, which fails whoever walks there; at the end, what this one did."""
    own = tmp_path_factory.getbasetemp()
    for run in own.parent.glob("pytest-[0-9]*"):
        if run != own and is_over(run):
            sweep(run)
    yield
    sweep(own)


@pytest.fixture(autouse=True)
def announce(caplog: pytest.LogCaptureFixture) -> Iterator[Announce]:
    """Fail a test in which casfs logs a warning that the test did not announce.

    Yields:
        Takes a regular expression for messages that the test expects.
    """
    expected: list[str] = []
    yield expected.append
    records = [record for when in ("setup", "call") for record in caplog.get_records(when)]
    warned = [record.getMessage() for record in records if record.name.startswith("casfs") and record.levelno >= 30]
    surprises = [message for message in warned if not any(re.search(pattern, message) for pattern in expected)]
    assert surprises == [], "casfs logged what the test did not announce"
