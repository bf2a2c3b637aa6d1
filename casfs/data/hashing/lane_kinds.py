"""Kinds of lanes: each takes some messages of one length in step, by other instructions of the processor.

Those beside ``hashlib`` are what ``compiled/`` was compiled to, where there was a C compiler when casfs was installed.
None is used before it gave what ``hashlib`` gives.
"""

import ctypes
import functools
import hashlib
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casfs.copying import address
from casfs.data.hashing import treehash
from casfs.data.hashing.leaves import DIGEST_SIZE

WIDEST = 16
"""Messages that any kind takes at most."""

SAMPLE_SIZE = 32 << 10
"""Bytes of the longest sample: what is lost around a call counts for little, and all are hashed in a millisecond."""

_APART = 4 << 10
"""Samples begin at pages, as blocks do: so they compete for the same places of the processor's cache."""

_LENGTHS = (1, 55, 56, 64, 119, 120, 4095, SAMPLE_SIZE)
"""Around each step of the padding (FIPS 180-4, section 5.1.1), and many chunks."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lanes:
    """One kind of lanes.

    Attributes:
        name: of the instructions.
        width: messages that are taken in step, at most.
        digests: returns the SHA-256 of each message of some, *width* at most, of one length, not empty; they are
            writable and contiguous. Lets other threads run.
    """

    name: str
    width: int
    digests: Callable[[Sequence[memoryview]], list[bytes]]


def one_by_one(messages: Sequence[memoryview]) -> list[bytes]:
    """Return the SHA-256 of each message, by ``hashlib``."""
    return [treehash.leaf(message) for message in messages]


HASHLIB = Lanes("hashlib", 1, one_by_one)
"""What is always there."""


def compiled(library: Path) -> list[Lanes]:
    """Return the kinds of *library* that this processor has the instructions for; none where there is no such library.

    They were not compared with anything.
    """
    loaded = _load(library)
    return [] if loaded is None else list(_kinds(loaded))


def is_compiled(library: Path) -> bool:
    """Say whether *library* can be loaded and is one of lanes, for this processor or another."""
    return _load(library) is not None


def trusted(kinds: Iterable[Lanes]) -> Iterator[Lanes]:
    """Yield those of *kinds* that give the hashes that ``hashlib`` gives; the log names the others."""
    for kind in kinds:
        if _is_right(kind):
            yield kind
        else:
            _log.warning("%d lanes by %s gave a wrong hash and are not used", kind.width, kind.name)


@functools.cache
def samples() -> list[memoryview]:
    """Return WIDEST messages of SAMPLE_SIZE bytes, no two alike."""
    size = SAMPLE_SIZE + WIDEST * _APART
    whole = memoryview(bytearray(hashlib.shake_128(b"lanes").digest(size)))
    return [whole[at * _APART : at * _APART + SAMPLE_SIZE] for at in range(WIDEST)]


def _load(library: Path) -> ctypes.CDLL | None:
    try:
        loaded = ctypes.CDLL(str(library))
        loaded.lanes_name.restype = ctypes.c_char_p
        loaded.lanes_width.restype = ctypes.c_size_t
    except (OSError, AttributeError):
        return None
    return loaded


def _kinds(library: ctypes.CDLL) -> Iterator[Lanes]:
    for number in map(ctypes.c_size_t, itertools.count()):
        name = library.lanes_name(number)
        if name is None:
            return
        if library.lanes_work(number):
            in_step = functools.partial(_in_step, library.lanes_sha256, number)
            yield Lanes(name.decode(), library.lanes_width(number), in_step)


def _in_step(sha256: Callable[..., object], number: ctypes.c_size_t, messages: Sequence[memoryview]) -> list[bytes]:
    pointers = (ctypes.c_void_p * len(messages))(*map(address, messages))
    digests = ctypes.create_string_buffer(len(messages) * DIGEST_SIZE)
    sha256(number, pointers, ctypes.c_size_t(len(messages)), ctypes.c_size_t(len(messages[0])), digests)
    return [digests.raw[at : at + DIGEST_SIZE] for at in range(0, len(digests), DIGEST_SIZE)]


def _is_right(kind: Lanes) -> bool:
    full = [(kind.width, length) for length in _LENGTHS]
    fewer = [(count, 200) for count in range(1, kind.width)]
    some = [[sample[:length] for sample in samples()[:count]] for count, length in full + fewer]
    return all(kind.digests(messages) == one_by_one(messages) for messages in some)
