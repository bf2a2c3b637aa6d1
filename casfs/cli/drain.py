"""``casfs drain``: everything out of a vault; and how far that is."""

import json
import os
import re
import shlex
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import click

from casfs.cli.drain_route import route
from casfs.cli.drain_user import DrainUser
from casfs.cli.options import given
from casfs.cli.results import write_line
from casfs.cli.session import END_S, connect_options, place_type, session
from casfs.cli.statuses import complain
from casfs.config import library as library_options
from casfs.config.place import Depth, Place
from casfs.config.values import size_bytes
from casfs.drain import prices, status
from casfs.drain.choice import Choice, Chooser
from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import absolute
from casfs.drain.ledger.ledger import Ledger, Page, default_path
from casfs.drain.names import Naming
from casfs.drain.plan import TIERS
from casfs.drain.pushing import SCHEME
from casfs.drain.run import Drain, MissingError, Wish
from casfs.drain.settings import DrainSettings
from casfs.drain.waves import Bounds
from casfs.errors import ConfigError, DestinationError
from casfs.library import Account, connect

LISTING = {"block_cache_size": "8M", "read_ahead": "2M", "connections": "4"}
"""For inventories, which are read once and from the front: a plan for millions of archives takes 100 MiB."""
LARGEST_SIZE = 1 << 62


class Size(click.ParamType[int]):
    """A number of bytes, with K, M, G or T for powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        try:
            found = size_bytes(str(value))
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)
        if not 0 < found <= LARGEST_SIZE:
            self.fail(f"{value!r} is out of range", param, ctx)
        return found


class _Drain(click.Command):
    """``drain``, and ``drain status``, which no PLACE can be."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["status"]:
            return drain_status.make_context(f"{info_name} status", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_Drain)
@click.argument("vault_place", metavar="VAULT_PLACE", type=place_type(Depth.VAULT, Depth.VAULT))
@click.argument("destination")
@click.option("--dry-run", is_flag=True, help="Print the plan, and begin no job.")
@click.option("--yes", is_flag=True, help="Do not ask before jobs are begun.")
@click.option(
    "--tier",
    type=click.Choice(list(TIERS), case_sensitive=False),
    metavar="|".join(TIERS),
    default="Bulk",
    show_default=True,
    help="Of the retrievals.",
)
@click.option("--inventory", metavar="JOB|FILE", help="JSON or CSV.  [the newest valid whole one, else a new one]")
@click.option(
    "--ledger", type=click.Path(path_type=Path, dir_okay=False), help="What was done.  [by vault and destination]"
)
@click.option("--daily", type=Size(), metavar="SIZE", help="Bytes retrieved in any 24 hours.  [no limit]")
@click.option(
    "--ahead", type=Size(), metavar="SIZE", default="1T", show_default=True, help="Bytes retrieved and not downloaded."
)
@click.option(
    "--attempts", type=click.IntRange(min=1), default=3, show_default=True, help="Retrievals of one archive at most."
)
@click.option("--jobs", type=click.IntRange(1, 256), default=8, show_default=True, help="Downloads side by side.")
@click.option(
    "--poll",
    type=click.FloatRange(0.01, 86400),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How often jobs in progress are looked at.",
)
@click.option(
    "--name", "naming", type=click.Choice([each.value for each in Naming]), default="description", show_default=True,
    help="What names of files are made of.",
)  # fmt: skip
@click.option("--only", metavar="REGEX", help="Archives whose description, or id where there is none, has this.")
@click.option("--newer", metavar="DATE", help="Archives made then or later.")
@click.option("--older", metavar="DATE", help="Archives made before.")
@click.option("--scheduler", metavar="ADDRESS", help="Download on the workers of a Dask cluster.  [this host]")
@click.option("--prices", "price_file", type=click.Path(path_type=Path), help="A table of prices in TOML.  [built in]")
@click.option("--json", "as_json", is_flag=True, help="Progress and result as one object a line.")
@connect_options
def drain(**arguments: Any) -> None:
    """Retrieve, download and check everything in a vault, into a directory or an fsspec URL.

    It can be killed at any instant and run again: what is done is not done again, and no retrieval that is still
    valid is paid for twice. "casfs drain status LEDGER" says how far it is.
    """
    where, choice = arguments["vault_place"], _choice(arguments)
    _refuse_inside(arguments["ledger"], arguments["destination"])
    options = {name: text for name, text in given(arguments).items() if name in library_options.NAMES}
    with (
        session(arguments) as accounts,
        DrainUser(as_json=arguments["as_json"], yes=arguments["yes"]) as user,
        connect(where.source, **options | LISTING) as lister,
    ):
        account = accounts.of(where)
        wish = _wish(where, arguments, choice, account)
        whose = {"vault": _whose(account, where), "destination": _shown(arguments["destination"])}
        path = arguments["ledger"] or default_path(where.vault or "", json.dumps(whose), _home())
        with route(arguments, options, account, path, user.note) as to, Ledger(path) as ledger:
            ledger.belong(**whose, name=arguments["naming"])
            run = Drain(account, lister, ledger, to.way, to.manifest, wish, user)
            try:
                with _signals():
                    totals = run.run()
            except MissingError as error:
                user.missing(str(error), ledger.archives.totals())
                raise
            except KeyboardInterrupt:
                raise MissingError(f"stopped: {_left(ledger)}; run it again to go on") from None
            if not arguments["dry_run"]:
                user.result(totals, whose["destination"], to.shown_by)


