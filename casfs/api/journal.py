"""A line in the log, at debug, for each request that was sent."""

import logging
import time
from collections.abc import Callable

from casfs.api.http.response import Response
from casfs.api.operations import Request
from casfs.api.retry import Call
from casfs.errors import CasfsError

logger = logging.getLogger(__name__)


def journaled(call: Call, request: Request, send: Callable[[], Response]) -> Response:
    """Return what *send* returns, and log once its body has been read, or at once that it failed.

    Args:
        call: whose request it is; status and id of the response are noted there before its body is read.
        request: what is asked.
        send: sends it.

    Raises:
        CasfsError: as *send*.
    """
    began_s = time.monotonic()
    try:
        response = send()
    except CasfsError as error:
        _log(call, request, began_s, str(error))
        raise
    response.on_end(lambda: _log(call, request, began_s, f"HTTP {response.status}", response.received))
    return response


def _log(call: Call, request: Request, began_s: float, came: str, received: int = 0) -> None:
    """Log that *came* was what came of *request*."""
    fields = {name: getattr(call, name) for name in ("operation", "vault", "job", "status", "request_id")}
    seconds = time.monotonic() - began_s
    logger.debug(
        "%s: %s, %d bytes in %.3f s [request id %s]",
        call.about(request.range or ""),
        came,
        received,
        seconds,
        call.request_id or "-",
        extra=fields | {"range": request.range or "", "bytes": received, "seconds": round(seconds, 6)},
    )
