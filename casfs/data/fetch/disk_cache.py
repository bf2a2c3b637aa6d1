"""The cache on disk as the outputs of one account are found in it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

from casfs.data.content import Content
from casfs.data.disk.layout import ContentKey
from casfs.data.disk.store import Store
from casfs.data.disk.stored_content import StoredContent
from casfs.data.fetch.sightings import Sightings
from casfs.models import Output

MADE = 256
"""Contents whose place on disk is not worked out anew each time, which costs as much as to look there: those that are
read just now, as a rule, and 2 KiB each."""


@dataclass(frozen=True, slots=True)
class DiskCache:
    """A store, and whose outputs are looked for in it.

    Attributes:
        store: where blocks are kept.
        endpoint_url: of the service.
        account: the owner's id.

        sightings: what is to be noted of outputs that were opened.

    Threads: any; nothing is asked of the disk here, but by ``note``.
    """

    store: Store
    endpoint_url: str
    account: str
    sightings: Sightings = field(init=False)
    _made: Callable[[int, str | None, str, str], StoredContent] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sightings", Sightings(self.endpoint_url, self.account))
        object.__setattr__(self, "_made", functools.lru_cache(MADE)(self._make))

    def stored(self, output: Output, size: int) -> StoredContent:
        """Return the blocks of *output*, which has *size* bytes, on disk."""
        tree_hash = None if output.has_hash_of_more else output.tree_hash
        return self._made(size, tree_hash, output.vault, output.job)

    def of(self, content: Content) -> StoredContent | None:
        """Return the blocks of *content* on disk, None where it has no blocks, or none that are known."""
        return self.stored(content.output, content.size) if content.size else None

    def note(self, content: Content) -> None:
        """Note beside *content* where it was seen, and what the service said of its job, if that is new."""
        label, stored = self.sightings.get(content.output), self.of(content)
        if label is not None and stored is not None and stored.note(label):
            self.sightings.noted(content.output, label, stored.key.digest)

    def _make(self, size: int, tree_hash: str | None, vault: str, job: str) -> StoredContent:
        """Return what is kept under its tree hash where there is one of its own, else under its place."""
        return self.store.content(ContentKey.of(size, tree_hash, (self.endpoint_url, self.account, vault, job)))