@click.command("status")
@click.argument("ledger", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="As an object on one line.")
def drain_status(ledger: Path, *, as_json: bool) -> None:
    """Say how far a drain is, from its ledger, while it runs or not; of a folder also what is no longer there."""
    with Ledger(ledger, is_looking=True) as looked_at:
        found = status.of(looked_at)
        where = found["destination"] or ""
        if where.startswith("/"):  # what is elsewhere is looked at by runs
            try:
                found |= status.seen(found, looked_at, LocalDestination(where))
            except DestinationError as error:
                complain(f"{error}; what was put there is not looked at", 0)
    if as_json:
        write_line(json.dumps(found))
        return
    for line in status.lines(found):
        write_line(line)


def _refuse_inside(ledger: Path | None, destination: str) -> None:
    """Refuse a ledger where archives go: one of them may have its name, and would take its place."""
    folder = _shown(destination)
    if ledger is None or not folder.startswith("/"):
        return
    if Path(os.path.realpath(absolute(str(ledger)))).is_relative_to(os.path.realpath(folder)):
        what = f"--ledger {ledger} is in DESTINATION, where an archive may take its name"
        raise click.UsageError(f"{what}: move it elsewhere, with the file -wal beside it if there is one")


def _choice(arguments: Mapping[str, Any]) -> Choice:
    choice = Choice(arguments["only"], arguments["newer"], arguments["older"])
    try:
        Chooser(choice)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    return choice


def _wish(where: Place, arguments: Mapping[str, Any], choice: Choice, account: Account) -> Wish:
    is_pushed = arguments["destination"].startswith(SCHEME)  # nothing waits to be downloaded then
    settings = DrainSettings(
        where.vault or "",
        arguments["tier"],
        Bounds(LARGEST_SIZE if is_pushed else arguments["ahead"], arguments["daily"]),
        arguments["attempts"],
        arguments["jobs"],
        arguments["poll"],
    )
    table = prices.read(arguments["price_file"])

    def how_to_list(page: Page) -> str:
        marker = f" --marker {shlex.quote(page.marker)}" if page.marker else ""
        return f"casfs retrieve {shlex.quote(str(where))} --inventory{marker}"

    return Wish(
        settings=settings,
        naming=Naming(arguments["naming"]),
        choice=choice,
        inventory=arguments["inventory"],
        is_dry=arguments["dry_run"],
        price=prices.find(table, account.provider, account.region, settings.tier),
        how_to_list=how_to_list,
    )


def _whose(account: Account, where: Place) -> str:
    """Return what tells vaults apart: not the port, which a tunnel may change."""
    host = urlsplit(account.endpoint_url).hostname or f"{account.provider} {account.region}"
    return f"{host}/{account.account_id}/{where.vault}"


def _shown(destination: str) -> str:
    """Return a destination as the ledger has it: absolute, and without what may be a password."""
    path = destination.removeprefix("file://")
    return re.sub("//[^/@]*@", "//", destination) if "://" in path else absolute(path)


def _home() -> Path | None:
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() fails for a user that the host does not know
    return home if home.is_absolute() else None


def _left(ledger: Ledger) -> str:
    found = status.of(ledger)
    return f"{found['missing']} of {found['chosen']} archives are missing, {found['missing_bytes']} bytes"


@contextmanager
def _signals() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, once: what follows is short, and is to be done to its end."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        watch = threading.Timer(END_S, os._exit, [1])
        watch.daemon = True
        watch.start()
        raise KeyboardInterrupt

    ending = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    numbers = [each for each in ending if signal.getsignal(each) is not signal.SIG_IGN]
    before = [signal.signal(each, stop) for each in numbers]
    yield
    for each, handler in zip(numbers, before, strict=True):
        signal.signal(each, handler)
