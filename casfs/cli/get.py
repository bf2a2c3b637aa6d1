"""``casfs get``: outputs into files, without a mount."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import click

from casfs.cli import rows
from casfs.cli.fetching import Fetched, Fetching
from casfs.cli.options import json_option
from casfs.cli.progress import Progress
from casfs.cli.results import Row, size, write
from casfs.cli.session import connect_options, end, place_type, poll_option, session
from casfs.cli.side_by_side import each
from casfs.cli.statuses import line_of
from casfs.config.place import Depth, Place
from casfs.drain.destinations.opening import target_of
from casfs.errors import CasfsError

HELP = """Download the outputs of jobs, each whole and checked before it has its name.

JOB_PLACE is NAME:VAULT/JOB, REGION:VAULT/JOB or http[s]://HOST[:PORT]/ACCOUNT/VAULT/JOB. DESTINATION is a file; a
folder where it is one, ends in a slash or several jobs are named, for files called by the ids of the jobs; or a URL of
fsspec, like s3://BUCKET/FOLDER/. A file that is whole already is left. What a kill has left in .casfs-part beside it is
checked and gone on with.
"""

AT_ONCE = 8
"""Outputs that are downloaded side by side; the parts of each are fetched side by side anyway."""

TITLES = (">size", "checked", "path")


@click.command(help=HELP)
@click.argument("places", metavar="JOB_PLACE...", nargs=-1, required=True, type=place_type(Depth.JOB, Depth.JOB))
@click.argument("destination")
@click.option("--wait", is_flag=True, help="Wait for jobs that are in progress.")
@click.option("--force", is_flag=True, help="Download what is whole already, too.")
@poll_option
@json_option
@connect_options
def get(  # noqa: PLR0913, PLR0917 - click's arguments
    places: tuple[Place, ...],
    destination: str,
    wait: bool,  # noqa: FBT001 - as above
    force: bool,  # noqa: FBT001 - as above
    poll: float,
    as_json: bool,  # noqa: FBT001 - as above
    **arguments: Any,
) -> None:
    """Download the outputs of *places*."""
    check_names(places)
    with session(arguments) as accounts:
        target = target_of(destination, is_for_several=len(places) > 1)
        progress = Progress("getting", 0)
        fetching = Fetching(accounts, target, poll if wait else None, progress, is_forced=force)
        getting = Getting(fetching, progress)
        write(getting.rows(places), TITLES, as_json=as_json)
    end(getting.failures)


def check_names(places: Sequence[Place]) -> None:
    """Raise click.UsageError unless each of *places* has an id of its own.

    Raises:
        click.UsageError: two would get one name.
    """
    for name, count in Counter(place.job for place in places).items():
        if count > 1:
            raise click.UsageError(f"{count} of the jobs have the id {name}, and would be one file")


class Getting:
    """Downloads outputs side by side.

    Attributes:
        failures: how many could not be had.
    """

    def __init__(self, fetching: Fetching, progress: Progress) -> None:
        self._fetching = fetching
        self._progress = progress
        self.failures = 0

    def rows(self, places: Sequence[Place]) -> Iterator[Row]:
        """Yield each output once it is there; the bar is away when the last one was."""
        with self._progress:
            for place, answer in each(self._fetching.fetch, places, AT_ONCE):
                try:
                    yield _row(answer.result())
                except CasfsError as error:
                    self.failures += 1
                    self._progress.say(line_of(f"{place}: {error}"))


def _row(fetched: Fetched) -> Row:
    fields = rows.fields_of(fetched.job)
    verification = str(fetched.verification)
    fields |= {"path": fetched.path, "size": fetched.size, "bytes": fetched.bytes, "verification": verification}
    return Row(
        fields, (str(fetched.size), verification, fetched.path), (size(fetched.size), verification, fetched.path)
    )
