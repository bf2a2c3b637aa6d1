"""Jobs that a program begins: archives and inventories, made ready for download."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime

from casfs.account import Stages
from casfs.models import ArchiveRetrieval, InventoryRetrieval
from casfs.waiting import Deadline


class Retrievals(ABC):
    """What begins jobs, in an account that says what it stands on."""

    @abstractmethod
    def _started(self) -> Stages: ...

    def retrieve(
        self,
        vault: str,
        archive: str,
        tier: str | None = None,
        byte_range: tuple[int, int] | None = None,
        description: str | None = None,
    ) -> str:
        """Begin a job that makes an archive ready for download, and return its id.

        Where an answer is lost, the job is looked for in the list of jobs before it is asked for again. Each call
        begins another job; of two at once that ask for the same, of which one loses its answer, both may get one.

        Args:
            vault: name of the vault.
            archive: id of the archive.
            tier: ``Expedited``, ``Standard`` or ``Bulk``; None leaves it to the service, which takes Standard.
            byte_range: the first and the last byte, whole MiB where they are not the archive's own; None for all.
            description: of the job.

        Raises:
            ValueError: the range is none, or the provider takes no such description.
            NotFoundError: there is no such vault or archive.
            RefusedError: the service takes no such parameters.
            CasfsError: it cannot be asked; the message says so where the job may have been begun all the same.
        """
        if byte_range is not None and not 0 <= byte_range[0] <= byte_range[1]:
            raise ValueError(f"byte_range is {byte_range}, and must be the first and the last byte")
        return self._begun(vault, ArchiveRetrieval(archive, tier, byte_range, description))

    def retrieve_inventory(  # noqa: PLR0913, PLR0917 - the public words
        self,
        vault: str,
        format: str = "JSON",  # noqa: A002 - the service's word
        start_date: datetime | str | None = None,
        end_date: datetime | str | None = None,
        limit: int | None = None,
        marker: str | None = None,
        description: str | None = None,
    ) -> str:
        """Begin a job that lists the archives of a vault, and return its id; as ``retrieve`` does.

        Args:
            vault: name of the vault.
            format: ``JSON`` or ``CSV``.
            start_date: archives made then or later: a time with its zone, or the service's own text for one.
            end_date: archives made before; at CAS, or then.
            limit: archives at most.
            marker: where to begin: the Marker in the document of the job that listed the part before.
            description: of the job.

        Raises:
            ValueError: a date has no zone, the limit is below 1, or the provider takes no such description.
            NotFoundError: there is no such vault.
            RefusedError: the service takes no such parameters.
            CasfsError: it cannot be asked; the message says so where the job may have been begun all the same.
        """
        if limit is not None and limit < 1:
            raise ValueError(f"limit is {limit}, and must be 1 or more")
        dates = _date(start_date), _date(end_date)
        return self._begun(vault, InventoryRetrieval(format, *dates, limit, marker, description))

    def _begun(self, vault: str, parameters: ArchiveRetrieval | InventoryRetrieval) -> str:
        stages = self._started()
        job = stages.client.initiate_job(vault, parameters, Deadline.after(stages.config.read_timeout))
        stages.tree.forget()  # so that it is in the next list of jobs
        return job


def _date(moment: datetime | str | None) -> str | None:
    """Return *moment* as the service reads one: whole seconds of UTC."""
    if moment is None or isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"{moment} is a time without a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
