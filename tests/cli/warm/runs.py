"""Runs of ``casfs warm``: what each came to, and what it asked for."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from casfs.emulator.server import Server
from tests.mounting import casfs, environment

MIB = 1 << 20
BYTES = {job: random.Random(job).randbytes(2 * MIB + 9) for job in ("later", "sooner", "last")}
LIVES_S = {"later": 7200.0, "sooner": 3600.0, "last": 80_000.0}
SIZE = 2 * MIB + 9


@dataclass(frozen=True)
class Done:
    """What a run of the command came to."""

    status: int
    objects: dict[str, dict[str, object]]
    errors: list[str]


def run(home: Path, *arguments: object, **more: str) -> Done:
    done = casfs("warm", "--json", *arguments, env=environment(home, **more))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return Done(
        done.returncode,
        {one["job"] or one.get("path") or one["place"]: one for one in found},
        [line for line in done.stderr.splitlines() if "in memory (tmpfs)" not in line],
    )


def downloads(server: Server) -> list[str | None]:
    """Return of which jobs an output, or a part of one, was asked for."""
    return [request.job for request in server.requests if request.operation == "get_job_output"]


def first_asked(server: Server) -> list[str | None]:
    return list(dict.fromkeys(downloads(server)))
