"""A second service, written from the documents alone: it shares no line and no idea with casfs's emulator.

It is strict where the documents let a service be strict: ``host`` and every query parameter must be signed, the window
must be open and at most an hour long, and paths must be those of the documents. It answers with ``http.server`` and
pretty-printed JSON, as a captured reply of the real one shows.
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

MIB = 1 << 20
SECRET_ID = "AKIDotherOTHER0123456789"
SECRET_KEY = "other/Secret+Key=0123456789"
WINDOW_LIMIT_S = 3600


def _sha1_hex(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def _hmac_hex(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha1).hexdigest()


def _joined(pairs: Mapping[str, str]) -> str:
    """Return FormatParameters or FormatHeaders: sorted by name, values percent-encoded, an empty one by name alone."""
    parts = [f"{name}={quote(pairs[name], safe='-_.~')}" if pairs[name] else name for name in sorted(pairs)]
    return "&".join(parts)


def refusal(method: str, target: str, headers: Mapping[str, str], now_s: float) -> str | None:
    """Return the code that refuses the request, or None where its signature holds."""
    fields = dict(part.partition("=")[::2] for part in headers.get("Authorization", "").split("&"))
    if "q-signature" not in fields:
        return "MissingAuthenticationTokenException"
    if fields.get("q-ak") != SECRET_ID:
        return "UnrecognizedClientException"
    start, _, stop = fields["q-sign-time"].partition(";")
    if fields["q-key-time"] != fields["q-sign-time"] or int(stop) - int(start) > WINDOW_LIMIT_S:
        return "InvalidSignatureException"
    if not int(start) <= now_s <= int(stop):
        return "InvalidSignatureException"
    url = urlsplit(target)
    parameters = {name.lower(): value.lower() for name, value in parse_qsl(url.query, keep_blank_values=True)}
    signed = [name for name in fields["q-header-list"].split(";") if name]
    if "host" not in signed or signed != sorted(signed) or fields["q-url-param-list"] != ";".join(sorted(parameters)):
        return "InvalidSignatureException"
    lowered = {name.lower(): value for name, value in headers.items()}
    text = "\n".join([method.lower(), url.path, _joined(parameters), _joined({n: lowered[n] for n in signed}), ""])
    key = _hmac_hex(SECRET_KEY, fields["q-key-time"])
    expected = _hmac_hex(key, f"sha1\n{fields['q-sign-time']}\n{_sha1_hex(text)}\n")
    return None if hmac.compare_digest(expected, fields["q-signature"]) else "InvalidSignatureException"


def tree_hash(content: bytes) -> bytes:
    """Return the tree hash: the left part is the largest power of two of MiB that is smaller than the whole."""
    if len(content) <= MIB:
        return hashlib.sha256(content).digest()
    left = MIB
    while left * 2 < len(content):
        left *= 2
    return hashlib.sha256(tree_hash(content[:left]) + tree_hash(content[left:])).digest()


def is_node(start: int, stop: int, size: int, low: int = 0, high: int | None = None) -> bool:
    """Say whether bytes [start, stop) are a node, by walking down the tree from the root."""
    high = size if high is None else high
    if (start, stop) == (low, high):
        return True
    if high - low <= MIB or start < low or stop > high:
        return False
    left = MIB
    while left * 2 < high - low:
        left *= 2
    middle = low + left
    return is_node(start, stop, size, low, middle) or is_node(start, stop, size, middle, high)


@dataclass
class OtherJob:
    """A job: its document, its output, and whether the service has a hash for it."""

    document: dict[str, Any]
    output: bytes | None = None
    content_type: str = "application/octet-stream"
    hashed: bool = False


@dataclass
class OtherService:
    """Vaults, their jobs, and the requests that were answered.

    Attributes:
        vaults: vault name to jobs by id.
        asked: operation, path and status of each request, in order.
        list_vaults_allowed: whether the account may list vaults.
    """

    vaults: dict[str, dict[str, OtherJob]]
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    list_vaults_allowed: bool = True
    clock: Callable[[], float] = time.time
    _server: ThreadingHTTPServer | None = None

    keys = (SECRET_ID, SECRET_KEY)

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def count(self, operation: str) -> int:
        """Return how many requests of *operation* were answered."""
        return sum(name == operation for name, _, _ in self.asked)


def vault_document(name: str) -> dict[str, Any]:
    """Return a Describe Vault document of a vault without an inventory yet."""
    return {
        "CreationDate": "2017-08-29T08:29:41.000Z",
        "LastInventoryDate": None,
        "NumberOfArchives": None,
        "SizeInBytes": None,
        "VaultQCS": f"qcs:id/0:cas:ap-chengdu:uid/1250000000:vaults/{name}",
        "VaultName": name,
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: OtherService

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: the test asks ``asked``."""

    def do_GET(self) -> None:
        """Answer one request of the documents."""
        refused = refusal("GET", self.path, dict(self.headers), self.service.clock())
        url = urlsplit(self.path)
        parts = [unquote(part) for part in url.path.split("/")[1:]]
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if refused:
            status = 403 if refused == "AccessDeniedException" else 400
            self._refuse("refused", status, refused)
        elif len(parts) < 2 or parts[0] not in {"-", "1250000000"} or parts[1] != "vaults":
            self._refuse("nothing", 404, "ResourceNotFoundException")
        else:
            self._route(parts[2:], query)

    def _route(self, parts: list[str], query: dict[str, str]) -> None:
        match parts:
            case []:
                self._list_vaults(query)
            case [vault, *_] if vault not in self.service.vaults:
                self._refuse("missing_vault", 404, "ResourceNotFoundException")
            case [vault]:
                self._send_json("describe_vault", vault_document(vault))
            case [vault, "jobs"]:
                jobs = self.service.vaults[vault]
                page, marker = self._page(sorted(jobs), query)
                self._send_json("list_jobs", {"JobList": [jobs[job].document for job in page], "Marker": marker})
            case [vault, "jobs", job, *_] if job not in self.service.vaults[vault]:
                self._refuse("missing_job", 404, "ResourceNotFoundException")
            case [vault, "jobs", job]:
                self._send_json("describe_job", self.service.vaults[vault][job].document)
            case [vault, "jobs", job, "output"]:
                self._send_output(self.service.vaults[vault][job])
            case _:
                self._refuse("nothing", 404, "ResourceNotFoundException")

    def _list_vaults(self, query: dict[str, str]) -> None:
        if not self.service.list_vaults_allowed:
            self._refuse("list_vaults", 403, "AccessDeniedException")
            return
        page, marker = self._page(sorted(self.service.vaults), query)
        self._send_json("list_vaults", {"Marker": marker, "VaultList": [vault_document(name) for name in page]})

    @staticmethod
    def _page(names: list[str], query: dict[str, str]) -> tuple[list[str], str | None]:
        """Return a page, and the marker at which the next one begins: inclusive, as the wording of CAS has it."""
        limit = min(int(query.get("limit") or 1000), 1000)
        rest = [name for name in names if name >= query.get("marker", "")]
        return rest[:limit], rest[limit] if len(rest) > limit else None

    def _send_output(self, job: OtherJob) -> None:
        if job.output is None:
            self._refuse("output", 400, "InvalidParameterValueException")
            return
        size, asked = len(job.output), re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, stop = (int(asked[1]), min(int(asked[2]) + 1, size)) if asked else (0, size)
        if start >= stop:
            self._refuse("output", 400, "InvalidParameterValueException")
            return
        part = job.output[start:stop]
        headers = {"Content-Type": job.content_type}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        if job.hashed and is_node(start, stop, size):
            headers["x-cas-sha256-tree-hash"] = tree_hash(part).hex()
        self._send("output", 206 if asked else 200, part, headers)

    def _send_json(self, operation: str, document: object) -> None:
        body = json.dumps(document, indent=1, separators=(",", " : ")).encode() + b"\n"
        self._send(operation, 200, body, {"Content-Type": "application/json"})

    def _refuse(self, operation: str, status: int, code: str) -> None:
        body = json.dumps({"code": code, "message": f"no: {code}", "type": "Client"}, indent=1).encode() + b"\n"
        self._send(operation, status, body, {"Content-Type": "application/json"})

    def _send(self, operation: str, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.service.asked.append((operation, self.path, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-cas-requestId", "NTlhNTI4NzVfZTFhZDM1MGFfNjRlNF8yMw==")
        self.end_headers()
        self.wfile.write(body)
