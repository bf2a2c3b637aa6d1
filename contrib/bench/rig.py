"""What every measurement needs: the service, a place of its own, and programs that are mounted or run there."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import mounts
import processes
from mounts import Mount
from plan import Item, Plan, Shape
from service import Counters, Service, environment
from subjects import Fetcher, Mounter

MEMORY_DIR = Path("/dev/shm")  # noqa: S108 - what peers write is written to memory, so that no disk is measured
DISK_DIR = Path(__file__).resolve().parents[2] / "build"


@dataclass(frozen=True)
class Rig:
    """The service and the amount to read."""

    service: Service
    plan: Plan

    @contextmanager
    def mounted(self, mounter: Mounter, shape: Shape, vault: str, kept: Path | None = None) -> Iterator[Mount]:
        """Mount a vault afresh, with nothing cached but what is *kept*, and count what is sent from then on."""
        with scratch(on_disk=mounter.on_disk) if kept is None else nullcontext(kept) as place:
            (place / "mnt").mkdir(exist_ok=True)
            command = mounter.command(self.service.faces(shape), vault, place)
            with mounts.mounted(command, place / "mnt", daemon=mounter.daemon, log=place / "log") as mount:
                self.service.counters()
                yield mount

    def fetched(self, fetcher: Fetcher, shape: Shape, item: Item) -> "Used":
        """Fetch an output with a program and say what that took: seconds and peak as it says them, else all it ran.

        Raises:
            RuntimeError: it failed.
        """
        with scratch() as place:
            command = fetcher.command(self.service.faces(shape), f"{item.vault}/{item.job}", place)
            self.service.counters()
            started = time.perf_counter()
            with (place / "said").open("wb") as said:
                process = subprocess.Popen(command, stdout=said, env=environment())
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it once more
            if status:
                raise RuntimeError(f"{fetcher.name} ended with status {process.returncode}")
            own_s, peak_mib = [*map(float, (place / "said").read_text().split()), None, None][:2]
            cpu_s = usage.ru_utime + usage.ru_stime
            return Used(own_s or seconds, cpu_s, self.service.counters(), peak_mib)

    def watched(self, mount: Mount, work: Callable[[], object]) -> "Used":
        """Do *work* on a mount and say what that took: the processor seconds and the memory are the mount's own."""
        self.service.counters()
        processes.forget_peak(mount.pid)
        cpu_s = processes.cpu_s(mount.pid)
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        spent_s = processes.cpu_s(mount.pid) - cpu_s
        return Used(seconds, spent_s, self.service.counters(), processes.peak_mib(mount.pid))


@dataclass(frozen=True)
class Used:
    """What some work took.

    Attributes:
        seconds: from its start to its end.
        cpu_s: processor time of the program behind it.
        sent: what the service sent for it.
        peak_mib: the most memory that program held; None of what has ended without saying, since Linux then only knows
            the peak of whatever the process was before it became that program.
    """

    seconds: float
    cpu_s: float
    sent: Counters
    peak_mib: float | None = None


@contextmanager
def scratch(*, on_disk: bool = False) -> Iterator[Path]:
    """Give an empty directory, in memory unless it is to be *on_disk*, and remove it."""
    if on_disk:
        DISK_DIR.mkdir(exist_ok=True)
    parent = DISK_DIR if on_disk else MEMORY_DIR if MEMORY_DIR.is_dir() else None
    place = Path(tempfile.mkdtemp(prefix="casfs-bench-", dir=parent))
    try:
        yield place
    finally:
        if not mounts.is_mounted(place / "mnt"):
            shutil.rmtree(place, ignore_errors=True)
