"""What a mount is at, for whoever looks at it through its root."""

import time
from collections.abc import Iterator

from casfs.account import Stages
from casfs.errors import CasfsError
from casfs.fs.handles import Handles
from casfs.models import Output
from casfs.operate.activity import Reading, activity_line
from casfs.operate.expiry import NextExpiry
from casfs.operate.glimpse import Glimpse

DISK_AGE_S = 5.0
"""How old what the cache on disk has taken may be, which costs a lock of its journal."""


class Activity:
    """Nobody is asked who could hang: neither service nor disk.

    Args:
        stages: what the mount stands on.
        handles: the files that are open.

    Attributes:
        expiry: which outputs expire next.

    Threads: any.
    """

    def __init__(self, stages: Stages, handles: Handles) -> None:
        self._stages = stages
        self._handles = handles
        disk, tree, outputs = stages.disk, stages.tree, stages.outputs
        is_whole = None if disk is None else lambda output: str(outputs.cached(output)) == "whole"
        self.expiry = NextExpiry(tree.next_expiry_ns, tree.known_jobs, is_whole)
        self._disk = None if disk is None else Glimpse("size of the cache", disk.store.used_bytes, DISK_AGE_S)

    def line(self) -> str:
        """Return what the mount is at, as one line of JSON."""
        disk_bytes = None if self._disk is None else self._disk.last()
        exchanges, now_s = self._stages.stats.exchanges(), time.monotonic()
        return activity_line(exchanges, self._readings(), self.expiry.outputs(), disk_bytes, now_s)

    def _readings(self) -> Iterator[Reading]:
        for output, reader in self._handles.readers():
            yield Reading(output, self._size(output), reader.position, reader.read_s)

    def _size(self, output: Output) -> int | None:
        try:
            return self._stages.outputs.size_of(output)
        except CasfsError:  # another one is told meanwhile, which cannot be
            return None
