"""What the servers of these tests have in common: a listener, a thread that accepts, and one for each connection."""

import contextlib
import select
import socket
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

POLL_S = 0.01


@dataclass
class Listening:
    """Listens on a port of this machine, and serves each connection on a thread of its own.

    Attributes:
        connections: how many there were.
    """

    connections: int = field(default=0, kw_only=True)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)), kw_only=True)
    _stopping: threading.Event = field(default_factory=threading.Event, kw_only=True)
    _threads: list[threading.Thread] = field(default_factory=list, kw_only=True)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def start(self) -> None:
        self._spawn(self._accept)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        self._listener.close()

    @abstractmethod
    def serve(self, connection: socket.socket, number: int) -> None:
        """Serve one connection, the *number*-th, until it is over."""

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=target, args=args, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            if not select.select([self._listener], [], [], POLL_S)[0]:
                continue
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                self.connections += 1
                self._spawn(self.serve, connection, self.connections)


@contextlib.contextmanager
def unanswered() -> Iterator[str]:
    """Yield a host with a port that lets nobody in and refuses nobody: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in [stack.enter_context(socket.socket()) for _ in range(4)]:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield f"127.0.0.1:{full.getsockname()[1]}"
