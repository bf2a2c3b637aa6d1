"""The service in a process of its own: one URL a shape, and what it has sent so far."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import casfs
from plan import Plan, Shape

COUNTED_S = 0.05
"""The service counts a piece once it is sent, so a reader can have the last one a moment before it counts."""
HERE = Path(__file__).resolve().parent
CERTIFICATE = HERE / "certificate.pem"  # and its key
CREDENTIALS = {"AKIDbench": "not-a-secret"}


@dataclass(frozen=True)
class Faces:
    """Where one shape of the service is: as CAS, as a web server, as S3."""

    cas_url: str
    plain_url: str
    s3_url: str


@dataclass(frozen=True)
class Counters:
    """What the service has sent since it was asked before.

    Attributes:
        requests: requests answered.
        sent_bytes: bytes sent, heads included.
        most_in_flight: the most requests that were being answered at one time.
    """

    requests: int
    sent_bytes: int
    most_in_flight: int


class Service:
    """Speaks to the service process over its standard input and output, one line each way."""

    def __init__(self, to: IO[str], said: IO[str]) -> None:
        self._to = to
        self._said = said
        self._urls: dict[str, str] = json.loads(self._line())

    def faces(self, shape: Shape) -> Faces:
        """Say where the service answers in this shape."""
        url = self._urls[shape.name]
        return Faces(url, f"{url}/plain", f"{url}/s3")

    def counters(self) -> Counters:
        """Give what was sent since the last call, and start anew."""
        time.sleep(COUNTED_S)
        self._to.write("counters\n")
        self._to.flush()
        return Counters(**json.loads(self._line()))

    def _line(self) -> str:
        line = self._said.readline()
        if not line:
            raise RuntimeError("the service ended; what it said is above")
        return line


@contextmanager
def serving(plan: Plan) -> Iterator[Service]:
    """Start the service with the outputs of a plan; it ends with the block, or with this process."""
    command = [sys.executable, str(HERE / "serve.py"), json.dumps(asdict(plan))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment()) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the service has no pipes")
        yield Service(process.stdin, process.stdout)


def environment() -> dict[str, str]:
    """Give the environment in which programs find the casfs that this one found, credentials, and whom to trust."""
    secret_id, secret_key = next(iter(CREDENTIALS.items()))
    secrets = {"CASFS_SECRET_ID": secret_id, "CASFS_SECRET_KEY": secret_key}
    found = os.pathsep.join([str(HERE), str(Path(casfs.__file__).resolve().parents[1])])
    trust = dict.fromkeys(["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"], str(CERTIFICATE))
    return {**os.environ, **secrets, **trust, "PYTHONPATH": found, "PYTHONSAFEPATH": "1"}
