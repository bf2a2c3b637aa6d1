"""The port at which the figures of a mount are told, where somebody asked for one."""

import time
from collections.abc import Callable
from typing import Protocol

from casfs.account import Stages
from casfs.errors import ConfigError
from casfs.operate.expiry import NextExpiry
from casfs.stats import Stats

MISSING = "metrics: prometheus-client is not installed: pip install 'casfs[metrics]'"

Told = dict[str, tuple[float | None, str]]


class Port(Protocol):
    """Where figures are told."""

    def begin(self) -> None:
        """Answer from now on."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


class NoPort:
    """Nobody asked for one."""

    def begin(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def port_for(place: str | None, stages: Stages, opened: Callable[[], int], expiry: NextExpiry) -> Port:
    """Return the port, which is had from now on; it answers once it is begun.

    Args:
        place: ``HOST:PORT``, None where nobody asked for one.
        stages: what the mount stands on.
        opened: how many outputs are open.
        expiry: which outputs expire next.

    Raises:
        ConfigError: it cannot be had, or prometheus-client is not installed.
    """
    return NoPort() if place is None else _had(place, stages.stats, _more(stages, opened, expiry))


def check_port(place: str) -> None:
    """Raise ConfigError unless a mount can have the port; it is given back."""
    _had(place, Stats(), dict).close()


def _had(place: str, stats: Stats, more: Callable[[], Told]) -> Port:
    try:
        from casfs.operate.metrics import Figures, MetricsServer  # noqa: PLC0415 - an extra, 40 ms for who wants it
    except ImportError as error:
        raise ConfigError(MISSING) from error
    host, _, port = place.rpartition(":")
    return MetricsServer((host.strip("[]"), int(port)), Figures(stats, more))


def _more(stages: Stages, opened: Callable[[], int], expiry: NextExpiry) -> Callable[[], Told]:
    began_s, tree = time.time(), stages.tree

    def told() -> Told:
        return {
            "casfs_start_time_seconds": (began_s, "When the mount was begun, in seconds since 1970."),
            "casfs_vaults": (tree.vault_count(), "Vaults that are known."),
            "casfs_open_outputs": (opened(), "Outputs that programs have open."),
            "casfs_next_expiry_seconds": (
                expiry.seconds(),
                "Time until the next known output expires that is not whole on disk; absent where none is known to.",
            ),
        }

    return told
