"""Where a drain puts archives and how, as its command line says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import folder_at
from casfs.drain.manifest import Manifest
from casfs.drain.pushing import SCHEME, Push, bucket_at
from casfs.drain.way import Download, Way
from casfs.errors import ConfigError
from casfs.library import Account


@dataclass(frozen=True, slots=True)
class Route:
    """Where archives go, and how.

    Attributes:
        way: how.
        manifest: what tells of those that are there.
        shown_by: what shows that they are the right ones.
    """

    way: Way
    manifest: Manifest
    shown_by: str = "each with its tree hash"


def check_destination(text: str, provider: str) -> None:
    """Raise ConfigError unless *text* names a place that archives of *provider* can be put into."""
    if not text.startswith(SCHEME):
        folder_at(text)
    elif provider != "cas":
        raise ConfigError(f"DESTINATION: {SCHEME} is filled by jobs of CAS, and {provider} has none that do that")


def route(arguments: Mapping[str, Any], account: Account, vault: str, ledger: Path) -> Route:
    """Return where archives go, and how.

    Args:
        arguments: of the command.
        account: whose vault it is.
        vault: its name.
        ledger: of the drain, beside which the manifest lies where archives go to COS.

    Raises:
        ConfigError: nothing can be put there.
    """
    check_destination(arguments["destination"], account.provider)
    if not arguments["destination"].startswith(SCHEME):
        destination = folder_at(arguments["destination"])
        way = Download(account, vault, destination, arguments["tier"])
        return Route(way, Manifest(destination))
    bucket = bucket_at(arguments["destination"], account.region)
    beside = Manifest(LocalDestination(str(ledger.absolute().parent)), f"{ledger.name}.MANIFEST.jsonl")
    push = Push(account, vault, bucket, arguments["tier"])
    return Route(push, beside, f"by the word of the service; {beside} tells which")
