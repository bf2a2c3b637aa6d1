"""What a response to a Range request must say before a byte of it is believed. Pure.

Source: RFC 9110 sections 14.4 and 15.3.7; docs/wire.md section 3, Get Job Output.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from casfs.errors import ProtocolError, TransferError
from casfs.models import LARGEST_OUTPUT

_CONTENT_RANGE = re.compile(r"bytes[ =]([0-9]{1,600})-([0-9]{1,600})/([0-9]{1,600}|\*)", re.IGNORECASE)


class OtherSizeError(TransferError):
    """The response says that the output is of another size than was believed.

    Attributes:
        size: length of the output as the response says.
    """

    def __init__(self, size: int, believed: int) -> None:
        super().__init__(f"the service says that the output has {size} bytes, not {believed}")
        self.size = size


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the wanted bytes are in a body.

    Attributes:
        skip: bytes before them.
        length: bytes that are wanted.
        size: length of the whole output.
        is_all: whether the body is just them, so that its hash is theirs.
    """

    skip: int
    length: int
    size: int
    is_all: bool


def wanted(status: int, headers: Mapping[str, str], start: int, length: int, size: int) -> Wanted:
    """Return where the asked bytes are in the body of a response with *status*, 200 or 206.

    A 206 must be of exactly the asked range, and a 200 of the whole output.

    Args:
        status: HTTP status.
        headers: of the response, by name in any case.
        start: first byte asked for.
        length: bytes asked for, 1 or more, up to *size* at most.
        size: length of the output that is believed in.

    Raises:
        OtherSizeError: the response is of an output of another size.
        TransferError: it is not the response to what was asked.
    """
    announced = content_length(headers)
    if status == 206:
        first, last, total = _content_range(headers)
        stop = start + length
        _check(range(start, stop if total is None else min(stop, total)), first, last, announced)
        if total not in (None, size):
            raise OtherSizeError(total, size)
        return Wanted(0, length, size, is_all=True)
    if announced is None:
        raise TransferError("a 200 to a range, of unknown length")
    if announced != size and announced == length:
        raise TransferError("a 200 to a range: the range, or an output of that size?")
    if announced != size:
        raise OtherSizeError(announced, size)
    return Wanted(start, length, size, is_all=length == size)


def learnt(status: int, headers: Mapping[str, str], room: int) -> Wanted | None:
    """Return where the first bytes are in the body of a response to a request for the first *room* bytes.

    Returns:
        None for a response of unknown length, whose end will tell.

    Raises:
        TransferError: it is not the response to what was asked.
        ProtocolError: it tells a size that no output has.
    """
    announced = content_length(headers)
    if status == 200:
        if announced is None:
            return None
        check_possible(announced)
        return Wanted(0, min(room, announced), announced, is_all=announced <= room)
    first, last, total = _content_range(headers)
    if total is None:
        raise TransferError("a Content-Range without the size of the output")
    check_possible(total)
    length = min(room, total)
    _check(range(length), first, last, announced)
    return Wanted(0, length, total, is_all=True)


def check_possible(size: int) -> None:
    """Raise ProtocolError unless an output can have *size* bytes.

    Raises:
        ProtocolError: no output of the service has as many.
    """
    if size > LARGEST_OUTPUT:
        raise ProtocolError(f"the service says that the output has {str(size)[:40]} bytes: no output can")


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the announced length of the body; None where the framing does not tell it.

    Raises:
        TransferError: it is no number: what would follow on the connection is anyone's guess.
    """
    text = headers.get("Content-Length")
    if text is None or "Transfer-Encoding" in headers:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise TransferError(f"a Content-Length of {text[:80]!a}")
    return int(text)


def _content_range(headers: Mapping[str, str]) -> tuple[int, int, int | None]:
    """Return first byte, last byte and size as Content-Range tells them; no size for ``*``."""
    text = headers.get("Content-Range", "")
    found = _CONTENT_RANGE.fullmatch(text)
    if not found:
        raise TransferError(f"a 206 with the Content-Range {text[:80]!a}")
    first, last, total = found.groups()
    return int(first), int(last), None if total == "*" else int(total)


def _check(span: range, first: int, last: int, announced: int | None) -> None:
    """Raise TransferError unless a 206 is of the bytes *span*, and no longer and no shorter."""
    if (first, last) != (span.start, span.stop - 1):
        raise TransferError(f"bytes {first}-{last} came, {span.start}-{span.stop - 1} were asked for")
    if announced not in (None, len(span)):
        raise TransferError(f"{announced} bytes announced for {len(span)}")
