"""A link that delays packets and brings them out of order, where the kernel has no netem: a TUN device and a thread."""

import fcntl
import heapq
import os
import random
import select
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.network.namespace import run

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
HERE, THERE = "10.9.0.1", "10.9.0.2"
"""Who listens at HERE is reached at THERE."""


class Relay:
    """Sends every packet back with its two addresses exchanged, which no checksum notices.

    Attributes:
        overtaken: packets that came out before one that had gone in earlier.

    Args:
        delay_s: each packet is under way for half of this to one and a half.
    """

    def __init__(self, delay_s: float) -> None:
        self.overtaken = 0
        self._delay_s = delay_s
        self._chance = random.Random(1)
        self._under_way: list[tuple[float, int, bytes]] = []
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be the way from HERE to THERE, in the network of this thread."""
        tun = os.open("/dev/net/tun", os.O_RDWR)
        try:
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"relay", IFF_TUN | IFF_NO_PI))
            run("ip", "addr", "add", f"{HERE}/24", "dev", "relay")
            run("ip", "link", "set", "relay", "up")
            thread = threading.Thread(target=self._relay, args=(tun,))
            thread.start()
            yield
            self._stopping.set()
            thread.join(60)
        finally:
            self._stopping.set()
            os.close(tun)

    def _relay(self, tun: int) -> None:
        number, last = 0, 0
        while not self._stopping.is_set():
            if select.select([tun], [], [], self._next_s())[0]:
                packet = os.read(tun, 65536)
                if packet[0] >> 4 == 4:
                    number += 1
                    due_s = time.monotonic() + self._delay_s * self._chance.uniform(0.5, 1.5)
                    heapq.heappush(self._under_way, (due_s, number, packet))
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, came, packet = heapq.heappop(self._under_way)
                self.overtaken += came < last
                last = max(last, came)
                os.write(tun, packet[:12] + packet[16:20] + packet[12:16] + packet[20:])

    def _next_s(self) -> float:
        return max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else 0.1
