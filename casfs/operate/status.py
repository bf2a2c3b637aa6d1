"""How a mount is, in one line: what ``systemctl status`` shows. Nobody is asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
NS_PER_S = 10**9


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of the tree.

    Attributes:
        vaults: how many.
        next_expiry_ns: when the next output expires, None where none is known to.
    """

    vaults: int
    next_expiry_ns: int | None


def status_line(names: Names, opened: int, figures: Mapping[str, object], now_ns: int) -> str:
    """Return the line.

    Args:
        names: what is known of the tree.
        opened: how many outputs are open.
        figures: those of ``Stats.snapshot``.
        now_ns: Unix time.
    """
    hits, misses = figures["cache_hits"], figures["cache_misses"]
    parts = [
        _counted(names.vaults, "vault"),
        f"{_counted(opened, 'output')} open",
        _hit_rate(hits if isinstance(hits, int) else 0, misses if isinstance(misses, int) else 0),
        f"{figures['in_flight']} in flight",
        _expiry(names.next_expiry_ns, now_ns),
    ]
    return ", ".join(parts)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _hit_rate(hits: int, misses: int) -> str:
    return f"{hits * 100 // (hits + misses)} % of blocks from memory" if hits + misses else "nothing read yet"


def _expiry(next_ns: int | None, now_ns: int) -> str:
    if next_ns is None:
        return "no expiry known"
    minutes = max(0, next_ns - now_ns) // NS_PER_S // MINUTE_S
    hours, minutes = divmod(minutes, HOUR_S // MINUTE_S)
    return f"next expiry in {hours} h {minutes:02d} min"
