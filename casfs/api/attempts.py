"""One attempt: signed, sent, and refusals turned into errors; the clock corrected on the way."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from casfs.api.clock import ServiceClock
from casfs.api.http.incoming import Check
from casfs.api.http.pools import Outgoing
from casfs.api.http.response import Response
from casfs.api.http.transport import Transport
from casfs.api.journal import journaled, logger
from casfs.api.operations import Request
from casfs.api.providers.meanings import Meaning, Refusal
from casfs.api.providers.provider import Service
from casfs.api.refusals import LONGEST_BODY, LONGEST_MESSAGE, error_for, one_line, refusal_from
from casfs.api.retry import Call
from casfs.errors import CasfsError, TransferError
from casfs.stats import Stats

LONGEST_DOCUMENT = 64 << 20
"""Bytes of a JSON response that are read: a page of 1,000 jobs takes about one MiB, and memory is promised a bound."""


class Attempts:
    """Asks the service once a call.

    Threads: every method may be called from any thread.
    """

    def __init__(self, service: Service, transport: Transport, stats: Stats, clock: ServiceClock) -> None:
        self._signer = service.signer
        self._provider = service.provider
        self._transport = transport
        self._stats = stats
        self._clock = clock

    def ask(self, call: Call, request: Request) -> Response:
        """Return the response to *request*, its body still to be read.

        A signature that is refused while the service's Date is off our clock, by at most a day, is made once more, by
        its clock; one whose keys have expired, once more with newer ones if there are any.

        Raises:
            CasfsError: what the refusal comes to, or what went wrong on the way.
        """
        now_s = self._clock.now_s()
        response, sent = self._send(call, request, now_s)
        if response.status in request.successes:
            return response
        refusal, meaning = self._refusal(call, response)
        self._check_who_refuses(refusal)
        if self._renewed(meaning, sent) or self._corrected(meaning, response, now_s):
            response, _ = self._send(call, request, self._clock.now_s())
            if response.status in request.successes:
                return response
            refusal, meaning = self._refusal(call, response)
        error = error_for(refusal, meaning, response.headers)
        far = self._clock.too_far(response.headers.get("Date")) if meaning in _MAYBE_THE_CLOCK else ""
        if far:
            error = type(error)(f"{error}: {far}")
            error.may_pass = True
        raise error

    def document(self, call: Call, request: Request) -> bytearray:
        """Return the body of the response to *request*, all of it.

        Raises:
            ProtocolError: it is longer than any document.
            CasfsError: as ``ask``.
        """
        with self.ask(call, request) as response:
            body = response.read(LONGEST_DOCUMENT, call.check)
            response.finish()
            return body

    def _renewed(self, meaning: Meaning, sent: Mapping[str, str]) -> bool:
        return meaning is Meaning.EXPIRED and self._signer.renewed(sent)

    def _corrected(self, meaning: Meaning, response: Response, signed_s: float) -> bool:
        return meaning in _MAYBE_THE_CLOCK and self._clock.correct(response.headers.get("Date"), signed_s)

    def _send(self, call: Call, request: Request, now_s: float) -> tuple[Response, Mapping[str, str]]:
        """Return the response to *request*, and what the signer added to it."""
        call.status, call.code, call.request_id = None, "", ""
        signed = self._signer.headers(request, self._transport.host, now_s)
        ranged = {} if request.range is None else {"Range": request.range}
        outgoing = Outgoing(request.target, {**ranged, **signed}, request.method, request.body)
        send = partial(self._transport.send, outgoing, call.idle_s, call.deadline, call.check)
        self._stats.request(request.operation)
        counted = partial(self._counted, request.operation, send)
        response = journaled(call, request, counted) if logger.isEnabledFor(logging.DEBUG) else counted()
        self._clock.hear(response.headers.get("Date"))
        call.status = response.status
        request_id = response.headers.get(self._provider.request_id_header, "")[:LONGEST_MESSAGE]
        call.request_id = request_id if request_id.isascii() and request_id.isprintable() else one_line(request_id)
        return response, signed

    def _counted(self, operation: str, send: Callable[[], Response]) -> Response:
        """Return what *send* returns, and count what comes of it: once its body has been read, or at once a failure."""
        began_s = time.monotonic()
        try:
            response = send()
        except CasfsError:
            self._stats.answer(operation, None, time.monotonic() - began_s)
            raise
        response.on_end(lambda: self._stats.answer(operation, response.status, time.monotonic() - began_s))
        return response

    def _refusal(self, call: Call, response: Response) -> tuple[Refusal, Meaning]:
        """Return why *response* is a refusal, as far as its body comes."""
        with response:
            body = _what_comes(response, lambda _: call.check())
        refusal = refusal_from(call.operation, response.status, response.headers, body, call.request_id)
        refusal = replace(refusal, message=self._without_secrets(refusal.message)[:LONGEST_MESSAGE])
        call.code = refusal.code
        return refusal, self._provider.meaning(refusal)

    def _check_who_refuses(self, refusal: Refusal) -> None:
        """Raise UnreachableError unless the service refuses: it gives a code or an id, and never asks who uses a proxy.

        Raises:
            UnreachableError: it is a proxy.
        """
        if refusal.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED or not (refusal.code or refusal.request_id):
            refused = self._transport.refused_on_the_way(refusal.status)
            if refused is not None:
                raise refused

    def _without_secrets(self, text: str) -> str:
        """Return *text* without what a service may have echoed of the request."""
        for secret in self._signer.secrets():
            text = text.replace(secret, "***")
        return text


_MAYBE_THE_CLOCK = (Meaning.SIGNATURE, Meaning.CLOCK_OR_DENIED)


def _what_comes(response: Response, check: Check) -> bytes:
    """Return the body of a refusal, as much as fits or comes while *check* lets it: the status is known without it."""
    body = memoryview(bytearray(LONGEST_BODY))
    with suppress(TransferError):
        body = body[: response.read_into(body, check)]
        response.finish()
    return bytes(body)
