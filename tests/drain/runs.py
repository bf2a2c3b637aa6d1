"""``casfs drain`` as a process: begun, ended, killed; and whether what it left is what the vault has."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from casfs.emulator.content import read
from casfs.emulator.jobs import Archive
from casfs.emulator.rows import date
from tests.drain.services import KEYS, Served
from tests.emulator.client import tree_hash
from tests.mounting import environment

LIMIT_S = 200.0
"""More than any run of a test may take, on a very busy machine."""
WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Drain:
    """A vault on its way into a folder.

    Attributes:
        served: the vault.
        home: a folder of the test's own, with everything else below it.
    """

    served: Served
    home: Path

    @property
    def destination(self) -> Path:
        """Where archives go: so deep that what leads out of it is still in the test's own folder."""
        return self.home / "a/b/c/d/destination"

    @property
    def ledger(self) -> Path:
        """What was done."""
        return self.home / "state" / "ledger"

    @property
    def log(self) -> Path:
        """What was logged, as much as there is."""
        return self.home / "log"

    def command(self, *options: object) -> list[str]:
        """Return the command line, with *options* besides the usual ones."""
        usual = ("--yes", "--poll", "0.05", "--provider", self.served.provider, "--ledger", self.ledger)
        logged = ("--log-level", "debug", "--log-file", self.log)
        where = (self.served.place, self.destination)
        return [sys.executable, "-m", "casfs", "drain", *map(str, (*usual, *logged, *options, *where))]

    @property
    def environment(self) -> Mapping[str, str]:
        """What it is told besides."""
        return environment(self.home, *KEYS)

    def start(self, *options: object) -> subprocess.Popen[str]:
        """Begin a run."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command(*options), env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *options: object) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        command, env = self.command(*options), self.environment
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)

    def succeed(self, *options: object) -> None:
        """Run it to its end, which must be a good one: all archives are there, and all of it is right."""
        done = self.run(*options)
        assert done.returncode == 0, done.stderr
        self.check(done.stdout + done.stderr)

    def check(self, output: str = "", *, missing: Collection[str] = ()) -> None:
        """Fail unless the destination has what the vault has, but for *missing*, and nothing else is anywhere."""
        lines = self.manifest()
        wanted = {id_: archive for id_, archive in self.served.archives.items() if id_ not in missing}
        assert sorted(line["archive_id"] for line in lines) == sorted(wanted)
        for line in lines:
            self._check_line(line, wanted[line["archive_id"]])
        paths = [line["path"] for line in lines]
        assert sorted(files(self.destination)) == sorted([*paths, "MANIFEST.jsonl"])
        assert len({path.casefold() for path in paths}) == len(paths)
        self.check_surroundings(output)

    def check_surroundings(self, output: str = "") -> None:
        """Fail if there is anything outside of the destination that need not be, or a secret anywhere."""
        known = re.compile(r"log(\..*)?|log-of-mounts|state/ledger([-.].*)?")
        outside = [path for path in files(self.home) if not path.startswith("a/b/c/d/destination/")]
        assert [path for path in outside if not known.fullmatch(path)] == []
        assert KEYS[1] not in output
        assert "log" in outside
        for path in outside:
            assert KEYS[1].encode() not in (self.home / path).read_bytes(), path

    def manifest(self) -> list[dict[str, str]]:
        """Return the lines of the manifest."""
        text = (self.destination / "MANIFEST.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def _check_line(self, line: Mapping[str, object], archive: Archive) -> None:
        data = (self.destination / str(line["path"])).read_bytes()
        assert data == read(archive.content)
        told = {"description": archive.description, "creation_date": date(archive.created_s)}
        told |= {"size": str(len(data)), "tree_hash": tree_hash(data), "hash_from": "inventory"}
        assert {**line, "size": str(line["size"])} == {**line, **told}
        assert str(line["job"]) in self.served.vault.jobs or not line["job"]
        check_path(str(line["path"]))


def check_path(path: str) -> None:
    """Fail unless *path* is a relative one that every usual file system takes as it is."""
    for name in path.split("/"):
        assert name not in ("", ".", "..")
        assert len(name.encode("utf-8", "strict")) <= 255
        assert not re.search(r'[\x00-\x1f\x7f\\:<>"|?*]', name), ascii(name)
        assert not WINDOWS.fullmatch(name)
        assert name[-1] not in ". "


def files(folder: Path) -> list[str]:
    """Return every file below *folder*, by its path from there."""
    found = []
    for where, _, names in os.walk(folder):
        found += [str(Path(where, name).relative_to(folder)) for name in names]
    return found
