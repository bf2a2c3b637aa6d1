"""The speed of a drain, beside a copy out of the mount and aria2c, in rounds: each round has all of them, in turns.

What a round measures is the whole of each command, to files below TMPDIR; the mount is there before. aria2c
(apt-get install aria2) is given the same URLs and checks nothing. Ratios are those of a round; medians are printed.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from casfs.emulator.content import Generated
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from tests.drain.vaults import VAULT
from tests.mounting import environment, is_mounted
from tests.providers import state_of

COUNT = 20
SIZE = 64 << 20
LINK = Shaping(0.03, 60e6)
ROUNDS = 5


@dataclass(frozen=True)
class Race:
    """The archives and their service, and where copies go.

    Attributes:
        url: of the service, which checks no signatures.
        jobs: that have the archives as outputs.
        folder: for all files.
    """

    url: str
    jobs: list[str]
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program that has keys."""
        return environment(self.folder, "id", "key")

    def casfs(self, *words: object) -> None:
        """Run a command of casfs to its end."""
        command = [sys.executable, "-m", "casfs", *map(str, words)]
        subprocess.run(command, env=self.env, check=True, stdout=subprocess.DEVNULL)

    @property
    def place(self) -> str:
        """The VAULT_PLACE."""
        return f"{self.url}/-/{VAULT}"

    def drain(self, into: Path) -> float:
        """Return how long a drain takes whose jobs are there."""
        ledger = into.with_suffix(".ledger")
        self.casfs("drain", "--dry-run", "--ledger", ledger, self.place, into)
        return timed(lambda: self.casfs("drain", "--yes", "--poll", 1, "--ledger", ledger, self.place, into))

    def copy(self, into: Path) -> float:
        """Return how long ``cp -r`` takes out of a new mount."""
        mount = into.with_suffix(".mount")
        mount.mkdir()
        self.casfs("mount", self.place, mount)
        into.mkdir()
        try:
            copied = [str(mount / job) for job in self.jobs]
            return timed(lambda: subprocess.run(["cp", "-r", *copied, into], check=True))
        finally:
            if is_mounted(mount):
                subprocess.run(["umount", mount], check=True)

    def aria2c(self, into: Path) -> float:
        """Return how long aria2c takes."""
        urls = "".join(f"{self.url}/-/vaults/{VAULT}/jobs/{job}/output\n out={job}\n" for job in self.jobs)
        command = [
            "aria2c",
            "-x16",
            "-j8",
            "--quiet",
            "--no-conf",
            "--file-allocation=none",
            "-d",
            str(into),
            "-i",
            "-",
        ]
        return timed(lambda: subprocess.run(command, input=urls, text=True, check=True))


def timed(run: Callable[[], object]) -> float:
    """Return how long something takes, in seconds."""
    began_s = time.monotonic()
    run()
    return time.monotonic() - began_s


@contextmanager
def races() -> Iterator[Race]:
    """Serve the archives for the time of a block."""
    state = state_of("cas")
    state.job_takes_s = 0.0
    state.add_vault(VAULT, inventory_s=state.clock())
    jobs = []
    for number in range(COUNT):
        archive = state.add_archive(VAULT, Generated(SIZE, number), f"a/{number}")
        jobs.append(state.add_job(VAULT, ARCHIVE_RETRIEVAL, part(archive)).id)
    with Server(state, shaping=LINK) as server, tempfile.TemporaryDirectory() as folder:
        race = Race(server.url, jobs, Path(folder))
        race.casfs("retrieve", "--inventory", "--wait", "--poll", 0.1, race.place)
        yield race


def round_of(race: Race, number: int, runners: Mapping[str, Callable[[Path], float]]) -> dict[str, float]:
    """Return MB/s of each, of which another one begins in each round."""
    names = list(runners)
    speeds = {}
    for name in names[number % len(names) :] + names[: number % len(names)]:
        into = race.folder / f"{name}-{number}"
        speeds[name] = COUNT * SIZE / runners[name](into) / 1e6
        shutil.rmtree(into)
        os.sync()  # what one has written is no other one's burden
    return speeds


def run(rounds: int) -> None:
    """Print the medians of so many rounds."""
    with races() as race:
        runners: dict[str, Callable[[Path], float]] = {"drain": race.drain, "cp": race.copy}
        if shutil.which("aria2c"):
            runners["aria2c"] = race.aria2c
        found = [round_of(race, number, runners) for number in range(rounds)]
    for name in runners:
        speed = statistics.median(each[name] for each in found)
        ratio = statistics.median(each["drain"] / each[name] for each in found)
        sys.stdout.write(f"{name}: {speed:.0f} MB/s; drain has {ratio:.2f} of it\n")
