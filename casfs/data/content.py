"""What is known of one output's bytes: size, hashes, whether they can be trusted."""

import threading
from collections.abc import Sequence

from casfs.data import blocks, treehash
from casfs.data.leaves import Leaves
from casfs.data.settings import Verify
from casfs.errors import CasfsError, CorruptDataError, GoneError, UncheckableError
from casfs.models import Output
from casfs.stats import Stats


class Content:
    """The bytes of *output* as this mount believes in them; a new one is made when they turn out to be others.

    Attributes:
        output: what the service lets one download.
        size: length in bytes, None until it was learnt.
        media_type: Content-Type, None until an answer had one.
        failure: why no byte of it will be served any more, or None.
        gone: what the service said when it no longer had the output, or None; what is held is served on.
        in_doubt: whether the kernel may hold pages that are not these bytes.
        readers: how many have it open.

    Threads: any.
    """

    # A mount that lasts sees a million outputs, and remembers the latest hundred thousand.
    __slots__ = (
        "_before",
        "_corrupt",
        "_hashes_came",
        "_leaves",
        "_lock",
        "_root_met",
        "_stats",
        "_verify",
        "failure",
        "gone",
        "in_doubt",
        "media_type",
        "output",
        "readers",
        "size",
    )

    def __init__(
        self, output: Output, size: int | None, verify: Verify, stats: Stats, before: "Content | None" = None
    ) -> None:
        self.output = output
        self.size: int | None = None
        self.media_type: str | None = None
        self.failure: CasfsError | None = None
        self.gone: GoneError | None = None
        self.in_doubt = before is not None
        self.readers = 0
        self._before = before
        self._verify = verify
        self._stats = stats
        self._leaves = Leaves(0)
        self._hashes_came = False
        self._root_met = False
        self._corrupt: frozenset[int] = frozenset()
        self._lock = threading.Lock()
        if size is not None:
            self.learn(size)

    @property
    def count(self) -> int:
        """Blocks of the output, once its size is known."""
        return self._leaves.count

    @property
    def name(self) -> str:
        """The output for a message: vault and job."""
        return f"{self.output.vault}/{self.output.job}"

    @property
    def is_forgettable(self) -> bool:
        """Whether to begin anew at the next open would serve the same bytes, and hide nothing that went wrong."""
        is_as_told = self.output.is_inventory or self.output.size is None or self.size == self.output.size
        return is_as_told and not (self.readers or self.in_doubt or self.failure or self._corrupt)

    def open(self) -> bool:
        """Count one more reader; return whether what the kernel holds of the output may be served to it."""
        self.readers += 1
        is_bad = bool(self._corrupt) or self.failure is not None
        keep_pages = not (self.in_doubt or is_bad)
        if self._before is not None and not self._before.readers:
            self._before = None
        # Readers of what it was believed to be before could still fill pages after this open has emptied them.
        self.in_doubt = is_bad or self._before is not None
        return keep_pages

    def learn(self, size: int) -> None:
        """Note the size; it stays so."""
        self._leaves = Leaves(blocks.count(size))
        self.size = size
        if not size and self.output.tree_hash not in (None, treehash.EMPTY) and self._verify is not Verify.OFF:
            self.failure = CorruptDataError(f"{self.name}: it is empty, and its tree hash is not that of nothing")

    def admit(self, part: range, digests: Sequence[bytes], tree_hash: str | None, *, last_try: bool) -> None:
        """Check the blocks of *part* by every hash there is, and note theirs; returns if they may be served.

        Args:
            part: the blocks, a node of the tree.
            digests: their leaves.
            tree_hash: the service's hash of the part, None where it gave none.
            last_try: whether they will not be fetched once more; then a mismatch is remembered.

        Raises:
            CorruptDataError: they are not what a hash says, or not what they were before.
            UncheckableError: nothing can check them, and it is required.
        """
        with self._lock:
            try:
                checked = self._check(part, digests, tree_hash)
            except CorruptDataError:
                if last_try:
                    self._corrupt |= set(part)
                raise
            if not self._check_root(part, checked=checked, last_try=last_try) and self._verify is Verify.REQUIRE:
                raise UncheckableError(f"{self.name}: the service gives no hash for blocks {part.start} to {part[-1]}")
            self._corrupt -= set(part)

    def verified(self) -> str:
        """Return how much was checked: ``whole``, ``K/N``, ``none``, ``unavailable`` or ``mismatch``."""
        with self._lock:
            if self._corrupt or isinstance(self.failure, CorruptDataError):
                return "mismatch"
            if self.output.tree_hash is None and not self._hashes_came:
                return "unavailable"
            if self._leaves.proven == self._leaves.count and self.size is not None:
                return "whole"
            return f"{self._leaves.proven}/{self._leaves.count}" if self._leaves.proven else "none"

    def _check(self, part: range, digests: Sequence[bytes], tree_hash: str | None) -> bool:
        """Check the blocks by the hash of their part and by what was known of them; return whether either proved them.

        Blocks that were served unchecked and now come otherwise, with a hash, are right now and were wrong then: the
        kernel may still hold them. Without a hash nobody knows which were right, and neither is served.
        """
        if self.failure is not None:
            raise self.failure.with_traceback(None)
        which = f"{self.name}: blocks {part.start} to {part[-1]}"
        changed = [b for b, new in zip(part, digests, strict=True) if self._leaves.get(b) not in (None, new)]
        if tree_hash is not None:
            self._hashes_came = True
            if treehash.root(digests).hex() != tree_hash:
                raise CorruptDataError(f"{which} do not have the hash that came with them")
        if changed and (tree_hash is None or any(self._leaves.is_proven(block) for block in changed)):
            raise CorruptDataError(f"{which} are not what they were before")
        self.in_doubt = self.in_doubt or bool(changed)
        checked = tree_hash is not None or all(self._leaves.is_proven(block) for block in part)
        for block, digest in zip(part, digests, strict=True):
            self._leaves.put(block, digest, proven=checked)
        if checked:
            self._stats.count("blocks_verified", len(part))
        return checked

    def _check_root(self, part: range, *, checked: bool, last_try: bool) -> bool:
        leaves, wanted = self._leaves, self.output.tree_hash
        if wanted is None or leaves.known < leaves.count:
            return checked
        if not self._root_met:
            if leaves.root().hex() != wanted:
                self._reject_root(part, last_try=last_try)
            self._root_met = True
            self._stats.count("blocks_verified", leaves.prove_all())
        return True

    def _reject_root(self, part: range, *, last_try: bool) -> None:
        error = CorruptDataError(f"{self.name}: the output does not have the tree hash of its job")
        if last_try:  # which block is wrong cannot be known, so none can be trusted
            self.failure = error
        else:
            for block in part:
                self._leaves.forget(block)
        raise error
