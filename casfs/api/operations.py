"""The operations of the service: what each is called, its method, its path, its parameters, what answers it well.

Source: docs/wire.md section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from casfs.errors import NotFoundError

LIST_VAULTS = "list_vaults"
DESCRIBE_VAULT = "describe_vault"
LIST_JOBS = "list_jobs"
DESCRIBE_JOB = "describe_job"
GET_JOB_OUTPUT = "get_job_output"
INITIATE_JOB = "initiate_job"

LISTINGS = (LIST_VAULTS, LIST_JOBS)
"""Operations that are asked about what was there a moment ago."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the service, before it is signed.

    Attributes:
        operation: its name in counters and logs, e.g. ``list_jobs``.
        path: as sent, percent-encoded, without the query.
        parameters: query parameters, not encoded, in the order in which they are sent.
        range: value of the Range header, or None.
        method: of HTTP, in upper case.
        body: as sent.
        successes: the statuses of the answers that are no refusals.
    """

    operation: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    range: str | None = None
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)
    successes: tuple[int, ...] = (200,)

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in self.parameters.items())
        return f"{self.path}?{query}" if query else self.path


@dataclass(frozen=True, slots=True)
class AccountRequests:
    """The requests that an account can make.

    Every method raises NotFoundError for a name of a kind that leads elsewhere in a path, or nowhere.

    Attributes:
        account: the owner's id in every path, ``-`` for the caller's own.
    """

    account: str

    def list_vaults(self, limit: int, marker: str = "") -> Request:
        """Return the request for a page of at most *limit* vaults, the first one or that of *marker*."""
        return Request(LIST_VAULTS, self._path(), _page(limit, marker))

    def describe_vault(self, vault: str) -> Request:
        """Return the request for the document of a vault."""
        return Request(DESCRIBE_VAULT, self._path(vault))

    def list_jobs(self, vault: str, limit: int, marker: str = "") -> Request:
        """Return the request for a page of at most *limit* jobs of *vault*, the first one or that of *marker*."""
        return Request(LIST_JOBS, self._path(vault, "jobs"), _page(limit, marker))

    def describe_job(self, vault: str, job: str) -> Request:
        """Return the request for the document of a job."""
        return Request(DESCRIBE_JOB, self._path(vault, "jobs", job))

    def initiate_job(self, vault: str, body: bytes) -> Request:
        """Return the request that begins the job that *body* asks for."""
        path = self._path(vault, "jobs")
        return Request(INITIATE_JOB, path, method="POST", body=body, successes=(200, 201, 202))

    def get_job_output(self, vault: str, job: str, span: range) -> Request:
        """Return the request for the bytes *span*, one or more, of the output of a job."""
        path = self._path(vault, "jobs", job, "output")
        return Request(GET_JOB_OUTPUT, path, range=f"bytes={span.start}-{span.stop - 1}", successes=(200, 206))

    def _path(self, *names: str) -> str:
        """Return the path of what *names* lead to from the list of vaults, percent-encoded as it is signed and sent."""
        return "/".join(["", quote(self.account, safe=""), "vaults", *map(_encoded, names)])


def _page(limit: int, marker: str) -> Mapping[str, str]:
    return {"limit": str(limit)} | ({"marker": marker} if marker else {})


def _encoded(name: str) -> str:
    try:
        encoded = quote(name, safe="")
    except UnicodeEncodeError:  # what the kernel hands over for bytes that are no UTF-8
        encoded = ""
    if encoded in ("", ".", ".."):
        raise NotFoundError(f"nothing can be named {name!a}")
    return encoded
