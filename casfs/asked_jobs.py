"""Jobs that somebody wants to be begun, as plain frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArchiveRetrieval:
    """A job to be begun, which makes an archive ready for download.

    Attributes:
        archive: its id.
        tier: how fast, None for as the service has it.
        byte_range: the first and the last byte, None for all.
        description: of the job.
    """

    archive: str
    tier: str | None = None
    byte_range: tuple[int, int] | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class InventoryRetrieval:
    """A job to be begun, which lists the archives of a vault.

    Attributes:
        format: ``JSON`` or ``CSV``.
        start_date: archives made then or later, ``YYYY-MM-DDThh:mm:ssZ``.
        end_date: archives made before; at CAS, or then.
        limit: archives at most.
        marker: where to begin, as the job of the part before tells it.
        description: of the job.
    """

    format: str = "JSON"
    start_date: str | None = None
    end_date: str | None = None
    limit: int | None = None
    marker: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class CosPush:
    """A job to be begun, by which CAS itself copies an archive into a bucket of COS.

    Attributes:
        archive: its id.
        bucket: the domain of the bucket.
        key: of the object that it becomes there.
        tier: how fast, None for as the service has it.
        description: of the job.
    """

    archive: str
    bucket: str
    key: str
    tier: str | None = None
    description: str | None = None
