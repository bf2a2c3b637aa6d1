"""What the bytes stage needs of the service: a range of an output, streamed into whole blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from casfs.models import Output, RangeResponse
from casfs.waiting import Deadline

__all__ = ["RangeResponse", "RangeSource", "Watch"]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a request.

    Attributes:
        cancelled: as ``RangeSource.fetch`` has it.
        came: as ``RangeSource.fetch`` has it.
    """

    cancelled: Callable[[], bool]
    came: Callable[[int], None]


class RangeSource(Protocol):
    """The service's bytes.

    Threads: every method may be called from any thread, many at once, and blocks for the network until *deadline*.
    """

    def fetch(  # noqa: PLR0913 - what, where to, and when to stop: nine things that belong to no common noun
        self,
        output: Output,
        size: int,
        span: range,
        *,
        into: Callable[[int], memoryview],
        filled: Callable[[int], None],
        accept: Callable[[RangeResponse], None],
        deadline: Deadline,
        cancelled: Callable[[], bool],
        came: Callable[[int], None],
    ) -> RangeResponse:
        """Fill the buffers with the bytes *span* of *output*, in order, all of them, or raise.

        Args:
            output: whose bytes.
            size: length of the whole output that the caller believes in.
            span: which bytes, at least one, none at or past *size*.
            into: gives the buffer of each index when its first byte is about to come, from 0 on, on the calling thread:
                writable, not empty, and together as long as *span*.
            filled: called with the index of each buffer once it is full, in order, on the calling thread; from 0
                again after a retry. Never called for bytes that are not those of the asked range.
            accept: called with each answer once its bytes are in the buffers; what it raises is the failure of that
                attempt, tried again if it is retryable.
            deadline: when to give up, retries included.
            cancelled: asked between attempts, and every half a second or more often while the service is waited for;
                True ends the call with InterruptedCallError.
            came: told how many bytes came, as they come.

        Raises:
            SizeChangedError: the service says, twice, that the output is not *size* bytes long.
            GoneError: the service has no such output (any more).
            DeadlineError, AccessDeniedError, UnreachableError, ThrottledError, ServiceError, TransferError,
            RefusedError, ProtocolError, InterruptedCallError: after the retries.
            CasfsError: what *accept* raised.
        """
        ...

    def probe(  # noqa: PLR0913 - as many things, for the same reason
        self,
        output: Output,
        into: memoryview,
        accept: Callable[[RangeResponse], None],
        deadline: Deadline,
        *,
        cancelled: Callable[[], bool],
        came: Callable[[int], None],
    ) -> RangeResponse:
        """Learn the size of *output* and fetch its first bytes in the same request.

        Args:
            output: whose size; what it believes of its size is not used.
            into: one block to fill with the first ``min(len(into), size)`` bytes.
            accept: as ``fetch`` has it.
            deadline: when to give up, retries included.
            cancelled: as ``fetch`` has it.
            came: as ``fetch`` has it.

        Returns:
            The answer; its ``length`` says how much of *into* holds bytes. A size of 0 is an answer.

        Raises:
            As ``fetch``, SizeChangedError aside.
        """
        ...
