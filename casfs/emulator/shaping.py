"""Makes a loopback socket as slow as a link: a delay before the first byte, and bytes per second per connection."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

TURN_S = 0.008
"""How long the bytes of one send take. Short enough for a reader to see a flow and not bursts, a quarter of a first
byte's 30 ms; long against the 60 µs that a sleep of Linux is late. Each send is due by the sum of all before it, so
that lateness never adds up. With 4 ms the emulator took 0.37 s a GB of the processors that it shares with what it
measures, with 8 ms 0.33, and what is not bound by them, aria2c, was served as fast. Source: measured 2026-11-20."""
SEND_LIMIT = 1 << 20
"""Most bytes in one paced send, and the most that a fast link may catch up on at once."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """How slow the service is.

    Attributes:
        first_byte_s: from the end of a request to the first byte of its answer.
        bytes_per_s: of each connection; None is as fast as the machine.
    """

    first_byte_s: float = 0.0
    bytes_per_s: float | None = None


class Pacer:
    """Holds one connection to its speed.

    Threads: belongs to the connection's own.
    """

    def __init__(self, wait: Callable[[float], object], clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with a link that is free.

        Args:
            wait: passes that many seconds, or fewer if the server stops.
            clock: monotonic seconds.
        """
        self._wait = wait
        self._clock = clock
        self._free_at_s = clock()

    def turns(self, pieces: Sequence[memoryview], bytes_per_s: float) -> Iterator[memoryview]:
        """Yield the bytes of *pieces* in small turns, each no sooner than its last byte would have come."""
        turn = max(1, min(SEND_LIMIT, int(bytes_per_s * TURN_S)))
        for piece in pieces:
            for at in range(0, len(piece), turn):
                view = piece[at : at + turn]
                self._pass(len(view) / bytes_per_s)
                yield view

    def _pass(self, seconds: float) -> None:
        now = self._clock()
        self._free_at_s = max(self._free_at_s, now - TURN_S) + seconds
        if self._free_at_s > now:
            self._wait(self._free_at_s - now)
