"""Archives that CAS itself copies into a bucket of COS: nothing is downloaded, and that they are there is its word."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from casfs.drain.archive import Entry
from casfs.drain.delivery import Proof
from casfs.drain.destinations.destination import Destination, Found
from casfs.drain.jobs import Retrieval, whole_archive
from casfs.errors import ConfigError, DestinationError, NotReadyError
from casfs.models import PUSH_TO_COS, Job

SCHEME = "cos://"
ELSEWHERE = "/"
"""No path: of a job that puts an archive into another place, or one that the service tells in words of its own."""
LONGEST_PREFIX = 500
"""Bytes: a key has 850 at most. Source: COS, Object overview."""


class Service(Protocol):
    """An account of CAS; ``casfs.Account`` is one.

    Threads: any, many at once.
    """

    def push_to_cos(self, vault: str, archive: str, bucket: str, key: str, tier: str | None = None, /) -> str:
        """Begin a job that copies an archive into a bucket, and return its id."""
        ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where in COS archives go.

    Attributes:
        domain: of the bucket, or its name alone where nobody knows the region.
        prefix: what stands in front of each path: empty, or with a slash at its end.
    """

    domain: str
    prefix: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.domain}/{self.prefix}"

    @property
    def url(self) -> str:
        """What fsspec calls the place, which knows buckets by name."""
        return f"{SCHEME}{self.domain.partition('.')[0]}/{self.prefix}"

    def key(self, path: str) -> str:
        """Return the key of the object that gets a path."""
        return f"{self.prefix}{path}"

    def path_of(self, job: Job) -> str | None:
        """Return the path that *job* puts an archive under, None if that is not in here."""
        told, key = job.fields.get("Bucket"), job.fields.get("Object")
        if not isinstance(told, str) or not isinstance(key, str) or not self._is(told):
            return None
        key = key.removeprefix("/")
        return key[len(self.prefix) :] if key.startswith(self.prefix) else None

    def _is(self, told: str) -> bool:
        """Say whether a bucket is this one: a name alone is that of a domain that begins with it."""
        (name, _, region), (own_name, _, own_region) = told.partition("."), self.domain.partition(".")
        return name == own_name and (not region or not own_region or region == own_region)


def bucket_at(text: str, region: str | None) -> Bucket:
    """Return the bucket, and the place in it, that ``cos://BUCKET/PREFIX`` names.

    Args:
        text: as a user gives it; BUCKET is a domain, or the name of a bucket in the service's own region.
        region: the service's, None where nobody knows it.

    Raises:
        ConfigError: it names no bucket.
    """
    name, _, prefix = text.removeprefix(SCHEME).partition("/")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", name):
        raise ConfigError(f"DESTINATION: {text!a} names no bucket: {SCHEME}BUCKET-APPID/PREFIX does")
    domain = f"{name}.cos.{region}.myqcloud.com" if region and "." not in name else name
    parts = [part for part in prefix.split("/") if part]
    if {".", ".."} & set(parts) or not prefix.isprintable() or len(prefix.encode()) > LONGEST_PREFIX:
        raise ConfigError(f"DESTINATION: {text!a} has a prefix that no object of COS can have")
    return Bucket(domain, "".join(f"{part}/" for part in parts))


@dataclass(frozen=True, slots=True)
class Push:
    """Archives are copied by the service; as ``Way``.

    Attributes:
        service: whose vault it is.
        vault: its name.
        bucket: where they go.
        tier: of the jobs.
        store: the same place as fsspec reaches it; None where it does not.
        note: is told why it does not.
    """

    service: Service
    vault: str
    bucket: Bucket
    tier: str
    store: Destination | None = None
    note: Callable[[str], object] = lambda _: None

    def retrieval_of(self, job: Job) -> Retrieval | None:
        """As ``Way.retrieval_of``: with the path that its bucket and object name, or ``ELSEWHERE``."""
        if job.action != PUSH_TO_COS:
            return None
        path = self.bucket.path_of(job)
        return whole_archive(job, ELSEWHERE if path is None else path)

    def held(self, entry: Entry) -> Proof | None:  # noqa: ARG002 - as Way.held
        """As ``Way.held``: only jobs tell, which were listed before."""
        return None

    def look(self, paths: Iterable[str]) -> Iterator[Found | None] | None:
        """As ``Way.look``."""
        try:
            return None if self.store is None else self.store.look(paths)
        except DestinationError as error:
            self.note(f"{error}; that archives are still there is not looked at")
            return None

    def begin(self, entry: Entry) -> str:
        """As ``Way.begin``."""
        bucket = self.bucket
        return self.service.push_to_cos(self.vault, entry.id, bucket.domain, bucket.key(entry.path), self.tier)

    def bring(self, entry: Entry, moved: Callable[[int], object]) -> Proof:  # noqa: ARG002 - as Way.bring
        """As ``Way.bring``: there is no output, it is to be seen from the jobs."""
        raise NotReadyError(f"{self.bucket.key(entry.path)} is brought by its job")
