"""``casfs emulate``: the embedded service alone, for tests of whatever speaks to it."""

import pkgutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from casfs.api.providers.provider import Provider
from casfs.api.providers.table import PROVIDERS
from casfs.config.options import BY_NAME
from casfs.config.values import size_bytes
from casfs.emulator.dialect import Dialect
from casfs.emulator.faults import Fault, Faults
from casfs.emulator.folders import state_of
from casfs.emulator.generated_archives import DIGITS, GeneratedArchives
from casfs.emulator.initiation import TIERS
from casfs.emulator.policy import Policy
from casfs.emulator.samples import sample_state
from casfs.emulator.scripts import parse
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from casfs.emulator.state import State
from casfs.errors import ConfigError
from casfs.operate.signals import SIGNALS, block_signals

MADE_UP = "made-up"
"""The vault of archives that are made up as they are asked for."""
NOT_NEGATIVE = click.FloatRange(min=0)


@click.command()
@click.option(
    "--provider", type=click.Choice(list(PROVIDERS)), default="cas", show_default=True, help="Which service it is."
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of vaults, each a folder of archives.  [sample vaults]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen at.  [any that is free]")
@click.option("--no-auth", is_flag=True, help="Let everybody in, whatever the signature.")
@click.option("--first-byte-delay", type=NOT_NEGATIVE, default=0.0, metavar="SECONDS", help="Wait before each answer.")
@click.option("--rate", metavar="SIZE", help="Bytes per second of each connection, like 60M.  [as fast as it can]")
@click.option(
    "--job-time",
    type=NOT_NEGATIVE,
    default=5.0,
    metavar="SECONDS",
    show_default=True,
    help="How long a job that is initiated stays in progress.",
)
@click.option(
    "--expiry",
    type=NOT_NEGATIVE,
    default=86400.0,
    metavar="SECONDS",
    show_default=True,
    help="How long after its completion such a job is forgotten.",
)
@click.option(
    "--tier-time",
    type=(click.Choice(TIERS), NOT_NEGATIVE),
    multiple=True,
    metavar="TIER SECONDS",
    help="The same for retrievals of one Tier; may be given for each.",
)
@click.option(
    "--policy", metavar="SIZE", help="Most bytes of archives that may be retrieved in any 24 hours.  [no bound]"
)
@click.option(
    "--inventory-page",
    type=click.IntRange(min=1),
    metavar="N",
    help="Archives in one inventory.  [cas: 10,000; glacier: all]",
)
@click.option(
    "--archives",
    type=click.IntRange(0, 10**DIGITS),
    default=0,
    metavar="N",
    help=f"Add a vault {MADE_UP}, of so many archives that take no room.",
)
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What goes wrong: a table [[fault]] for each, in TOML or JSON.",
)
def emulate(**wanted: Any) -> None:
    """Run the embedded archive service until Ctrl-C, on a port of this machine."""
    server = described(**wanted)
    block_signals()
    try:
        server.start()
    except OSError as error:
        raise ConfigError(f"cannot listen at {wanted['host']}:{wanted['port']}: {error.strerror}") from error
    introduce(server, PROVIDERS[wanted["provider"]])
    signal.sigwait(SIGNALS)
    server.stop()


def described(**wanted: Any) -> Server:
    """Return the server that the options ask for, not started."""
    dialect = _paged(counterpart(PROVIDERS[wanted["provider"]]), wanted["inventory_page"])
    return Server(
        _state(dialect, **wanted),
        dialect=dialect,
        host=wanted["host"],
        port=wanted["port"],
        credentials=None if wanted["no_auth"] else dict([dialect.sample_key]),
        shaping=Shaping(wanted["first_byte_delay"], _size("--rate", wanted["rate"])),
        faults=Faults(*(read_faults(wanted["faults"]) if wanted["faults"] else [])),
    )


def counterpart(provider: Provider) -> Dialect:
    """Return what the emulator takes to play *provider*.

    Raises:
        ConfigError: there is nothing that can.
    """
    found = pkgutil.resolve_name(provider.emulator)
    if not isinstance(found, Dialect):
        raise ConfigError(f"{provider.emulator} is nothing that the emulator can play")
    return found


def introduce(server: Server, provider: Provider) -> None:
    """Say on standard output where the service is and how to get in."""
    dialect = counterpart(provider)
    values = dict(zip(provider.keys.variables, dialect.sample_key, strict=False))
    if provider.region_variable:
        values[provider.region_variable] = dialect.region
    # with --no-auth too: who mounts signs, whether anybody checks it or not
    click.echo(f"export {' '.join(f'{name}={value}' for name, value in values.items())}")
    option = "" if provider.name == BY_NAME["provider"].default else f"--provider {provider.name} "
    click.echo(f"casfs mount {option}{server.url} MOUNTPOINT")


def read_faults(path: Path) -> list[Fault]:
    """Return the faults that a file describes.

    Raises:
        ConfigError: it is no such file.
    """
    return parse(path.read_text(encoding="utf-8", errors="replace"), str(path))


def _paged(dialect: Dialect, page: int | None) -> Dialect:
    return dialect if page is None else replace(dialect, inventories=replace(dialect.inventories, page=page))


def _state(dialect: Dialect, **wanted: Any) -> State:
    root = wanted["root"]
    state = sample_state(dialect=dialect) if root is None else state_of(root, dialect=dialect)
    state.job_takes_s, state.output_lives_s = wanted["job_time"], wanted["expiry"]
    state.tier_takes_s |= dict(wanted["tier_time"])
    state.policy = Policy(most_bytes=_size("--policy", wanted["policy"]))
    if wanted["archives"]:
        made = GeneratedArchives(wanted["archives"], id_length=dialect.archive_id_length)
        state.add_vault(MADE_UP, inventory_s=state.clock(), generated=made)
    return state


def _size(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return size_bytes(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {text!a} {error}") from None
