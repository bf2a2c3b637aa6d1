"""What retrievals cost: a table with a date and a source, and sums. Pure, but for reading the table."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from casfs.errors import ConfigError

GB = 1 << 30
"""Bytes for which a price counts. Source: Amazon S3 pricing, whose examples take 100 TB as 102,400 GB."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one tier costs in one region.

    Attributes:
        currency: like ``USD``.
        per_1000: of 1,000 jobs.
        per_gb: of a GB that is retrieved.
        out_per_gb: of a GB that leaves the service's network; a machine within pays none.
        date: when this was so.
        source: who says so.
    """

    currency: str
    per_1000: float
    per_gb: float
    out_per_gb: float
    date: str
    source: str

    def of(self, archives: int, size: int) -> tuple[float, float]:
        """Return what retrievals cost, and what it costs to download them over the internet."""
        return archives * self.per_1000 / 1000 + size / GB * self.per_gb, size / GB * self.out_per_gb


def read(path: Path | None) -> Mapping[str, Any]:
    """Return the table of prices in a file, the built-in one if None.

    Raises:
        ConfigError: it cannot be used.
    """
    name = "the table of prices" if path is None else f"--prices: {path}"
    try:
        text = (
            files("casfs.drain").joinpath("prices.toml").read_text("utf-8") if path is None else path.read_text("utf-8")
        )
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from error


def find(table: Mapping[str, Any], provider: str, region: str | None, tier: str) -> Price | None:
    """Return the price of a tier, None where the table has none.

    Raises:
        ConfigError: what the table has there cannot be used.
    """
    of_provider = _table(table.get(provider), provider)
    of_region = _table(of_provider.get(region or ""), f"{provider}.{region}")
    of_tier = _table(of_region.get(tier), f"{provider}.{region}.{tier}")
    if not of_tier:
        return None
    try:
        return Price(
            currency=str(of_provider.get("currency", "USD")),
            per_1000=float(of_tier["per_1000"]),
            per_gb=float(of_tier["per_gb"]),
            out_per_gb=float(of_region.get("out_per_gb", 0)),
            date=str(of_provider["date"]),
            source=str(of_provider["source"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"prices of {provider}.{region}.{tier} cannot be used: {error}") from error


def _table(value: object, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"prices: {what} is no table")
    return value
