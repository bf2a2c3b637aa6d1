"""The callbacks of a mount as each FUSE binding takes them, with an init that can fail."""

from collections.abc import Callable
from typing import Any

from casfs.fs.connection import agree
from casfs.fs.needs import Mount
from casfs.fs.operations import ROOT, Operations


class Session:
    """The callbacks of ``Operations``, with an ``init`` that can fail.

    Attributes:
        failure: why the mount could not begin; None if it could.

    Threads: ``init`` runs once, in one of libfuse's threads, before any other callback.
    """

    def __init__(self, operations: Operations, mount: Mount, leave: Callable[[], None]) -> None:
        """Arguments: what to answer, the mount that asks, and libfuse's way to end its loop."""
        self._operations = operations
        self._mount = mount
        self._leave = leave
        self.failure: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operations, name)

    def init(self, path: str) -> None:
        """Begin, or end the mount: libfuse takes no error from its init, and would unmount whatever is at the path."""
        try:
            self._mount.begun()
            self._operations.init(path)
        except BaseException as error:  # noqa: BLE001 - raised again by Binding.serve, once libfuse has returned
            self.failure = error
            self._mount.take_away()
            self._leave()


class MfusepySession(Session):
    """A mount as mfusepy wants it: callbacks are methods, and init has a say in the connection of libfuse 3."""

    def init_with_config(self, connection: Any, config: Any) -> None:
        """Agree with the kernel, and begin."""
        if config is not None:
            agree(connection)
        self.init(ROOT)


class FusepySession(Session):
    """A mount as fusepy wants it: one callable that is given the name of the callback."""

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Answer the callback *name*."""
        return getattr(self, name)(*arguments)
