"""A vault that is walked through: its jobs in order, and the steps that most tests of that take."""

from collections.abc import Iterator, Sequence

from casfs.data.outputs import Outputs
from casfs.models import Output
from tests.data.service import MIB, Service, archive, read, sample

JOBS = [f"job-{number:02}" for number in range(20)]
SMALL = sample(MIB)


class Walked:
    """A vault whose directory has the jobs of a service in their order.

    Attributes:
        outputs: of it.
    """

    def __init__(self, service: Service, passed: Sequence[str] = ()) -> None:
        self.by_job = {job: archive(data, job) for job, data in service.data.items()}
        self.outputs = [output for job, output in self.by_job.items() if job not in passed]

    def following(self, output: Output) -> list[Iterator[Output]]:
        place = next(place for place, each in enumerate(self.outputs) if each.job == output.job)
        return [iter(self.outputs[place + 1 :]), iter(self.outputs[:place][::-1])]


def asked(service: Service) -> list[str]:
    return [request.job for request in service.requests]


def copy(outputs: Outputs, output: Output) -> None:
    """Open an output, read all of it, and close it."""
    reader = outputs.open(output)
    assert read(reader, 0, reader.size) == SMALL
    reader.close()


def walk_on(service: Service, vault: Walked, outputs: Outputs) -> None:
    """Copy three outputs, with all that follows stalled before the third."""
    for output in vault.outputs[:2]:
        copy(outputs, output)
    service.stalled = set(JOBS[3:])
    copy(outputs, vault.outputs[2])
