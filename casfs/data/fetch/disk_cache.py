"""The cache on disk as the outputs of one account are found in it."""

from dataclasses import dataclass, field

from casfs.data.content import Content
from casfs.data.disk.layout import ContentKey
from casfs.data.disk.store import Store
from casfs.data.disk.stored_content import StoredContent
from casfs.data.fetch.sightings import Sightings
from casfs.models import Output


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "sightings", Sightings(self.endpoint_url, self.account))

    def key(self, output: Output, size: int) -> ContentKey:
        """Return what *output*, which has *size* bytes, is kept under: its tree hash where there is one of its own."""
        tree_hash = None if output.has_hash_of_more else output.tree_hash
        return ContentKey.of(size, tree_hash, (self.endpoint_url, self.account, output.vault, output.job))

    def stored(self, output: Output, size: int) -> StoredContent:
        """Return the blocks of *output* on disk."""
        return self.store.content(self.key(output, size))

    def of(self, content: Content) -> StoredContent | None:
        """Return the blocks of *content* on disk, None where it has no blocks, or none that are known."""
        return self.stored(content.output, content.size) if content.size else None

    def note(self, content: Content) -> None:
        """Note beside *content* where it was seen, and what the service said of its job, if that is new."""
        label, stored = self.sightings.get(content.output), self.of(content)
        if label is not None and stored is not None and stored.note(label):
            self.sightings.noted(content.output, label, stored.key.digest)
