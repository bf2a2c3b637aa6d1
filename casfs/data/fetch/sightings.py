"""Where outputs were seen that are not noted in the cache on disk yet: nothing can be, before it has some of them."""

import threading
import time

from cachetools import LRUCache

from casfs.data.disk.layout import Label
from casfs.models import Output
from casfs.waiting import Clock

MAX_SIGHTINGS = 10_000
"""Outputs that are open, or just were, and of which nothing was written: 14 MB with their documents."""


class Sightings:
    """What is to be noted.

    Threads: any; the lock is held for dictionary work only.

    Args:
        endpoint_url: of the service.
        account: the owner's id.
        clock: seconds since 1970.
    """

    def __init__(self, endpoint_url: str, account: str, clock: Clock = time.time) -> None:
        self._endpoint_url = endpoint_url
        self._account = account
        self._clock = clock
        self._lock = threading.Lock()
        self._labels: LRUCache[Output, Label] = LRUCache(MAX_SIGHTINGS)

    def add(self, output: Output) -> None:
        """Take note that an output was seen just now, as far as its job's document says what it is."""
        if not output.document:
            return
        place = (self._endpoint_url, self._account, output.vault, output.job)
        label = Label(*place, output.expires_ns, int(self._clock() * 1e9), output.document)
        with self._lock:
            self._labels[output.bare] = label

    def get(self, output: Output) -> Label | None:
        """Return what is to be noted of an output, None where nothing is."""
        with self._lock:
            return self._labels.get(output)

    def noted(self, output: Output, label: Label) -> None:
        """Take note that *label* is on disk."""
        with self._lock:
            if self._labels.get(output) is label:
                del self._labels[output]
