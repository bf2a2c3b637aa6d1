"""The two ways a client names bytes: the Range header of an output, and RetrievalByteRange of a new job."""

import re

from casfs.emulator.refusal import Refusal
from casfs.emulator.treehash import BLOCK

_HEADER = re.compile(r"bytes=(\d*)-(\d*)")
_RETRIEVAL = re.compile(r"(\d+)-(\d*)")


def asked(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the half-open range that a Range header asks for, cut at *size*; None where it asks for no range.

    A header that cannot be read is ignored, and so are several ranges at once: the whole output is the answer.

    Raises:
        Refusal: it starts at or past the end.

    Source: CAS is silent; Glacier ignores what it cannot read (boto3#2077) and answers 400, not 416, past the end
    (boto#2510). That an end past the end is cut is RFC 9110, section 14.1.2.
    """
    match = _HEADER.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if last and first and int(last) < start:
        return None
    if start >= size:
        raise Refusal(
            "InvalidParameterValueException",
            f"The start of the range is larger than size of retrieved data: {header}",
        )
    return start, stop


def held(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the half-open range of the bytes that the answer to a Range header holds; None where it is refused."""
    try:
        return asked(header, size) or (0, size)
    except Refusal:
        return None


def retrieval(text: str | None, size: int) -> tuple[int, int]:
    """Return the half-open range of an archive of *size* bytes that a new job is to retrieve; all of it for None.

    Raises:
        Refusal: it is no range, is not aligned to megabytes, or does not lie within the archive.

    Source: Initiate Job of both services, RetrievalByteRange: the start divisible by 1 MiB, and the end plus one
    too unless it is the archive's. That one without an end is up to the archive's is what the vendor's command line
    relies on, which sends it where only a start is given.
    """
    if text is None:
        return 0, size
    match = _RETRIEVAL.fullmatch(text)
    start, stop = (int(match[1]), int(match[2]) + 1 if match[2] else size) if match else (0, 0)
    if not start < stop <= size or start % BLOCK or (stop % BLOCK and stop != size):
        raise Refusal("InvalidParameterValueException", f"The retrieval byte range is not valid: {text}")
    return start, stop
