"""A file over bytes in memory, which does as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field

from casfs.data.outputs import Outputs
from casfs.errors import CasfsError
from casfs.file import File
from casfs.models import Verification, VerificationState
from tests.data.service import MIB, archive, sample

DATA = sample(5 * MIB + 77)


@dataclass
class InMemory:
    """A reader of bytes.

    Attributes:
        act: called with the offset of each read; may raise.
        wrong: what ``check`` finds, if anything.
        lengths: what was asked for.
    """

    data: bytes
    act: Callable[[int], None] = lambda _offset: None
    wrong: CasfsError | None = None
    lengths: list[int] = field(default_factory=list)
    is_closed: bool = False

    @property
    def size(self) -> int:
        return len(self.data)

    def read_into(self, offset: int, into: memoryview, /) -> int:
        self.act(offset)
        self.lengths.append(len(into))
        found = self.data[offset : offset + len(into)]
        into[: len(found)] = found
        return len(found)

    def check(self) -> None:
        if self.wrong is not None:
            raise self.wrong

    def close(self) -> None:
        self.is_closed = True


def unknown() -> Verification:
    return Verification(VerificationState.UNAVAILABLE, 0, 1)


def opened(reader: InMemory) -> File:
    return File("vault/job/output", lambda: reader, unknown)


def file_of(data: bytes) -> File:
    return opened(InMemory(data))


def made(outputs: Outputs) -> File:
    return File("vault/job/output", lambda: outputs.open(archive(DATA)), unknown)
