"""How long a drain takes, on how many hosts, and what it costs: arithmetic, for a vault that is too large to try.

python contrib/how_long.py --bytes 1P --archive 256M --link 10G --days 30
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casfs.drain import prices
from casfs.drain.plan import TIERS
from casfs.drain.waves import LIFE_S, MARGIN_S, MOST_UNDER_WAY

DAY_S = 86400.0
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}
PAGE = 10_000
"""Archives that one inventory job of CAS lists; the next one begins where it ends. Source: CAS, Initiate Job."""
INVENTORY_S = 4 * 3600.0
"""How long an inventory job takes: 3 to 5 hours. Source: CAS and Glacier, Initiate Job."""
ASKS_PER_S = 80.0
"""Jobs that a drain begins a second: 8 side by side, at 100 ms each."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is known, or assumed.

    Attributes:
        size: bytes in the vault.
        archive: bytes of an archive, on average.
        provider: ``cas`` or ``glacier``.
        region: whose prices count.
        tier: of the retrievals.
        daily: bytes that may be retrieved in 24 hours; None for no limit.
        link: bits a second of a host's link.
        share: of the link that arrives as bytes of archives.
        days: in which all is to be downloaded; None for the days of *hosts*.
        hosts: with a link each; None for as many as *days* need.
    """

    size: int
    archive: int
    provider: str
    region: str
    tier: str
    daily: int | None
    link: float
    share: float
    days: float | None
    hosts: int | None

    @property
    def jobs(self) -> int:
        """Retrievals: one for each archive."""
        return math.ceil(self.size / self.archive)

    @property
    def host_speed(self) -> float:
        """Bytes a second that a host downloads."""
        return self.link / 8 * self.share

    @property
    def needed(self) -> int:
        """Hosts that are needed, or there are."""
        if self.hosts is not None:
            return self.hosts
        return max(1, math.ceil(self.size / ((self.days or 30.0) * DAY_S * self.host_speed)))


def lines(case: Case) -> Iterator[str]:
    """Yield the arithmetic, a line each."""
    speed = case.needed * case.host_speed
    takes_s = TIERS[case.tier]
    pages = math.ceil(case.jobs / PAGE) if case.provider == "cas" else 1
    days = {
        "the inventory": pages * INVENTORY_S / DAY_S,
        "beginning the jobs": case.jobs / ASKS_PER_S / DAY_S,
        "the links": case.size / speed / DAY_S,
        "the jobs under way": case.jobs / MOST_UNDER_WAY * takes_s / DAY_S,
        "--daily": case.size / case.daily if case.daily else 0.0,
    }
    slowest = max((what for what in days if what != "the inventory"), key=lambda what: days[what])
    yield f"jobs: {case.jobs:,} retrievals, and {pages:,} of inventories, one after the other"
    yield f"hosts: {case.needed}, {case.host_speed / 1e6:,.0f} MB/s each, {speed / 1e6:,.0f} MB/s together"
    for what, each in days.items():
        yield f"days of {what}: {each:,.1f}" if each else f"days of {what}: no limit"
    whole = days["the inventory"] + takes_s / DAY_S + days[slowest]
    yield f"days in all: {whole:,.1f}: the inventory, the first {case.tier} retrieval, and {slowest}"
    least = case.size / (days[slowest] * DAY_S) * (takes_s + MARGIN_S)
    yield f"--ahead: {math.ceil(least / UNITS['T']):,}T at least, for what is retrieved while the links are busy"
    in_time = speed * (LIFE_S - MARGIN_S) / UNITS["T"]
    yield f"what is ready and not downloaded expires: {in_time:,.0f} TiB are downloaded in time at most"
    yield from _money(case)


def _money(case: Case) -> Iterator[str]:
    price = prices.find(prices.read(None), case.provider, case.region, case.tier)
    if price is None:
        yield f"cost: no price is published: {case.jobs:,} jobs and {case.size / UNITS['G']:,.0f} GiB are charged for"
        return
    retrievals, out = price.of(case.jobs, case.size)
    yield f"cost: {retrievals:,.0f} {price.currency} for retrievals, at the prices of {price.date}"
    yield f"cost: {out:,.0f} {price.currency} more where the hosts are outside of the provider's network"


def size(text: str) -> int:
    """Return bytes of a number with K, M, G, T or P for powers of 1024."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in UNITS else (text, "")
    return count(str(int(positive(number) * UNITS.get(unit, 1))))


def rate(text: str) -> float:
    """Return bits a second of a number with M or G for powers of 1000."""
    powers = {"M": 1e6, "G": 1e9}
    return positive(text[:-1]) * powers[text[-1]] if text[-1:] in powers else positive(text)


def positive(text: str) -> float:
    """Return a number above 0."""
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError(text)
    return number


def share(text: str) -> float:
    """Return a number above 0, and 1 at most."""
    if float(text) > 1:
        raise ValueError(text)
    return positive(text)


def count(text: str) -> int:
    """Return a whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def case_of(arguments: Sequence[str] | None = None) -> Case:
    """Return what a command line says."""
    parser = argparse.ArgumentParser(description="How long a drain takes, on how many hosts, and what it costs.")
    parser.add_argument("--bytes", dest="size", type=size, default="1P", help="in the vault (1P)")
    parser.add_argument("--archive", type=size, default="256M", help="bytes of an archive, on average (256M)")
    parser.add_argument("--provider", choices=("cas", "glacier"), default="cas")
    parser.add_argument("--region", default="us-east-1", help="whose prices count (us-east-1)")
    parser.add_argument("--tier", choices=tuple(TIERS), default="Bulk")
    parser.add_argument("--daily", type=size, help="bytes that may be retrieved in 24 hours")
    parser.add_argument("--link", type=rate, default="10G", help="bits a second of a host's link (10G)")
    parser.add_argument("--share", type=share, default=0.7, help="of the link that arrives as archives (0.7)")
    parser.add_argument("--days", type=positive, help="in which all is to be downloaded (30, unless --hosts)")
    parser.add_argument("--hosts", type=count, help="with such a link each (as many as --days needs)")
    return Case(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    print("\n".join(lines(case_of())))  # noqa: T201 - it is what it is for
