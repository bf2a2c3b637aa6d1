"""What tests share: no mount is left behind, no warning goes unannounced, and whether this machine can mount."""

import ctypes.util
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import hypothesis
import pytest

from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.mount import mountpoint
from tests.children import module_command
from tests.mounting import Mounting, Service, casfs, environment, is_mounted, processes_of, wait_until

hypothesis.settings.register_profile("casfs", deadline=None)  # a machine that is busy is no bug
hypothesis.settings.load_profile("casfs")

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


def pytest_configure() -> None:
    """Let signals end programs as they do at a prompt: what ``nohup`` and ``&`` have ignored, children would too."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--long``."""
    parser.addoption("--long", action="store_true", help="run the tests marked long too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is long unless it is asked for, and what needs the kernel where it cannot be had."""
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    skip_without_kernel(items)


def skip_without_kernel(items: list[pytest.Item]) -> None:
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
            subprocess.run(["umount", "-l", mounted.path], check=False, timeout=120)


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
    runs = own.parent.parent if "PYTEST_XDIST_WORKER" in os.environ else own.parent
    for run in runs.glob("pytest-[0-9]*"):
        if not own.is_relative_to(run) and is_over(run):
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


@contextmanager
def no_more_threads() -> Iterator[None]:
    """Let the system refuse every thread that is begun in the block."""
    usual = threading.stack_size(1 << 46)  # which no system has
    try:
        yield
    finally:
        threading.stack_size(usual)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run the emulator with its sample vaults."""
    with Server(sample_state(), credentials={"id": "key"}) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Make a directory to mount on; no mount and no process of it is left behind."""
    made = tmp_path / "mount"
    made.mkdir()
    yield made
    if is_mounted(made):
        subprocess.run(["umount", "-l", made], check=False, timeout=120)
    wait_until(lambda: not processes_of(made), "the process of the mount ends")


@pytest.fixture
def mounting(tmp_path: Path) -> Mounting:
    """Mount a service for the time of a block; whatever nobody foresaw, in the log of the mount, fails the test.

    Returns:
        Takes the service, options of ``casfs mount``, and *suffix*, what stands behind the service's address in SOURCE;
        gives the mountpoint. The key is ``service.keys``, ``id`` and ``key`` where it has none.
    """
    numbers = count()

    @contextmanager
    def mounted(service: Service, *options: object, suffix: str = "") -> Iterator[Path]:
        path, log = tmp_path / f"mount-{next(numbers)}", tmp_path / f"log-{next(numbers)}"
        path.mkdir()
        keys = getattr(service, "keys", ("id", "key"))
        done = casfs("mount", "--log-file", log, *options, service.url + suffix, path, env=environment(tmp_path, *keys))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        try:
            yield path
        finally:
            subprocess.run(["umount", "-l", path], check=False, timeout=120)
            wait_until(lambda: not processes_of(path), "the process of the mount ends once it is unmounted")
        surprises = [
            line for line in log.read_text().splitlines() if re.search("nobody (foresaw|caught)|Traceback", line)
        ]
        assert surprises == [], log.read_text()

    return mounted


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Mount a file system whose calls fail as it is told."""
    folder, mountpoint, faults = tmp_path / "folder", tmp_path / "mountpoint", tmp_path / "faults"
    for path in (folder, mountpoint):
        path.mkdir(0o700)
    faults.touch()
    command = module_command("tests.disk.faulty_disk", *map(str, (folder, mountpoint, faults)))
    with subprocess.Popen(command) as process:

        def tell(text: str) -> None:
            faults.with_suffix(".new").write_text(text)
            faults.with_suffix(".new").rename(faults)

        try:
            wait_until(lambda: mountpoint.is_mount() or process.poll() is not None, "a file system is mounted")
            yield tell
        finally:
            umount = ["umount", "-l"] if not os.geteuid() else ["fusermount3", "-u", "-z"]
            subprocess.run([*umount, mountpoint], check=False, timeout=120)
            process.terminate()
