"""What is measured on what: the shapes of the link, the outputs in the vaults, and how much of each a run reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from casfs.emulator.content import Generated

MIB = 1 << 20


@dataclass(frozen=True)
class Shape:
    """How the service answers: seconds before the first byte, bytes per second on each connection (0: unbounded)."""

    name: str
    words: str
    first_byte_s: float
    bytes_per_s: int
    tls: bool = False


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("unshaped", "unshaped", 0.0, 0),
        Shape("tls", "unshaped, over TLS", 0.0, 0, tls=True),
        Shape("near", "30 ms, 60 MB/s a connection", 0.030, 60_000_000),
        Shape("far", "100 ms, 10 MB/s a connection", 0.100, 10_000_000),
        Shape("tls-near", "30 ms, 60 MB/s a connection, over TLS", 0.030, 60_000_000, tls=True),
        Shape("tls-far", "100 ms, 10 MB/s a connection, over TLS", 0.100, 10_000_000, tls=True),
    )
}


@dataclass(frozen=True)
class Plan:
    """How much one run reads.

    Attributes:
        rounds: times each program is measured, all of them in turn in each round.
        big_bytes: the output that is read in sequence, at random, and by eight.
        shared_bytes: the output that six read at once, and that is compared byte for byte first.
        small_outputs: outputs of 1 MiB that are copied.
        listed_outputs: outputs of 1 KiB that are only listed.
        random_reads: reads of 4 KiB.
    """

    rounds: int
    big_bytes: int
    shared_bytes: int
    small_outputs: int
    listed_outputs: int
    random_reads: int


TAIL = 123
"""Bytes past the last whole MiB. Archives have odd sizes; and httpdirfs 1.2.5 asks for the segment behind the one it
is in the second half of, and exits when the service says, as any would, that there is none: its last one is short."""

FULL = Plan(5, 512 * MIB + TAIL, 64 * MIB + TAIL, 1000, 2500, 200)
SHORT = Plan(1, 16 * MIB + TAIL, 8 * MIB + TAIL, 20, 30, 10)


@dataclass(frozen=True)
class Item:
    """One output: the vault and job that name it, and its size."""

    vault: str
    job: str
    size_bytes: int


def big(plan: Plan) -> Item:
    """Give the output that is read from end to end."""
    return Item("big", "big-1", plan.big_bytes)


def shared(plan: Plan) -> Item:
    """Give the output that several programs read at once."""
    return Item("shared", "shared-1", plan.shared_bytes)


def small(plan: Plan) -> list[Item]:
    """Give the outputs that are copied one after the other."""
    return [Item("small", f"small-{number:04}", MIB) for number in range(plan.small_outputs)]


def listed(plan: Plan) -> list[Item]:
    """Give the outputs that are only listed."""
    return [Item("listed", f"listed-{number:04}", 1024) for number in range(plan.listed_outputs)]


def items(plan: Plan) -> Iterator[Item]:
    """Give every output a run needs."""
    yield big(plan)
    yield shared(plan)
    yield from small(plan)
    yield from listed(plan)


def content(item: Item) -> Generated:
    """Give an output's bytes, which its name decides."""
    return Generated(item.size_bytes, int.from_bytes(item.job.encode()))
