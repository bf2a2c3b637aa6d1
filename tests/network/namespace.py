"""A network of the test's own: nothing outside of it is touched, and the kernel takes it away with its last process."""

import contextlib
import ctypes
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNET = 0x40000000
PROGRAMS = ("ip", "tc", "nft")
RULES = """
table inet casfs {
    chain input { type filter hook input priority 0; }
}
"""
"""Every packet passes here, since both ends are in the one namespace."""
ESTABLISHED, LISTENING = "01", "0A"
"""States of a socket, as /proc/net/tcp has them."""

_libc = ctypes.CDLL(None, use_errno=True)


def why_none() -> str | None:
    """Return what this machine lacks to make such a network, or None."""
    if os.geteuid():
        return "only root makes a network of its own"
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        return f"not installed: {', '.join(missing)}"
    try:
        with own_network():
            lose_packets(5)
            limit_rate("20mbit")
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network of its own here: {error}"
    return None


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """Put this thread, and whatever it starts, into a new network that has a loopback device only.

    Packets have the size that they have on Ethernet: those of a real loopback device are forty times as large.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    _check(_libc.unshare(CLONE_NEWNET))
    try:
        run("ip", "link", "set", "lo", "up", "mtu", "1500", "gso_max_segs", "1")
        run("nft", "-f", "-", given=RULES)
        yield
    finally:
        _check(_libc.setns(before, CLONE_NEWNET))
        os.close(before)


def run(*command: str, given: str = "") -> str:
    """Run a program to its end, and return what it says."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def lose_packets(percent: int) -> None:
    """Lose so many of the packets, by chance."""
    run("nft", "add", "rule", "inet", "casfs", "input", f"numgen random mod 100 < {percent} counter drop")


def lost_packets() -> int:
    """Return how many packets the rules of this network have taken away."""
    return sum(map(int, re.findall(r"packets (\d+)", run("nft", "list", "ruleset"))))


def limit_rate(rate: str) -> None:
    """Let no more pass than *rate*, in the words of tc."""
    run("tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", rate, "burst", "64k", "latency", "100ms")


@contextlib.contextmanager
def pulled_cable() -> Iterator[None]:
    """Let nothing pass, and nobody know."""
    run("nft", "add", "rule", "inet", "casfs", "input", "counter drop")
    yield
    run("nft", "flush", "chain", "inet", "casfs", "input")


def forget_connections() -> int:
    """Let nothing more pass over the connections that there are, and return how many these are: new ones are fine."""
    sockets = [line.split() for line in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]]
    listening = {_port(fields[1]) for fields in sockets if fields[3] == LISTENING}
    clients = {_port(fields[1]) for fields in sockets if fields[3] == ESTABLISHED} - listening
    for side in ("sport", "dport"):
        ports = ", ".join(map(str, clients))
        run("nft", "add", "rule", "inet", "casfs", "input", f"tcp {side} {{ {ports} }} counter drop")
    return len(clients)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _check(failed: int) -> None:
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
