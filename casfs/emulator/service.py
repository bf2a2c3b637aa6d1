"""The operations of the service: a request becomes an answer, or a refusal by its code.

Knows no sockets, no faults and no speed; the state knows the time.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from urllib.parse import quote, unquote

from casfs.emulator import ranges
from casfs.emulator.content import InMemory
from casfs.emulator.dialect import Dialect, Page
from casfs.emulator.documents import Document, job_document, resource, vault_document
from casfs.emulator.initiation import initiate
from casfs.emulator.jobs import StoredJob
from casfs.emulator.messages import ReceivedRequest, Reply
from casfs.emulator.refusal import Refusal
from casfs.emulator.state import State, StoredVault

T = TypeVar("T")

OPERATIONS = {
    ("GET", 0, ""): "list_vaults",
    ("GET", 1, ""): "describe_vault",
    ("PUT", 1, ""): "create_vault",
    ("POST", 2, "archives"): "upload_archive",
    ("GET", 2, "jobs"): "list_jobs",
    ("POST", 2, "jobs"): "initiate_job",
    ("GET", 3, "jobs"): "describe_job",
    ("GET", 4, "jobs"): "get_job_output",
}
"""Operation by method, length of the path below ``vaults``, and what the vault is asked for."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about.

    Attributes:
        operation: one of OPERATIONS, or ``unknown``.
        account: as the path has it, ``-`` or a UID.
        vault: its name, or None.
        job: its id, or None.
    """

    operation: str
    account: str
    vault: str | None = None
    job: str | None = None


def target(request: ReceivedRequest) -> Target:
    """Return what *request* is about; HEAD is about what GET is."""
    parts = [unquote(part) for part in request.path.split("/")[1:]]
    account, root, *below = [*parts, "", ""] if len(parts) < 2 else parts
    method = "GET" if request.method == "HEAD" else request.method
    operation = OPERATIONS.get((method, len(below), below[1] if len(below) > 1 else ""), "unknown")
    if root != "vaults" or (len(below) == 4 and below[3] != "output"):
        operation = "unknown"
    return Target(operation, account, below[0] if below else None, below[2] if len(below) > 2 else None)


class Service:
    """One account's service.

    Threads: any; what it keeps is the state's.
    """

    def __init__(self, state: State, dialect: Dialect) -> None:
        self._state = state
        self._dialect = dialect
        self._operations: dict[str, Callable[[Target, ReceivedRequest], Reply]] = {
            "list_vaults": self._list_vaults,
            "describe_vault": self._describe_vault,
            "create_vault": self._create_vault,
            "upload_archive": self._upload_archive,
            "list_jobs": self._list_jobs,
            "initiate_job": self._initiate_job,
            "describe_job": self._describe_job,
            "get_job_output": self._get_job_output,
        }

    def answer(self, aim: Target, request: ReceivedRequest) -> Reply:
        """Return the answer to a request whose signature is right.

        Raises:
            Refusal: the service says no.
        """
        if aim.operation == "unknown":
            raise Refusal("ResourceNotFoundException", f"No such resource: {request.path}")
        if aim.account not in ("-", self._state.account):
            raise Refusal("AccessDeniedException", f"Not authorized for the account {aim.account}")
        return self._operations[aim.operation](aim, request)

    def _list_vaults(self, _aim: Target, request: ReceivedRequest) -> Reply:
        limit, marker = _limit(request, self._dialect.vaults_page), request.query.get("marker", "")
        named = ((resource(self._dialect, self._state, vault.name), vault) for vault in self._state.vaults())
        page, following = self._page((item for item in named if item[0] >= marker), marker, limit)
        found: list[Document] = [vault_document(vault, self._state, self._dialect) for _, vault in page]
        return in_json({"Marker": following, "VaultList": found})

    def _describe_vault(self, aim: Target, _request: ReceivedRequest) -> Reply:
        return in_json(vault_document(self._vault(aim), self._state, self._dialect))

    def _create_vault(self, aim: Target, _request: ReceivedRequest) -> Reply:
        vault = self._state.add_vault(aim.vault or "")
        return Reply(201, {"Location": f"/{aim.account}/vaults/{quote(vault.name, safe='')}"})

    def _upload_archive(self, aim: Target, request: ReceivedRequest) -> Reply:
        vault, prefix = self._vault(aim), self._dialect.header_prefix
        archive = self._state.add_archive(
            vault.name,
            InMemory(request.body),
            request.headers.get(f"{prefix}archive-description", ""),
            archive_id=self._state.fresh_id(self._dialect.archive_id_length),
        )
        told = request.headers.get(f"{prefix}sha256-tree-hash", archive.tree.root)
        if not request.body or told != archive.tree.root:
            del vault.archives[archive.id]
            raise Refusal("InvalidParameterValueException", "The archive is empty, or its tree hash is another.")
        location = f"/{aim.account}/vaults/{quote(vault.name, safe='')}/archives/{archive.id}"
        own = {f"{prefix}archive-id": archive.id, f"{prefix}sha256-tree-hash": archive.tree.root}
        return Reply(201, {"Location": location, **own})

    def _list_jobs(self, aim: Target, request: ReceivedRequest) -> Reply:
        vault, limit = self._vault(aim), _limit(request, self._dialect.jobs_page)
        marker, wanted = request.query.get("marker", ""), _filter(request, self._state.clock())
        jobs = ((job.id, job) for job in self._state.jobs_from(vault, marker) if wanted(job))
        page, following = self._page(jobs, marker, limit)
        found: list[Document] = [job_document(job, vault, self._state, self._dialect) for _, job in page]
        return in_json({"JobList": found, "Marker": following})

    def _page(
        self, items: Iterable[tuple[str, T]], marker: str, limit: int
    ) -> tuple[Sequence[tuple[str, T]], str | None]:
        """Cut one page off *items*, which begin at *marker*, and return it with the marker of the next."""
        inclusive = self._dialect.marker_inclusive
        found = list(islice(items, limit + 2))
        if not inclusive and marker and found and found[0][0] == marker:
            del found[0]
        if len(found) <= limit:
            return found, None
        return found[:limit], found[limit if inclusive else limit - 1][0]

    def _initiate_job(self, aim: Target, request: ReceivedRequest) -> Reply:
        vault = self._vault(aim)
        job = initiate(request.body, vault, self._state, self._dialect)
        location = f"/{aim.account}/vaults/{quote(vault.name, safe='')}/jobs/{job.id}"
        return Reply(202, {"Location": location, f"{self._dialect.header_prefix}job-id": job.id})

    def _describe_job(self, aim: Target, _request: ReceivedRequest) -> Reply:
        return in_json(job_document(self._job(aim), self._vault(aim), self._state, self._dialect))

    def _get_job_output(self, aim: Target, request: ReceivedRequest) -> Reply:
        job = self._job(aim)
        output = job.output
        if output is None or job.status(self._state.clock()) != "Succeeded":
            raise Refusal(
                "InvalidParameterValueException", f"The job is not currently available for download: {job.id}"
            )
        part = ranges.asked(request.headers.get("range"), output.size)
        start, stop = part or (0, output.size)
        headers = {"Content-Type": output.media_type, "Accept-Ranges": "bytes"}
        if part:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{output.size}"
        tree_hash = output.tree_hash(start, stop)
        if tree_hash:
            headers[f"{self._dialect.header_prefix}sha256-tree-hash"] = tree_hash
        if self._dialect.archive_description_header and output.archive and output.archive.description:
            headers[self._dialect.archive_description_header] = output.archive.description
        return Reply(206 if part else 200, headers, output.pieces(start, stop), start)

    def _vault(self, aim: Target) -> StoredVault:
        vault = self._state.vault(aim.vault or "")
        if vault is None:
            name = resource(self._dialect, self._state, aim.vault or "")
            raise Refusal("ResourceNotFoundException", f"Vault not found for {self._dialect.resource_key[5:]}: {name}")
        return vault

    def _job(self, aim: Target) -> StoredJob:
        self._vault(aim)
        job = self._state.job(aim.vault or "", aim.job or "")
        if job is None:
            raise Refusal("ResourceNotFoundException", f"The job ID was not found: {aim.job}")
        return job


def in_json(document: Mapping[str, object], status: int = 200) -> Reply:
    """Return *document* as an answer."""
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogateescape")
    return Reply(status, {"Content-Type": "application/json"}, [memoryview(body)])


def in_error(refusal: Refusal, status: int) -> Reply:
    """Return *refusal* as an answer, spaced as the one real error body that was captured."""
    kind = "Client" if status < 500 else "Server"
    document = {"code": refusal.code, "message": refusal.message, "type": kind}
    body = json.dumps(document, indent=3, separators=(",", " : ")) + "\n"
    return Reply(status, {"Content-Type": "application/json"}, [memoryview(body.encode())])


def _limit(request: ReceivedRequest, page: Page) -> int:
    text = request.query.get("limit", str(page.default))
    if not text.isdecimal() or int(text) < 1 or (int(text) > page.most and not page.clamps):
        raise Refusal("InvalidParameterValueException", f"The limit is not valid: {text}")
    return min(int(text), page.most)


def _filter(request: ReceivedRequest, now_s: float) -> Callable[[StoredJob], bool]:
    status, completed = request.query.get("statuscode", ""), request.query.get("completed", "").lower()
    if status not in ("", "InProgress", "Succeeded", "Failed"):
        raise Refusal("InvalidParameterValueException", f"The job status code is not valid: {status}")
    if completed not in ("", "true", "false"):
        raise Refusal("InvalidParameterValueException", f"The completed filter is not valid: {completed}")

    def wanted(job: StoredJob) -> bool:
        is_of = job.status(now_s)
        return status in ("", is_of) and completed in ("", "false" if is_of == "InProgress" else "true")

    return wanted
