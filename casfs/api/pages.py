"""The pages of one listing: each asked for with its retries, all together within bounds."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from casfs.api.attempts import Attempts
from casfs.api.documents import parsed_page
from casfs.api.listings import ListOperation, Page
from casfs.api.operations import Request
from casfs.api.refusals import MarkerRefusedError
from casfs.api.retry import Call, Retry
from casfs.errors import CasfsError, NotFoundError, ProtocolError, RefusedError

LONGEST_LISTING = 256 << 20
"""Bytes of the pages of one listing: 100,000 jobs take 100 MiB, and their memory is promised a bound."""

PAGE_S = 28.0
"""How long one page may take with its retries, so that its error comes before whoever waits for 30 s has gone."""

Model = TypeVar("Model")


class Pages(Generic[Model]):
    """Asks for pages.

    Args:
        attempts: asks once.
        retry: tries again.
        listing: understands them.
        request: makes the request for the page at a marker, "" for the first one.
        call: begins the call for one page.
    """

    def __init__(
        self,
        attempts: Attempts,
        retry: Retry,
        listing: ListOperation[Model],
        request: Callable[[str], Request],
        call: Callable[[], Call],
    ) -> None:
        self._attempts = attempts
        self._retry = retry
        self._listing = listing
        self._request = request
        self._call = call
        self._received = 0
        self._last: Call | None = None
        self._failure: CasfsError | None = None

    def items(self) -> Iterator[Model]:
        """Return what is listed, as ``ListOperation.items``; each failure has a line in the log."""
        return _Told(self._listing.items(self.ask), self.tell)

    def ask(self, marker: str) -> Page[Model]:
        """Return the page that begins at *marker*, "" for the first one.

        Raises:
            MarkerRefusedError: it is refused because of its marker.
            ProtocolError: it is no page of this listing, or one too many.
            CasfsError: as ``Retry.run``.
        """
        call, request = self._call(), self._request(marker)
        self._last, self._failure = call, None
        try:
            return self._retry.run(call, lambda: self._listing.page(parsed_page(self._body(call, request))))
        except CasfsError as error:
            self._failure = error
            raise

    def tell(self, error: CasfsError) -> None:
        """Log a failure, unless it is that of a page, which is logged: what is wrong with them together has no line."""
        if error is not self._failure and self._last is not None:
            self._retry.give_up(self._last, error)

    def _body(self, call: Call, request: Request) -> bytearray:
        try:
            body = self._attempts.document(call, request)
        except (NotFoundError, RefusedError) as error:
            if "marker" in request.parameters and _may_be_the_marker(call):
                refused = MarkerRefusedError(f"the marker is refused, and the listing begins anew: {error}")
                refused.may_pass = error.may_pass
                raise refused from error
            raise
        self._received += len(body)
        if self._received > LONGEST_LISTING:
            raise ProtocolError(f"a listing of over {LONGEST_LISTING} bytes")
        return body


class _Told(Iterator[Model]):
    """Items, each failure of which is told; no generator, as they are none."""

    def __init__(self, items: Iterator[Model], tell: Callable[[CasfsError], None]) -> None:
        self._items = items
        self._tell = tell

    def __next__(self) -> Model:
        try:
            return next(self._items)
        except CasfsError as error:
            self._tell(error)
            raise


def _may_be_the_marker(call: Call) -> bool:
    """Return whether a refusal may be about the marker, whose job has expired: no document says which one that is."""
    return call.status in (404, 410) or (call.status == 400 and call.code.startswith("InvalidParameterValue"))
