"""What a mount is at, for whoever looks at it: more than ``user.cas.stats`` has, and nothing that anybody waits for."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casfs.iso_time import iso_utc
from casfs.models import Output
from casfs.stats import BOUNDS_S, Exchanges, Times

LIST_BYTES = 12 * 1024
"""What each of the two lists takes at most, so that all of it is well below what the kernel lets an attribute have.
Source: Linux, XATTR_SIZE_MAX: 64 KiB."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An open file.

    Attributes:
        output: what it is of.
        size: bytes of that, None where nobody knows.
        position: where its reader stands.
        read_s: when it was read last, in monotonic seconds; None where nobody knows.
    """

    output: Output
    size: int | None
    position: int
    read_s: float | None


def activity_line(
    exchanges: Exchanges,
    opened: Iterable[Reading],
    expiring: Iterable[Output] | None,
    disk_bytes: int | None,
    now_s: float,
) -> str:
    """Return what a mount is at, as one line of ASCII JSON.

    Args:
        exchanges: how long requests and reads took.
        opened: the files that are open.
        expiring: outputs that expire next; None where nobody has looked yet.
        disk_bytes: what the cache on disk has taken of its bound; None where there is none, or nobody has looked yet.
        now_s: monotonic seconds.
    """
    reading = _by_output(opened, now_s)
    told = {
        "bounds_s": BOUNDS_S,
        "reads": _times(exchanges.reads),
        "requests": _times(exchanges.requests),
        "disk_bytes": disk_bytes,
        "open_outputs": len(reading),
        "reading": _fitting(reading),
        "expiring": None if expiring is None else _fitting(map(_expiring, expiring)),
    }
    return json.dumps(told, separators=(",", ":"))


def _times(times: Mapping[str, Times]) -> dict[str, dict[str, object]]:
    return {name: {"counts": each.counts, "sum_s": round(each.sum_s, 6)} for name, each in times.items()}


def _by_output(opened: Iterable[Reading], now_s: float) -> list[dict[str, object]]:
    """Return a row for each output, those that were read last first; where several read it, the last one's position."""
    readings: dict[tuple[str, str], list[Reading]] = {}
    for one in sorted(opened, key=lambda one: -1.0 if one.read_s is None else one.read_s, reverse=True):
        readings.setdefault((one.output.vault, one.output.job), []).append(one)
    return [_reading(each[0], len(each), now_s) for each in readings.values()]


def _reading(latest: Reading, readers: int, now_s: float) -> dict[str, object]:
    return {
        "vault": latest.output.vault,
        "job": latest.output.job,
        "size": latest.size,
        "position": latest.position,
        "readers": readers,
        "idle_s": None if latest.read_s is None else round(max(0.0, now_s - latest.read_s), 3),
    }


def _expiring(output: Output) -> dict[str, object]:
    expires = None if output.expires_ns is None else iso_utc(output.expires_ns)
    return {"vault": output.vault, "job": output.job, "size": output.size, "expires": expires}


def _fitting(rows: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """Return as many of *rows*, from the first on, as have room."""
    found, left = list[dict[str, object]](), LIST_BYTES
    for row in rows:
        left -= len(json.dumps(row))
        if left < 0:
            break
        found.append(row)
    return found
