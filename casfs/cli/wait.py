"""``casfs wait``: until jobs are finished."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from casfs.cli import rows
from casfs.cli.options import json_option
from casfs.cli.results import Row, printable, write
from casfs.cli.session import Accounts, connect_options, end, failed, place_type, poll_option, session
from casfs.cli.side_by_side import each
from casfs.config.place import Depth, Place
from casfs.errors import CasfsError
from casfs.models import Job, JobState

AT_ONCE = 64
"""Jobs that are asked about at once: each has a thread that sleeps. Those behind have their turn when one is finished,
and are finished then, or not much later."""


@click.command()
@click.argument("places", metavar="JOB_PLACE...", nargs=-1, required=True, type=place_type(Depth.JOB, Depth.JOB))
@poll_option
@json_option
@connect_options
def wait(places: tuple[Place, ...], poll: float, as_json: bool, **arguments: Any) -> None:  # noqa: FBT001 - click's arguments
    """Wait until jobs are finished.

    Ends with 0 when all succeeded. JOB_PLACE is NAME:VAULT/JOB, REGION:VAULT/JOB or
    http[s]://HOST[:PORT]/ACCOUNT/VAULT/JOB.
    """
    with session(arguments) as accounts:
        waiting = Waiting(accounts, poll)
        write(waiting.rows(places), rows.JOBS, as_json=as_json)
        end(waiting.failures)


class Waiting:
    """Waits for jobs, and says which failed.

    Attributes:
        failures: how many failed, or could not be waited for.
    """

    def __init__(self, accounts: Accounts, poll_s: float) -> None:
        self._accounts = accounts
        self._poll_s = poll_s
        self.failures = 0

    def rows(self, places: Sequence[Place]) -> Iterator[Row]:
        """Yield each job once it is finished."""
        for place, answer in each(self.finished, places, AT_ONCE):
            try:
                job = answer.result()
                yield rows.of_job(job)
                check_succeeded(job)
            except CasfsError as error:
                self.failures += 1
                failed(place, error)

    def finished(self, place: Place) -> Job:
        """Return a job once it is finished."""
        return self._accounts.of(place).wait(place.vault or "", place.job or "", poll=self._poll_s)


def check_succeeded(job: Job) -> None:
    """Raise CasfsError unless *job* has succeeded."""
    if job.state is not JobState.SUCCEEDED:
        why = job.fields.get("StatusMessage")
        raise CasfsError(f"the job has {job.state}" + (f": {printable(str(why))}" if why else ""))
