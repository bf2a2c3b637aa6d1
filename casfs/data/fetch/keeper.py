"""What flights need of who keeps on disk what they bring."""

from typing import Protocol

from casfs.data.content import Content
from casfs.data.fetch.flight import Flight


class Keeper(Protocol):
    """Who keeps on disk what the service has brought. Threads: none of its own; the caller locks."""

    def keep(self, flight: Flight) -> None:
        """Keep the blocks of a flight, which are in the cache, and end its lease then."""
        ...

    def forsake(self, flight: Flight) -> None:
        """End the lease of a flight that brings nothing."""
        ...

    def distrust(self, content: Content) -> None:
        """Give up all of a content that has proved wrong."""
        ...
