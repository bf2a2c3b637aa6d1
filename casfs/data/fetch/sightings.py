"""Where outputs were seen: what is not noted in the cache on disk yet, and what was lately.

Nothing can be noted there before it has some of them.
"""

import threading
import time
from dataclasses import dataclass

from cachetools import LRUCache

from casfs.data.disk.layout import Label
from casfs.models import Output
from casfs.waiting import Clock

MAX_SIGHTINGS = 10_000
"""Outputs that are open, or just were, and of which nothing was written: 14 MB with their documents."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What is on disk now.

    Attributes:
        number: how many were noted before it.
        label: where the output was seen.
        digest: of the content that it is.
    """

    number: int
    label: Label
    digest: bytes


class Sightings:
    """What is to be noted, and what was.

    Attributes:
        count: how many were noted.

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
        self._noted: LRUCache[tuple[str, str], Noted] = LRUCache(MAX_SIGHTINGS)
        self.count = 0

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

    def noted(self, output: Output, label: Label, digest: bytes) -> None:
        """Take note that *label* is on disk, beside the content of that digest."""
        with self._lock:
            if self._labels.get(output) is label:
                del self._labels[output]
            self._noted[label.vault, label.job] = Noted(self.count, label, digest)
            self.count += 1

    def since(self, count: int) -> list[Noted]:
        """Return what was noted since *count* were, the last of each job."""
        with self._lock:
            return [noted for noted in self._noted.values() if noted.number >= count]
