"""``casfs retrieve``: jobs begun, each once."""

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from casfs.cli.ids import WithIds
from casfs.cli.options import json_option
from casfs.cli.results import printable, write_line
from casfs.cli.rows import KEYS
from casfs.cli.session import connect_options, end, failed, place_type, poll_option, session
from casfs.cli.side_by_side import to_its_end
from casfs.cli.streams import OutputError
from casfs.cli.wait import Waiting
from casfs.config.place import Depth, Place
from casfs.errors import CasfsError
from casfs.library import Account

TIERS = ("Expedited", "Standard", "Bulk")
FORMATS = ("JSON", "CSV")
OF_ARCHIVES = ("tier", "byte_range")
OF_INVENTORIES = ("format", "start_date", "end_date", "limit", "marker")


def read_range(text: str) -> tuple[int, int]:
    """Return the first and the last byte."""
    found = re.fullmatch("([0-9]{1,15})-([0-9]{1,15})", text)
    if found is None or int(found[1]) > int(found[2]):
        raise click.UsageError(f"--range: {text!a} is not the first and the last byte, like 0-1048575")
    return int(found[1]), int(found[2])


@click.command(cls=WithIds)
@click.argument("place", metavar="VAULT_PLACE", type=place_type(Depth.VAULT, Depth.VAULT))
@click.argument("archives", metavar="[ARCHIVE_ID]...", nargs=-1)
@click.option("--inventory", is_flag=True, help="List the archives of the vault, in place of retrieving any.")
@click.option(
    "--tier",
    type=click.Choice(TIERS, case_sensitive=False),
    metavar="|".join(TIERS),
    help="How fast, and how dear.  [the service's]",
)
@click.option("--range", "byte_range", type=read_range, metavar="A-B", help="First and last byte, whole MiB.  [all]")
@click.option(
    "--format",
    type=click.Choice(FORMATS, case_sensitive=False),
    metavar="|".join(FORMATS),
    help="Of an inventory.  [JSON]",
)
@click.option(
    "--start-date", metavar="TIME", help="Of an inventory: archives made then or later, like 2026-01-01T00:00:00Z."
)
@click.option("--end-date", metavar="TIME", help="Of an inventory: archives made before.")
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="Of an inventory: archives at most.")
@click.option("--marker", help="Of an inventory: where the one before ended.")
@click.option("--description", help="Of the jobs.")
@click.option("--wait", is_flag=True, help="Wait until the jobs are finished, and fail where one fails.")
@poll_option
@json_option
@connect_options
def retrieve(  # noqa: PLR0913, PLR0917 - click's arguments
    place: Place,
    archives: tuple[str, ...],
    inventory: bool,  # noqa: FBT001 - as above
    wait: bool,  # noqa: FBT001 - as above
    poll: float,
    as_json: bool,  # noqa: FBT001 - as above
    **arguments: Any,
) -> None:
    """Begin jobs that make archives, or the inventory of a vault, ready for download.

    Each costs money, and is begun once: where an answer is lost, the job is looked for before it is asked for again.
    Its id is printed as soon as it is known. What begins with a hyphen and is no option is an id.
    """
    _check(archives, inventory=inventory, arguments=arguments)
    begun: list[Place] = []
    failures = 0

    def told(archive: str | None, job: str) -> None:
        begun.append(Place(place.source, place.vault, job))
        fields = {"vault": place.vault, "job": job, "archive": archive}
        fields |= {name: arguments[name] for name in ("tier", "description")}
        line = json.dumps(dict.fromkeys(KEYS) | fields) if as_json else printable(job)
        try:
            write_line(line)
        except OutputError as error:  # it costs money, and nobody else knows of it
            raise OutputError(f"{error}; the job {job} has begun") from error

    with session(arguments) as accounts:
        account = accounts.of(place)
        for archive in [None] if inventory else archives:
            try:
                to_its_end(_call(account, place, archive, arguments), partial(told, archive))
            except OutputError:  # nor would the ids of the others arrive
                raise
            except CasfsError as error:
                failures += 1
                failed(f"{place}: {archive or 'inventory'}", error)
            except ValueError as error:
                raise click.UsageError(str(error)) from error
        waiting = Waiting(accounts, poll)
        if wait and begun:
            for _ in waiting.rows(begun):
                pass
    end(failures + waiting.failures)


def _check(archives: Sequence[str], *, inventory: bool, arguments: dict[str, Any]) -> None:
    if inventory == bool(archives):
        raise click.UsageError("either ARCHIVE_IDs or --inventory must be there")
    what, others = ("an inventory", OF_ARCHIVES) if inventory else ("archives", OF_INVENTORIES)
    for name in others:
        if arguments[name] is not None:
            option = "--range" if name == "byte_range" else f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} means nothing for {what}")


def _call(account: Account, place: Place, archive: str | None, arguments: dict[str, Any]) -> Callable[[], str]:
    names = ("description", *(OF_INVENTORIES if archive is None else OF_ARCHIVES))
    words = {name: arguments[name] for name in names if arguments[name] is not None}
    if archive is None:
        return partial(account.retrieve_inventory, place.vault or "", **words)
    return partial(account.retrieve, place.vault or "", archive, **words)
