"""Any sequence of opens, reads and closes, in tiny memory and with any fault, against plain bytes."""

import threading
from dataclasses import dataclass

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from casfs.data.outputs import Outputs
from casfs.data.reader import Reader
from casfs.data.settings import Verify
from casfs.errors import CasfsError, ServiceError, ThrottledError, TransferError
from casfs.models import Output
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings, tree_hash

DATA = {"a": sample(9 * MIB + 5, seed=1), "b": sample(3 * MIB, seed=99), "c": b"short", "d": b""}
OUTPUTS = [
    *(archive(data, job) for job, data in DATA.items()),
    Output("vault", "b", None, tree_hash(DATA["b"]), is_inventory=False),
    Output("vault", "c", 77, None, is_inventory=True),
]
FAULTS = ("ok", "ok", "ok", "fail", "throttle", "reset", "flip")


@dataclass(frozen=True)
class Open:
    """Open one of the outputs."""

    output: Output


@dataclass(frozen=True)
class Close:
    """Close one of the open readers."""

    reader: int


@dataclass(frozen=True)
class Read:
    """Read from one of the open readers: where the last read ended, or anywhere."""

    reader: int
    offset: int | None
    length: int


offsets = st.none() | st.integers(0, 10 * MIB) | st.integers(0, 9).map(lambda block: block * MIB)
lengths = st.integers(0, 4 * MIB) | st.sampled_from([4096, MIB // 8, MIB])
steps = st.lists(
    st.builds(Open, st.sampled_from(OUTPUTS))
    | st.builds(Close, st.integers(0, 9))
    | st.builds(Read, st.integers(0, 9), offsets, lengths)
    | st.builds(Read, st.integers(0, 9), st.none(), lengths),
    max_size=25,
)


class Faults:
    """What each request meets, in the order in which they come; then nothing."""

    def __init__(self, plan: list[str]) -> None:
        self._plan = plan
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> bytes | None:
        with self._lock:
            fault = self._plan.pop() if self._plan else "ok"
        match fault:
            case "fail":
                raise ServiceError("500")
            case "throttle":
                raise ThrottledError("slow down")
            case "reset":
                raise TransferError("reset")
            case "flip":
                whole = DATA[request.job]
                part = bytearray(whole[request.start : request.start + request.length])
                part[len(part) // 2 :] = bytes(255 - byte for byte in part[len(part) // 2 :])
                return bytes(part)
        return None


class Model:
    """Readers and, beside each, the plain bytes that it must agree with."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._open: list[tuple[Reader, bytes]] = []
        self._ends: dict[int, int] = {}

    def step(self, step: Open | Close | Read) -> None:
        if isinstance(step, Open):
            self._open.append((self._outputs.open(step.output), DATA[step.output.job]))
        elif self._open:
            reader, data = self._open[step.reader % len(self._open)]
            if isinstance(step, Close):
                reader.close()
                self._open.remove((reader, data))
            else:
                self._read(reader, data, step)

    def _read(self, reader: Reader, data: bytes, step: Read) -> None:
        offset = self._ends.get(id(reader), 0) if step.offset is None else step.offset
        assert read(reader, offset, step.length) == data[offset : offset + step.length]
        self._ends[id(reader)] = offset + step.length


@dataclass(frozen=True)
class Case:
    """One mount, and what goes wrong with its requests."""

    plan: list[str]
    cache: int
    connections: int
    read_ahead: int
    hashes: bool
    verify: Verify

    @property
    def faults(self) -> list[str]:
        """The faults that can be told: without a hash nobody sees that a bit was flipped."""
        can_check = self.hashes and self.verify is not Verify.OFF
        return [fault if can_check or fault != "flip" else "ok" for fault in self.plan]


cases = st.builds(
    Case,
    plan=st.lists(st.sampled_from(FAULTS), max_size=12),
    cache=st.integers(1, 9),
    connections=st.integers(1, 5),
    read_ahead=st.sampled_from([0, 1, 4, 64]),
    hashes=st.booleans(),
    verify=st.sampled_from([Verify.AUTO, Verify.OFF]),
)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps, case=cases)
def test_every_read_is_the_right_bytes_or_an_error_and_without_faults_no_error(
    steps: list[Open | Close | Read], case: Case
) -> None:
    service = Service(dict(DATA), hashes=case.hashes, act=Faults(case.faults))
    with mounted(service, settings(case.cache, case.connections, case.read_ahead, case.verify)) as outputs:
        model = Model(outputs)
        for step in steps:
            try:
                model.step(step)
            except CasfsError:
                if set(case.faults) <= {"ok"}:
                    raise
        assert service.most_in_flight <= case.connections
        assert len(outputs._monitor._cache) <= case.cache
