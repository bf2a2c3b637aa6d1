"""Vaults to be drained, and the real command that drains them in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casfs.emulator.content import InMemory, read
from casfs.emulator.jobs import Archive
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.data.service import sample
from tests.mounting import COMMAND_LIMIT_S, environment
from tests.providers import DIALECTS, state_of

VAULT = "backups"
SECRET = "swordfish-of-the-drain"
JOB_S = 0.2
"""How long a job takes."""


def vault_of(provider: str, descriptions: Iterable[str], size: int = 3000) -> State:
    """Return an account with a vault of archives, each of its own bytes."""
    state = state_of(provider)
    state.job_takes_s = JOB_S
    state.add_vault(VAULT, inventory_s=state.clock())
    for number, description in enumerate(descriptions):
        state.add_archive(VAULT, InMemory(bytes([number % 256]) + sample(size + number)), description)
    return state


def archives_of(state: State) -> Mapping[str, Archive]:
    vault = state.vault(VAULT)
    assert vault is not None
    return vault.archives


@dataclass
class Vault:
    """A service with a vault, and where it is to go.

    Attributes:
        provider: whose service it is.
        server: that has it.
        state: what it holds.
        folder: for the destination, the home and the ledger.
    """

    provider: str
    server: Server
    state: State
    folder: Path

    @property
    def out(self) -> Path:
        """The destination."""
        return self.folder / "out"

    @property
    def ledger(self) -> Path:
        """The ledger of the runs that are not told of another one."""
        return self.folder / "ledger"

    @property
    def place(self) -> str:
        """Its VAULT_PLACE."""
        return f"{self.server.url}/-/{VAULT}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program that has keys."""
        return environment(self.folder, "id", SECRET)

    def command(self, *options: object, yes: bool = True, to: str | None = None) -> list[str]:
        """Return the command that drains it, to another destination if one is named."""
        told = ["--provider", self.provider, "--ledger", self.ledger, "--poll", 0.1, *options]
        return [
            sys.executable,
            "-m",
            "casfs",
            "drain",
            *map(str, told),
            *["--yes"] * yes,
            self.place,
            to or str(self.out),
        ]

    def drain(self, *options: object, yes: bool = True, to: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        command = self.command(*options, yes=yes, to=to)
        return subprocess.run(
            command, env=self.env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def running(self, *options: object, to: str | None = None) -> Iterator[subprocess.Popen[str]]:
        """Run the command for the time of a block; it is killed at the end, if it runs still."""
        with subprocess.Popen(
            self.command(*options, to=to), env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.kill(process.pid, signal.SIGKILL)

    def status(self) -> dict[str, Any]:
        """Return what the ledger tells; nothing where there is none that could."""
        command = [sys.executable, "-m", "casfs", "drain", "status", "--json", str(self.ledger)]
        told = subprocess.run(
            command, env=self.env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
        )  # fmt: skip
        found: dict[str, Any] = json.loads(told.stdout or "{}")
        return found

    def requests(self, operation: str) -> int:
        """Return how many requests of a kind there were."""
        return sum(record.operation == operation for record in self.server.requests)

    def retrievals(self) -> int:
        """Return how many archives were asked for, be it twice."""
        vault = self.state.vault(VAULT)
        assert vault is not None
        return sum(job.action == "ArchiveRetrieval" for job in vault.jobs.values())

    def manifest(self) -> list[dict[str, Any]]:
        """Return the lines of the manifest."""
        return [json.loads(line) for line in (self.out / "MANIFEST.jsonl").read_text("utf-8").splitlines()]

    def files(self) -> set[str]:
        """Return the paths of the files in the destination."""
        return {str(path.relative_to(self.out)) for path in self.out.rglob("*") if path.is_file()}

    def check(self, count: int | None = None) -> None:
        """Check that the destination has what the manifest tells, which is of *count* archives, of all if None."""
        told, archives = self.manifest(), archives_of(self.state)
        assert len(told) == (len(archives) if count is None else count)
        assert self.files() == {line["path"] for line in told} | {"MANIFEST.jsonl"}
        for line in told:
            archive = archives[line["archive_id"]]
            data = (self.out / line["path"]).read_bytes()
            assert data == read(archive.content)
            assert (line["size"], line["tree_hash"], line["description"]) == (
                len(data),
                archive.tree.root,
                archive.description,
            )


@contextmanager
def serving(state: State, provider: str, folder: Path, **more: Any) -> Iterator[Vault]:
    """Serve *state* for the time of a block."""
    with Server(state, dialect=more.pop("dialect", DIALECTS[provider]), credentials={"id": SECRET}, **more) as server:
        yield Vault(provider, server, state, folder)
