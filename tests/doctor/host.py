"""A host on which ``casfs doctor`` is run, and what it said there."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.mounting import COMMAND_LIMIT_S, environment

IS_ROOT = os.geteuid() == 0 and shutil.which("unshare") is not None
AS_ROOT = pytest.mark.skipif(not IS_ROOT, reason="root's alone: namespaces and other users")


@dataclass(frozen=True)
class Seen:
    """What a run printed, by the names of what was looked at."""

    status: int
    checks: dict[str, dict[str, str]]
    text: str

    def failed(self) -> str:
        return " | ".join(f"{check['name']}: {check['said']} -> {check['mending']}" for check in self.bad())

    def bad(self) -> list[dict[str, str]]:
        return [check for check in self.checks.values() if check["verdict"] == "fail"]


@dataclass
class Host:
    """A host on which casfs is run.

    Attributes:
        home: of the user.
        set_up: shell commands that break it, run as root in a mount namespace of its own; none for this host as it is.
        prefix: of the command.
        env: more variables.
    """

    home: Path
    set_up: str = ""
    prefix: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)

    def doctor(self, *arguments: object) -> Seen:
        command = [*self.prefix, sys.executable, "-m", "casfs", "doctor", "--json", *map(str, arguments)]
        if self.set_up:
            command = ["unshare", "-m", "sh", "-c", f'{self.set_up} && exec "$@"', "sh", *command]
        env = environment(self.home) | self.env
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False, cwd=ROOT
        )
        assert done.stderr == "", done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return Seen(done.returncode, {line["name"]: line for line in lines}, done.stdout)
