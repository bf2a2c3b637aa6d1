"""Outputs whose bytes, or hashes, do not come as they should."""

from casfs.data.outputs import Outputs
from casfs.models import Output
from tests.data.service import MIB, Request, Service, read, sample, settings

DATA = sample(5 * MIB + 77)
OTHER = sample(len(DATA), seed=50)
SMALL = settings(cache=1)


def wrong(request: Request) -> bytes:
    return OTHER[request.start : request.start + request.length]


class Script:
    """What befalls the answers to requests for block 0, in order: ``wrong`` bytes, ``bare`` of their hash, or both."""

    def __init__(self, service: Service, *acts: str) -> None:
        self.acts = list(acts)
        self.now = ""
        service.act = self.act
        service.omits = self.omits

    def act(self, request: Request) -> bytes | None:
        self.now = self.acts.pop(0) if request.start == 0 and self.acts else ""
        return wrong(request) if "wrong" in self.now else None

    def omits(self, _request: Request) -> bool:
        return "bare" in self.now


def read_all(outputs: Outputs, output: Output) -> bytes:
    return read(outputs.open(output), 0, len(DATA))
