"""The socket on which a service manager hears from its services."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 120.0
"""How long a test waits for what must be told, on a very busy machine."""


class Heard:
    """What was told, message by message.

    Attributes:
        address: as NOTIFY_SOCKET has it.
        messages: all that was taken so far.
    """

    def __init__(self, line: socket.socket, address: str) -> None:
        self._line = line
        self.address = address
        self.messages: list[dict[str, str]] = []

    def next(self, wait_s: float = PATIENCE_S) -> dict[str, str] | None:
        """Return the next message as what it assigns, None where none comes within a time."""
        self._line.settimeout(wait_s)
        try:
            text = self._line.recv(4096).decode()
        except (TimeoutError, BlockingIOError):
            return None
        self.messages.append(dict(line.split("=", 1) for line in text.split("\n")))
        return self.messages[-1]

    def until(self, happened: Callable[[dict[str, str]], bool], what: str) -> dict[str, str]:
        """Return the first message of which *happened* says so."""
        ends_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends_s:
            message = self.next()
            if message is not None and happened(message):
                return message
        raise AssertionError(f"{what} was never told: {self.messages}")

    def has(self, name: str) -> dict[str, str]:
        """Return the next message that assigns *name*."""
        return self.until(lambda message: name in message, name)

    def forget(self) -> None:
        """Take what has been told by now."""
        while self.next(0.0) is not None:
            pass


@contextmanager
def manager(folder: Path | None = None) -> Iterator[Heard]:
    """Listen on a path in *folder*, else under an abstract name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        if folder is None:
            line.bind("")  # the kernel chooses a name
            name: bytes = line.getsockname()
            yield Heard(line, f"@{name[1:].decode()}")
        else:
            path = folder / f"notify-{time.monotonic_ns()}"
            line.bind(str(path))
            yield Heard(line, str(path))
