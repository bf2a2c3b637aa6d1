"""Other faces of the emulator's outputs, for the programs that do not speak its protocol: a web server's and S3's.

    /plain/VAULT/            an index page with one link a job
    /plain/VAULT/JOB         the output
    /s3/VAULT?list-type=2    ListObjects, both versions
    /s3/VAULT/JOB            GetObject and HeadObject

A request goes in, an answer comes out. The emulator's own server sends it, so that every program is served by the same
code over the same shaped connections. Nothing here asks for a signature: that is to the peers' advantage.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote
from xml.sax.saxutils import escape

from casfs.emulator.jobs import StoredJob, StoredOutput
from casfs.emulator.messages import ReceivedRequest, Reply
from casfs.emulator.state import State

MODIFIED = "Thu, 02 Jan 2025 03:04:05 GMT"
MODIFIED_ISO = "2025-01-02T03:04:05.000Z"
RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class Faces:
    """Both faces over what a service holds."""

    def __init__(self, state: State) -> None:
        self._state = state

    def answer(self, request: ReceivedRequest) -> Reply | None:
        """Answer a GET or a HEAD, whose body the server leaves out; None for a path of neither face."""
        face, name, job = [*unquote(request.path).lstrip("/").split("/", 2), "", ""][:3]
        if face not in {"plain", "s3"}:
            return None
        vault = self._state.vault(name)
        if vault is None:
            return Reply(404)
        if job:
            found = self._state.job(name, job)
            return _output(found.output, request.headers.get("range")) if found and found.output else Reply(404)
        jobs = list(self._state.jobs_from(vault, ""))
        return _index(jobs) if face == "plain" else _list_objects(name, jobs, request.query)


def _output(output: StoredOutput, asked: str | None) -> Reply:
    headers = {"Content-Type": "application/octet-stream", "Last-Modified": MODIFIED, "Accept-Ranges": "bytes"}
    found = RANGE.match(asked) if asked else None
    if not found:
        return Reply(200, headers, output.pieces(0, output.size))
    first, last = found.groups()
    start = int(first) if first else max(0, output.size - int(last))
    stop = min(output.size, int(last) + 1) if first and last else output.size
    if start >= stop:
        return Reply(416, {"Content-Range": f"bytes */{output.size}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{output.size}"
    return Reply(206, headers, output.pieces(start, stop), start)


def _size(job: StoredJob) -> int:
    return job.output.size if job.output else 0


def _index(jobs: list[StoredJob]) -> Reply:
    rows = "".join(f'<a href="{job.id}">{job.id}</a> 02-Jan-2025 03:04 {_size(job)}\n' for job in jobs)
    page = f'<html><head><title>Index of /</title></head><body><pre><a href="../">../</a>\n{rows}</pre></body></html>\n'
    return Reply(200, {"Content-Type": "text/html; charset=utf-8"}, [memoryview(page.encode())])


def _list_objects(vault: str, jobs: list[StoredJob], query: Mapping[str, str]) -> Reply:
    """List up to 1,000 objects. Source: Amazon S3 API reference, ListObjects and ListObjectsV2."""
    after, prefix = query.get("marker") or query.get("continuation-token", ""), query.get("prefix", "")
    limit = int(query.get("max-keys", "1000"))
    matching = [job for job in jobs if job.id.startswith(prefix) and job.id > after]
    shown, cut = matching[:limit], len(matching) > limit
    mark = "".join(f"<{name}>{shown[-1].id}</{name}>" for name in ("NextMarker", "NextContinuationToken") if cut)
    counts = f"<KeyCount>{len(shown)}</KeyCount><MaxKeys>{limit}</MaxKeys><IsTruncated>{str(cut).lower()}</IsTruncated>"
    head = f"<Name>{escape(vault)}</Name><Prefix>{escape(prefix)}</Prefix>{counts}{mark}"
    rows = "".join(map(_object, shown))
    document = f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{head}{rows}</ListBucketResult>'
    return Reply(200, {"Content-Type": "application/xml"}, [memoryview(document.encode())])


def _object(job: StoredJob) -> str:
    about = f"<LastModified>{MODIFIED_ISO}</LastModified><ETag>&quot;{job.id}&quot;</ETag><Size>{_size(job)}</Size>"
    return f"<Contents><Key>{escape(job.id)}</Key>{about}<StorageClass>STANDARD</StorageClass></Contents>"
