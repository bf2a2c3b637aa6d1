"""What the kernel side needs of the names and of the bytes."""

from collections.abc import Iterable
from typing import Protocol

from casfs.models import Cached, Output, Verification
from casfs.tree.nodes import Node


class Tree(Protocol):
    """Names.

    Threads: every method may be called from any thread; ``resolve`` and ``entries`` may wait for the network, end
    within 30 s, and end at once when the caller is interrupted.
    """

    def start(self) -> None:
        """Start the threads that ask the service; called once, in the process that serves the mount."""
        ...

    def stop(self) -> None:
        """End every wait with an error, and the threads; may be called more than once."""
        ...

    def resolve(self, path: str, *, fresh: bool = False) -> Node:
        """Return what *path*, absolute in the mount, stands for.

        Args:
            path: as the kernel gives it.
            fresh: whether the call is about *path* itself, whose document must be known; not a step on the way to
                another path.

        Raises:
            NotFoundError: nothing.
            CasfsError: the service could not be asked.
        """
        ...

    def entries(self, node: Node) -> Iterable[tuple[str, Node]]:
        """Return the names in a directory, ``.`` and ``..`` left out, and what they stand for."""
        ...


class Reader(Protocol):
    """One open output.

    Threads: every method may be called from any thread.
    """

    @property
    def keep_pages(self) -> bool:
        """Whether the kernel may keep the pages that it has of this output from earlier opens."""
        ...

    @property
    def uses_pages(self) -> bool:
        """Whether the kernel's pages may serve it; else each read asks."""
        ...

    @property
    def position(self) -> int:
        """Where it stands, about."""
        ...

    @property
    def read_s(self) -> float | None:
        """When it was read last, in monotonic seconds; None where nobody keeps that."""
        ...

    def read_into(self, offset: int, buffer: memoryview, /) -> int:
        """Fill *buffer* from *offset* on; it is not touched after the return.

        Returns:
            Exactly ``min(len(buffer), size - offset)``, 0 at and past the end.

        Raises:
            CasfsError: as many bytes could not be had, or are not the right ones.
        """
        ...

    def check(self) -> None:
        """Raise CorruptDataError if what was served has proved wrong.

        Raises:
            CorruptDataError: it has.
        """
        ...

    def close(self) -> None:
        """Let go of what was read ahead."""
        ...


class Probe(Protocol):
    """What is read to see whether reads are answered.

    Threads: any thread may call. Nothing waits for the network.
    """

    @property
    def text(self) -> bytes:
        """All of it."""
        ...

    def open(self) -> Reader:
        """Open it."""
        ...


class Outputs(Protocol):
    """Bytes.

    Threads: every method may be called from any thread. Only ``open`` and
    ``learn_size`` may wait for the network.
    """

    @property
    def probe(self) -> Probe:
        """What is read to see whether reads are answered."""
        ...

    def start(self) -> None:
        """Start the threads that fetch; called once, in the process that serves the mount."""
        ...

    def stop(self) -> None:
        """End every wait with an error, and the threads; may be called more than once."""
        ...

    def open(self, output: Output) -> Reader:
        """Open *output*, and learn its size where the job's document cannot be relied on for it.

        Raises:
            GoneError: the service no longer has it.
            CasfsError: the size could not be learnt.
        """
        ...

    def size_of(self, output: Output) -> int | None:
        """Return the size of *output* in bytes: as learnt, else as the document says, else None."""
        ...

    def learn_size(self, output: Output, timeout_s: float) -> int:
        """Return the size of *output* in bytes, asked of the service where the job's document has none.

        Raises:
            GoneError: the service no longer has it.
            DeadlineError: it did not say so within *timeout_s*.
            CasfsError: the size could not be learnt.
        """
        ...

    def verification(self, output: Output) -> Verification:
        """Return how much of *output* was checked. No request."""
        ...

    def cached(self, output: Output) -> Cached | None:
        """Return how much of *output* is kept on disk, None where nothing is to be. No request."""
        ...

    def media_type(self, output: Output) -> str | None:
        """Return the Content-Type that came with *output*, None before its first request."""
        ...


class Mount(Protocol):
    """The mount that libfuse makes, as this process knows it."""

    device: int | None

    def begun(self) -> None:
        """Take note that it is made; called once, before anything is answered.

        Raises:
            CasfsError: it must not go on.
        """
        ...

    def take_away(self) -> bool:
        """Take it off its path, and no other mount."""
        ...
