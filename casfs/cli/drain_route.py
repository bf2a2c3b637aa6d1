"""Where a drain puts archives and how, as its command line says it."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from casfs.config.options import BY_NAME
from casfs.drain.destinations.destination import Destination
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import folder_at
from casfs.drain.errand import Errand, identity_of, version
from casfs.drain.manifest import Manifest
from casfs.drain.pushing import SCHEME, Push, bucket_at
from casfs.drain.way import Carry, Download, Way
from casfs.errors import ConfigError, DestinationError
from casfs.library import Account

Note = Callable[[str], object]


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


@contextmanager
def route(
    arguments: Mapping[str, Any], options: Mapping[str, str], account: Account, ledger: Path, note: Note
) -> Iterator[Route]:
    """Yield where archives go, and how.

    Args:
        arguments: of the command.
        options: those of ``connect`` among them.
        account: whose vault it is.
        ledger: of the drain, beside which the manifest lies where archives go to COS.
        note: is told what cannot be looked at there.

    Raises:
        ConfigError: nothing can be put there, or the cluster that is to do it cannot.
        UnreachableError: there is no such cluster.
    """
    if arguments["destination"].startswith(SCHEME):
        yield _to_cos(arguments, account, ledger, note)
        return
    is_on_cluster = arguments["scheduler"] is not None and not arguments["dry_run"]
    if is_on_cluster and re.search("://[^/]*@", arguments["destination"]):
        raise ConfigError("DESTINATION: a URL with a user or a password would be read by all of the cluster")
    destination, vault = folder_at(arguments["destination"]), arguments["vault_place"].vault
    way, manifest = Download(account, vault, destination, arguments["tier"]), Manifest(destination)
    if not is_on_cluster:
        yield Route(way, manifest)
        return
    with _cluster(arguments, options, account, destination) as carry:
        yield Route(replace(way, carry=carry), manifest)


def _to_cos(arguments: Mapping[str, Any], account: Account, ledger: Path, note: Note) -> Route:
    if account.provider != "cas":
        raise ConfigError(f"DESTINATION: {SCHEME} is filled by jobs of CAS, and {account.provider} has none")
    if arguments["scheduler"] is not None:
        raise ConfigError(f"--scheduler: nothing is downloaded to {SCHEME}")
    bucket = bucket_at(arguments["destination"], account.region)
    beside = Manifest(LocalDestination(str(ledger.absolute().parent)), f"{ledger.name}.MANIFEST.jsonl")
    push = Push(account, arguments["vault_place"].vault, bucket, arguments["tier"], _store_at(bucket.url, note), note)
    return Route(push, beside, f"by the word of the service; {beside} tells which")


def _store_at(url: str, note: Note) -> Destination | None:
    """Return a bucket as the package of fsspec that is installed for it reaches it, None where none does."""
    try:
        return folder_at(url)
    except ConfigError:  # there is no such package, which nobody needs for jobs
        return None
    except DestinationError as error:
        note(f"{error}; that archives are still there is not looked at")
        return None


@contextmanager
def _cluster(
    arguments: Mapping[str, Any], options: Mapping[str, str], account: Account, destination: Destination
) -> Iterator[Carry]:
    """Yield what has the workers of ``--scheduler`` download."""
    try:
        from casfs.drain.dask import Cluster  # noqa: PLC0415 - wanted for clusters alone
    except ImportError as error:
        raise ConfigError("--scheduler: Dask is needed for it: pip install 'casfs[dask]'") from error
    place = arguments["vault_place"]
    connections = int(options.get("connections") or BY_NAME["connections"].default or 1)
    most = min(arguments["jobs"], connections)
    kept = {name: text for name, text in options.items() if name != "connections"}
    where = destination.root if isinstance(destination, LocalDestination) else arguments["destination"]
    mark = secrets.token_hex(16)
    with closing(Cluster(arguments["scheduler"], most)) as cluster, destination.mark(mark):
        errand = Errand(
            version(), place.source, kept, place.vault, identity_of(account.vault(place.vault)), where, mark,
            connections // most,
        )  # fmt: skip
        cluster.check(errand)
        yield partial(cluster.carry, errand)
