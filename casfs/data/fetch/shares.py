"""Who holds the connections: no output all of them, and outputs that stall, together, never the last ones."""

from collections import Counter

from casfs.data.content import Content
from casfs.data.fetch.flight import Flight, State
from casfs.waiting import Clock

STALL_S = 2.0
"""After how long without progress a flight stalls: first bytes come within a second, even from afar, and who waits
behind one that does not come waits no longer than this."""

PROGRESS_BYTES = 4 << 10
"""What must come within that time, so that a drip is a stall too: the rate below which an attempt is given up."""

RESERVED_SHARE = 1 / 4
"""Share of the connections that flights of outputs which stall leave to the others, one at least."""

MAX_UNSHARED_CONNECTIONS = 16
"""Connections of which one output may have all until it stalls: one that it leaves would be a good part of its speed.
Of more than these it leaves one to the others from the beginning, and its prefetch one more to its own reads."""

MAX_STALLING_OUTPUTS = 1024
"""Outputs of which is remembered that they stall."""


class Shares:
    """What of the connections each output has.

    An output stalls from when one of its flights brought nothing for STALL_S until one of its flights brings something.

    Args:
        connections: how many there are.
        clock: monotonic seconds.

    Threads: none of its own; the caller locks, but for what says otherwise.
    """

    def __init__(self, connections: int, clock: Clock) -> None:
        self._max_per_output = connections - 1 if connections > MAX_UNSHARED_CONNECTIONS else connections
        self._max_ahead_per_output = max(1, self._max_per_output - 1)
        self._max_stalling = connections - max(1, int(connections * RESERVED_SHARE))
        self._clock = clock
        self._held: Counter[Content] = Counter()
        self._yielding = 0
        self._given_up = 0
        self._stalling: dict[Content, int] = {}

    def is_stalling(self, content: Content) -> bool:
        """Say whether *content* stalls. Threads: any, without the lock."""
        return content in self._stalling

    def may_send(self, flight: Flight) -> bool:
        """Say whether the output of *flight* may have one more connection."""
        if self.is_stalling(flight.content):
            return self._held_stalling() < max(1, self._max_stalling)
        return self._held[flight.content] < (self._max_per_output if flight.readers else self._max_ahead_per_output)

    def sent(self, flight: Flight) -> None:
        """Count a connection that *flight* has from now on."""
        self._held[flight.content] += 1
        self._given_up = max(0, self._given_up - 1)
        flight.progress_s, flight.progress_bytes = self._clock(), 0

    def ended(self, flight: Flight) -> None:
        """Count the connection of *flight* no more."""
        if flight.state is State.YIELDING:
            self._yielding -= 1
            self._given_up += 1
        self._held[flight.content] -= 1
        if not self._held[flight.content]:
            del self._held[flight.content]

    def is_slow(self, flight: Flight) -> bool:
        """Say whether *flight* has brought nothing for too long. Threads: any, without the lock.

        Each time that its output had to yield doubles its patience: of two outputs on one connection, both slow to
        begin, each has its turn at last.
        """
        patience_s = STALL_S * (1 << min(self.yields(flight.content), 10))
        return self._clock() - flight.progress_s >= patience_s

    def yields(self, content: Content) -> int:
        """Return how often *content* had to yield since it stalls. Threads: any, without the lock."""
        return self._stalling.get(content, 0)

    def progressed(self, flight: Flight, count: int) -> bool:
        """Note that *count* bytes came; return whether they are progress. Threads: that of the flight, no lock."""
        flight.progress_bytes += count
        if flight.progress_bytes < PROGRESS_BYTES:
            return False
        flight.progress_bytes = 0
        flight.progress_s = self._clock()
        return True

    def stalls(self, content: Content) -> None:
        """Note that *content* stalls."""
        self._stalling.setdefault(content, 0)
        if len(self._stalling) > MAX_STALLING_OUTPUTS:
            del self._stalling[next(iter(self._stalling))]

    def recovered(self, content: Content) -> None:
        """Note that *content* does not stall."""
        self._stalling.pop(content, None)

    def must_yield(self, flight: Flight, waiting: int, *, is_short: bool) -> bool:
        """Decide whether *flight*, which is slow, gives its connection up.

        Args:
            flight: whose output stalls.
            waiting: flights of outputs that do not stall, and that could be sent.
            is_short: whether what they lack is memory.
        """
        is_within = self._held_stalling() - self._yielding <= self._max_stalling
        given_way = self._yielding + (0 if is_short else self._given_up)  # until what waits is sent, it waits still
        if (is_within and not is_short) or given_way >= waiting:
            return False
        self._yielding += 1
        flight.enter(State.YIELDING)
        self._stalling[flight.content] = self.yields(flight.content) + 1
        return True

    def _held_stalling(self) -> int:
        return sum(held for content, held in self._held.items() if content in self._stalling)
