"""``casfs ls``: what a service has, without a mount."""

from typing import Any

import click

from casfs.cli import rows
from casfs.cli.options import json_option
from casfs.cli.results import write
from casfs.cli.session import connect_options, place_type, session
from casfs.config.place import Depth, Place

HELP = """List vaults, the jobs of a vault, or one job.

\b
PLACE is one of
  NAME:[VAULT[/JOB]]      a profile of the configuration file
  REGION:[VAULT[/JOB]]    a region like ap-chengdu
  http[s]://HOST[:PORT][/ACCOUNT[/VAULT[/JOB]]]

Without one, the vaults of the profile.
"""


@click.command(help=HELP)
@click.argument("place", required=False, type=place_type(Depth.SERVICE, Depth.JOB))
@json_option
@connect_options
def ls(place: Place | None, as_json: bool, **arguments: Any) -> None:  # noqa: FBT001 - click's arguments
    """List what *place* leads to."""
    with session(arguments) as accounts:
        account = accounts.of(place)
        if place is None or place.vault is None:
            write(map(rows.of_vault, account.vaults()), rows.VAULTS, as_json=as_json)
        elif place.job is None:
            write(map(rows.of_job, account.each_job(place.vault)), rows.JOBS, as_json=as_json)
        else:
            write([rows.of_job(account.job(place.vault, place.job))], rows.JOBS, as_json=as_json)
