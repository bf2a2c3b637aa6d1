"""Ports that nobody has, and that nobody takes meanwhile: many tests run side by side, and each takes ports."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Return a port for a program that is not told any: one that the kernel gives to nobody who asks for any port."""
    given = range(*map(int, RANGE.read_text().split()))
    ports = [port for port in range(10_000, 1 << 16) if port not in given] or list(given)
    for port in random.SystemRandom().sample(ports, min(100, len(ports))):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("all ports that were tried are taken")


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port that refuses whoever connects: it is held for the time of the block, and not listened at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
