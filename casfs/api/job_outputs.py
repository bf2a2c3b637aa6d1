"""Get Job Output: a range of an output, streamed into the caller's buffers, or an error."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from casfs.api.attempts import Attempts
from casfs.api.http.response import Response
from casfs.api.operations import Request
from casfs.api.ranges import OtherSizeError, Wanted, check_possible, content_length, learnt, wanted
from casfs.api.refusals import PastTheEndError
from casfs.api.retry import Call, Retry, nobody
from casfs.errors import SizeChangedError, TransferError
from casfs.models import RangeResponse
from casfs.stats import Stats

CONTRADICTIONS = 2
"""So many answers that tell another size are believed: one may come from a node or a proxy that is confused."""


class Sink(Protocol):
    """Where the bytes of a range go, and who judges and follows them: what the stage of bytes calls so."""

    def buffer(self, index: int, /) -> memoryview:
        """Return the buffer of each index, from 0 on, when its first byte is about to come."""
        ...

    def filled(self, index: int, /) -> None:
        """Be told that a buffer is full, in order; from 0 again after a retry."""
        ...

    def accept(self, response: RangeResponse, /) -> None:
        """Judge a response once its bytes are in the buffers; what it raises is the failure of that attempt."""
        ...

    def received(self, count: int, /) -> None:
        """Be told how many bytes came, as they come."""
        ...

    def is_cancelled(self) -> bool:
        """Say whether nobody wants the bytes any more."""
        ...


class JobOutputs:
    """Ranges of the outputs of jobs.

    Threads: every method may be called from any thread, many at once.
    """

    def __init__(self, attempts: Attempts, retry: Retry, stats: Stats, tree_hash_header: str) -> None:
        self._attempts = attempts
        self._retry = retry
        self._stats = stats
        self._tree_hash_header = tree_hash_header

    def fetch(self, call: Call, request: Request, size: int, span: range, sink: Sink) -> RangeResponse:
        """Fetch the bytes *span*, which *request* asks for, of an output; as ``RangeSource.fetch`` promises."""
        others: list[int] = []

        def attempt() -> RangeResponse:
            try:
                with self._ask_within(call, request, size) as response:
                    place = wanted(response.status, response.headers, span.start, len(span), size)
                    described = self._take(call, response, place, sink.buffer, sink.filled)
                sink.accept(described)
            except OtherSizeError as error:
                others.append(error.size)
                if len(others) >= CONTRADICTIONS:
                    check_possible(error.size)
                    raise SizeChangedError(str(error), error.size) from error
                raise
            return described

        return self._retry.run(call, attempt)

    def probe(
        self, call: Call, request: Request, block: memoryview, accept: Callable[[RangeResponse], None]
    ) -> RangeResponse:
        """Learn the size of an output from its first bytes, which *request* asks for; as ``RangeSource.probe``."""

        def attempt() -> RangeResponse:
            described = self._probe(call, request, block)
            accept(described)
            return described

        return self._retry.run(call, attempt)

    def _probe(self, call: Call, request: Request, block: memoryview) -> RangeResponse:
        try:
            response = self._attempts.ask(call, request)
        except PastTheEndError as error:
            if error.size == 0 or (error.size is None and self._is_empty(call, request)):
                return RangeResponse(0, 0, None, None)
            raise
        with response:
            place = learnt(response.status, response.headers, len(block))
            if place is None:
                return self._small(call, response, block)
            return self._take(call, response, place, lambda _: block[: place.length], nobody)

    def _is_empty(self, call: Call, request: Request) -> bool:
        """Return whether a response to no range has no byte: a refusal that tells no size is not believed alone."""
        with self._attempts.ask(call, replace(request, range=None, successes=(200,))) as response:
            return response.status == 200 and content_length(response.headers) == 0

    def _small(self, call: Call, response: Response, block: memoryview) -> RangeResponse:
        """Take an output whose length only the end of its body tells: one that fits into the block, whole.

        That end must be told too: that of a connection is no different from its breaking off.
        """
        if not response.chunked:
            raise TransferError("a body of unknown length")
        length = response.read_into(block, call.check)
        response.finish()
        self._stats.count("bytes_fetched", length)
        return self._described(response, Wanted(0, length, length, is_all=True))

    def _ask_within(self, call: Call, request: Request, size: int) -> Response:
        """Return the response to a range within *size*; that it begins past the end is one of another size."""
        try:
            return self._attempts.ask(call, request)
        except PastTheEndError as error:
            told = self._told_size(call, request) if error.size is None else error.size
            if told == size:
                raise
            raise OtherSizeError(told, size) from error

    def _told_size(self, call: Call, request: Request) -> int:
        """Return the size that a response to another range tells, where a refusal does not."""
        with self._attempts.ask(call, replace(request, range="bytes=0-0")) as response:
            place = learnt(response.status, response.headers, 1)
            if place is None:
                raise TransferError("a body of unknown length")
            return place.size

    def _take(
        self,
        call: Call,
        response: Response,
        place: Wanted,
        buffer: Callable[[int], memoryview],
        filled: Callable[[int], None],
    ) -> RangeResponse:
        """Move the wanted bytes of a body into the buffers; what follows them closes the connection."""
        if place.skip:
            response.skip(place.skip, call.check)
            self._stats.count("bytes_fetched", place.skip)
        left, index = place.length, 0
        while left:
            view = buffer(index)
            response.fill(view, call.check)
            self._stats.count("bytes_fetched", len(view))
            filled(index)
            left, index = left - len(view), index + 1
        response.finish()
        return self._described(response, place)

    def _described(self, response: Response, place: Wanted) -> RangeResponse:
        tree_hash = response.headers.get(self._tree_hash_header, "") if place.is_all else ""
        is_hash = re.fullmatch("[0-9a-fA-F]{64}", tree_hash) is not None
        kind = response.headers.get("Content-Type", "")
        return RangeResponse(
            size=place.size,
            length=place.length,
            tree_hash=tree_hash.lower() if is_hash else None,
            content_type=kind if re.fullmatch("[ -~]{1,255}", kind) else None,
            not_a_hash="" if is_hash else tree_hash,
            is_cut=not place.is_all,
        )
