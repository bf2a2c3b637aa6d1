"""A service with jobs of every state, and the commands that work without a mount as processes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL
from casfs.emulator.server import Server
from tests.data.service import MIB, sample
from tests.mounting import casfs, environment
from tests.providers import DIALECTS, state_of

DATA = sample(20 * MIB + 77)
TEXT = b"one\ntwo\n"


@dataclass
class Stand:
    """A service in this process, and how commands reach it.

    Attributes:
        provider: whose it plays.
        server: it.
        home: of the user who runs the commands.
        ahead_s: how much later it is there, for jobs: those that are signed see the time of this machine.
        archives: ids by the names of the jobs that retrieve them.
        more: variables of the environment of the commands.
    """

    provider: str
    home: Path
    ahead_s: float = 0.0
    archives: dict[str, str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dialect = DIALECTS[self.provider]
        self.state = state_of(self.provider)
        self.state.clock = lambda: time.time() + self.ahead_s
        vault = self.state.add_vault("backups", inventory_s=self.state.clock())
        self.state.add_vault("empty")
        for name, data, more in (
            ("data", DATA, {"description": "all of it", "fields": {"Tier": "Bulk"}}),
            ("text", TEXT, {}),
            ("failed", TEXT, {"failure": "The archive cannot be read."}),
            ("begun", TEXT, {"takes_s": 3600.0}),
        ):
            archive = self.state.add_archive("backups", InMemory(data), f"{name}.bin")
            self.archives[name] = archive.id
            self.state.add_job("backups", ARCHIVE_RETRIEVAL, part(archive), job_id=name, **more)
        listed, fields = inventory(vault, self.state, self.dialect, form="JSON")
        self.state.add_job("backups", INVENTORY_RETRIEVAL, listed, job_id="inventory", fields=fields)
        self.server = Server(self.state, dialect=self.dialect, credentials={"id": "key"}, clock=time.time)

    @property
    def vault(self) -> str:
        """The PLACE of the vault."""
        return f"{self.server.url}/-/backups"

    def job(self, name: str) -> str:
        """Return the PLACE of a job."""
        return f"{self.vault}/{name}"

    def words(self, command: str, *arguments: object) -> list[str]:
        """Return the arguments of casfs."""
        options = [] if command == "treehash" else ["--provider", self.provider]
        return [command, *options, *map(str, arguments)]

    @property
    def env(self) -> dict[str, str]:
        """The environment of the commands."""
        env = environment(self.home)
        del env["CASFS_LOG_FILE"]
        return env | self.more

    def run(self, command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return casfs(*self.words(command, *arguments), env=self.env)

    def right(self, command: str, *arguments: object) -> list[str]:
        """Return the lines of a command that does all that it was asked for."""
        done = self.run(command, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    def objects(self, command: str, *arguments: object) -> list[dict[str, Any]]:
        """Return what a command that does all of it says in JSON."""
        return [json.loads(line) for line in self.right(command, "--json", *arguments)]

    @contextmanager
    def running(self, command: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
        """Run a command for the time of the block."""
        words = [sys.executable, "-m", "casfs", *self.words(command, *arguments)]
        pipe = subprocess.PIPE
        with subprocess.Popen(words, env=self.env, stdout=pipe, stderr=pipe, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def asked(self, operation: str) -> int:
        """Return how many requests of a kind there were."""
        return sum(record.operation == operation for record in self.server.journal.records())


def one_failure(done: subprocess.CompletedProcess[str], *said: str, lines: Sequence[str] = ()) -> None:
    """Check that a command failed in one thing, said so in one line, and did the rest."""
    assert (done.returncode, done.stdout.splitlines()) == (1, list(lines)), done.stderr
    assert done.stderr.startswith("casfs: ")
    assert done.stderr.count("\n") == 1
    for words in said:
        assert words in done.stderr
