"""What the bytes stage needs of the service: a range of an output, streamed into whole blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from casfs.models import Output, RangeResponse
from casfs.waiting import Deadline

__all__ = ["RangeResponse", "RangeSource", "Sink", "Watch"]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a request.

    Attributes:
        is_cancelled: as ``Sink`` has it.
        received: as ``Sink`` has it.
    """

    is_cancelled: Callable[[], bool]
    received: Callable[[int], None]


class Sink(Protocol):
    """Where the bytes of one range go, through all attempts, and who judges and follows them.

    Threads: called on the thread that fetches.
    """

    def buffer(self, index: int, /) -> memoryview:
        """Return the buffer of each index, from 0 on, when its first byte is about to come: writable, not empty."""
        ...

    def filled(self, index: int, /) -> None:
        """Be told that a buffer is full, in order; from 0 again after a retry, and never of bytes of another range."""
        ...

    def accept(self, response: RangeResponse, /) -> None:
        """Judge a response once its bytes are in the buffers.

        Raises:
            CasfsError: the attempt has failed; it is made again if the error is retryable.
        """
        ...

    def received(self, count: int, /) -> None:
        """Be told how many bytes came, as they come."""
        ...

    def is_cancelled(self) -> bool:
        """Say whether nobody wants the bytes any more, which ends the call with InterruptedCallError.

        Asked between attempts, and every half a second or more often while the service is waited for.
        """
        ...


class RangeSource(Protocol):
    """The service's bytes.

    Threads: every method may be called from any thread, many at once, and blocks for the network until *deadline*.
    """

    def fetch(self, output: Output, size: int, span: range, sink: Sink, deadline: Deadline) -> RangeResponse:
        """Fill the buffers of *sink* with the bytes *span* of *output*, in order, all of them, or raise.

        Args:
            output: whose bytes.
            size: length of the whole output that the caller believes in.
            span: which bytes, at least one, none at or past *size*.
            sink: its buffers are together as long as *span*.
            deadline: when to give up, retries included.

        Raises:
            SizeChangedError: the service says, twice, that the output is not *size* bytes long.
            GoneError: the service has no such output (any more).
            DeadlineError, AccessDeniedError, UnreachableError, ThrottledError, ServiceError, TransferError,
            RefusedError, ProtocolError, InterruptedCallError: after the retries.
            CasfsError: what the sink raised.
        """
        ...

    def probe(self, output: Output, sink: Sink, deadline: Deadline) -> RangeResponse:
        """Learn the size of *output* and fetch its first bytes in the same request.

        Args:
            output: whose size; what it believes of its size is not used.
            sink: its buffer 0 is filled with the first ``min(len(buffer), size)`` bytes, and it is not told so.
            deadline: when to give up, retries included.

        Returns:
            The response; its ``length`` says how much of the buffer holds bytes. A size of 0 is a response.

        Raises:
            As ``fetch``, SizeChangedError aside.
        """
        ...
