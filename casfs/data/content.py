"""What is known of one output's bytes: size, hashes, whether they can be trusted."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn, TypeVar

from casfs.data import mismatch
from casfs.data.hash_coverage import HashCoverage
from casfs.data.hashing import blocks, treehash
from casfs.data.hashing.leaves import Leaves
from casfs.data.open_readers import OpenReader, OpenReaders
from casfs.data.settings import Verify
from casfs.data.verification import verification_of
from casfs.errors import CasfsError, CorruptDataError, GoneError, UncheckableError
from casfs.models import Output, Verification
from casfs.stats import Stats

Failure = TypeVar("Failure", bound=CasfsError)


class Content:
    """The bytes of *output* as this mount believes in them; a new one is made when they turn out to be others.

    Attributes:
        output: what the service lets one download.
        size: length in bytes, None until it was learnt.
        count: blocks of the output, 0 until its size is known.
        media_type: Content-Type, None until an answer had one.
        failure: why no byte of it will be served any more, or None.
        gone: what the service said when it no longer had the output, or None; what is held is served on.
        open_readers: who has it open.
        hash_coverage: whether its parts come with hashes.
        has_unproven: whether a block was admitted that nothing has proved yet.
        before: what was believed before, as long as that has readers.
        is_on_disk: whether what was wanted of it last was there.
        root_met: whether it is what its job's hash says: then nothing can prove wrong any more.
        was_mismatch: whether what was believed before did not fit a hash.
        is_told: whether the log has a line that says so.

    Threads: any.
    """

    # A mount that lasts sees a million outputs, and remembers the latest hundred thousand.
    __slots__ = (
        "_corrupt", "_leaves", "_lock", "_stats", "_verify", "before", "count", "failure", "gone", "has_unproven",
        "hash_coverage", "is_on_disk", "is_told", "media_type", "open_readers", "output", "root_met", "size",
        "was_mismatch",
    )  # fmt: skip

    def __init__(
        self, output: Output, size: int | None, verify: Verify, stats: Stats, before: "Content | None" = None
    ) -> None:
        self.output = output
        self.size: int | None = None
        self.count = 0
        self.media_type: str | None = None
        self.failure: CasfsError | None = None
        self.gone: GoneError | None = None
        self.open_readers = OpenReaders(are_pages_in_doubt=before is not None)
        self.hash_coverage: HashCoverage = HashCoverage() if before is None else before.hash_coverage
        self.has_unproven = False
        self.before: Content | None = _with_readers(before)
        self._verify = verify
        self._stats = stats
        self._leaves = Leaves(0)
        self.is_told: bool = before is not None and before.is_told
        self.is_on_disk = self.root_met = False
        self.was_mismatch: bool = before is not None and (before.is_mismatch or before.was_mismatch)
        self._corrupt: frozenset[int] = frozenset()
        self._lock = threading.Lock()
        if size is not None:
            self.learn(size)

    @property
    def known(self) -> int:
        """Blocks of which the hash is known."""
        return self._leaves.known

    @property
    def name(self) -> str:
        """The output for a message: vault and job."""
        return str(self.output)

    @property
    def is_mismatch(self) -> bool:
        """Whether bytes of it and a hash did not belong together, twice."""
        return bool(self._corrupt) or isinstance(self.failure, CorruptDataError)

    @property
    def wants_two_alike(self) -> bool:
        """Whether two equal fetches are to decide: damage was seen, and there is no hash that could."""
        return self.was_mismatch and self.output.tree_hash is None and not self.hash_coverage.has_hashes

    def open(self, *, are_pages_forgotten: bool = False) -> OpenReader:
        """Count one more reader.

        Args:
            are_pages_forgotten: whether the kernel may hold pages of it that nobody here remembers.

        Returns:
            It, which says whether what the kernel holds of the output may be served to it.
        """
        self.before = _with_readers(self.before)
        return self.open_readers.open(
            are_pages_forgotten=are_pages_forgotten,
            is_bad=bool(self._corrupt) or self.failure is not None,
            is_undecided=self.has_unproven and (self.output.tree_hash is not None or self.hash_coverage.has_hashes),
            is_proven=self.root_met,
            has_former_readers=self.before is not None,
        )

    def learn(self, size: int) -> None:
        """Note the size; it stays so."""
        self.count = blocks.count(size)
        self._leaves = Leaves(self.count)
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
                is_proven = self._check(part, digests, tree_hash, last_try=last_try)
            except CorruptDataError as error:
                if last_try:
                    self._corrupt |= set(part)
                    self._tell(error)
                raise
            if not is_proven and self._verify is Verify.REQUIRE:
                text = f"the service gives no hash for blocks {part.start} to {part[-1]}"
                raise self._tell(UncheckableError(f"{self.name}: {text}"))
            self._corrupt -= set(part)

    def recall(self, part: range, digests: Sequence[bytes], *, is_proven: bool) -> None:
        """Take note of blocks that were admitted before, be it by another process; returns if they may be served.

        Args:
            part: the blocks.
            digests: their leaves, which their bytes have.
            is_proven: whether hashes that the service gave were met then.

        Raises:
            CorruptDataError: one is not what it was since, or they are not what a hash says.
            UncheckableError: nothing proved them, and that is required.
        """
        with self._lock:
            is_proven = self._check(part, digests, None, last_try=False, was_proven=is_proven)
            if not is_proven and self._verify is Verify.REQUIRE:
                raise UncheckableError(f"{self.name}: the service gave no hash for block {part.start}")

    def leaf(self, block: int) -> tuple[bytes, bool] | None:
        """Return the hash of a block, and whether it is proven; None where it is not known, or nothing is believed."""
        with self._lock:
            digest = None if self.failure is not None else self._leaves.get(block)
            return None if digest is None else (digest, self._leaves.is_proven(block))

    def reject(self, part: range, text: str) -> NoReturn:
        """Remember that blocks cannot be trusted.

        Raises:
            CorruptDataError: always.
        """
        with self._lock:
            self._corrupt |= set(part)
            raise self._tell(CorruptDataError(f"{self.name}: {text}"))

    def holds(self, part: range, digests: Sequence[bytes]) -> bool:
        """Say whether the blocks of *part* were admitted before, with these leaves."""
        with self._lock:
            return all(self._leaves.get(block) == digest for block, digest in zip(part, digests, strict=True))

    def refute(self, right: Leaves | Mapping[int, bytes], part: Iterable[int], size: int | None) -> None:
        """Be told which leaves of *part* are right, and how long the output is, by who or what is believed in since."""
        with self._lock:
            known = self._leaves if self.size == size else None
            is_refuted = known is None or any(known.get(block) not in (None, right.get(block)) for block in part)
            if is_refuted and not (self.root_met or isinstance(self.failure, CorruptDataError)):
                self._fail(CorruptDataError(f"{self.name}: what was served of it has proved wrong"))
        self._refute_before(right, part, size)

    def verification(self) -> Verification:
        """Return how much was checked."""
        with self._lock:
            return verification_of(
                self._leaves,
                is_mismatch=self.is_mismatch or (self.was_mismatch and not self._leaves.known),
                has_hashes=self.output.tree_hash is not None or self.hash_coverage.has_hashes,
                is_size_known=self.size is not None,
            )

    def _check(
        self, part: range, digests: Sequence[bytes], tree_hash: str | None, *, last_try: bool, was_proven: bool = False
    ) -> bool:
        """Check the blocks by all hashes, and note their own; return whether anything proved them."""
        if self.failure is not None:
            raise self.failure.with_traceback(None)
        if tree_hash is not None:
            self.hash_coverage.came(at_end=part.stop == self.count)
            self._check_hash(part, digests, tree_hash)
        was_proven = was_proven or tree_hash is not None
        self._check_past(part, digests, is_proven=was_proven, last_try=last_try)
        new = [block for block in part if self._leaves.get(block) is None]
        checked = was_proven or all(self._leaves.is_proven(block) for block in part)
        for block, digest in zip(part, digests, strict=True):
            self._leaves.put(block, digest, proven=checked)
        self.has_unproven = (self.has_unproven or not checked) and self._leaves.proven < self.count
        if checked:
            self._stats.count("blocks_verified", len(part))
            self._refute_before(self._leaves, part, self.size)
        return self._check_root(new, last_try=last_try) or checked

    def _check_hash(self, part: range, digests: Sequence[bytes], tree_hash: str) -> None:
        got = treehash.root(digests).hex()
        if got != tree_hash:
            is_of_all = tree_hash == self.output.tree_hash and len(part) < self.count
            raise mismatch.of_part(self.name, part, got, tree_hash, is_of_all=is_of_all)

    def _check_past(self, part: range, digests: Sequence[bytes], *, is_proven: bool, last_try: bool) -> None:
        """Hold the blocks to what they were before.

        Blocks that were served unproven and now come otherwise with a hash were wrong then. With two hashes or none
        nobody knows when they were, and neither version is served on.
        """
        was = ((block, self._leaves.get(block), new) for block, new in zip(part, digests, strict=True))
        changed = [(block, old, new) for block, old, new in was if old is not None and old != new]
        if not changed:
            return
        was_proven = any(self._leaves.is_proven(block) for block, _, _ in changed)
        if is_proven and not was_proven:
            self.open_readers.deceive()
            return
        error = mismatch.of_versions(self.name, *changed[0])
        if last_try and not self.root_met and (is_proven or not was_proven):
            self._fail(error)
        raise error

    def _check_root(self, new: Sequence[int], *, last_try: bool) -> bool:
        """Return whether the root proves every block; *new* are those that were not known before this part."""
        leaves, wanted = self._leaves, self.output.tree_hash
        if wanted is None or leaves.known < leaves.count:
            return False
        if not self.root_met:
            self._meet_root(leaves.root().hex(), wanted, new, last_try=last_try)
        return True

    def _meet_root(self, got: str, wanted: str, new: Sequence[int], *, last_try: bool) -> None:
        if got != wanted:
            error = mismatch.of_root(self.name, got, wanted)
            if last_try:  # which block is wrong cannot be known, so none can be trusted
                self._fail(error)
            for block in new:  # others were served, and are not to come otherwise unnoticed
                self._leaves.forget(block)
            raise error
        self.root_met = True
        self.has_unproven = False
        self._stats.count("blocks_verified", self._leaves.prove_all())
        self._refute_before(self._leaves, range(self.count), self.size)

    def _refute_before(self, right: Leaves | Mapping[int, bytes], part: Iterable[int], size: int | None) -> None:
        before = self.before  # an open lets go of it once its last reader has closed, in a moment of its own
        if before is not None:
            before.refute(right, part, size)
            if before.open_readers.take_wrong():
                self.open_readers.are_pages_wrong = True

    def _fail(self, error: CorruptDataError) -> None:
        """Serve no byte any more; *error* itself is raised, or told, by whoever found it out."""
        self.failure = CorruptDataError(str(error))
        self.failure.is_told = True
        self.open_readers.deceive()

    def _tell(self, error: Failure) -> Failure:
        """Mark all but the first of an output's errors, so that the log has one line."""
        error.is_told = error.is_told or self.is_told
        self.is_told = True
        return error


def _with_readers(content: Content | None) -> Content | None:
    """Return *content*, or what was believed before it, whichever has readers."""
    while content is not None and not content.open_readers:
        content = content.before
    return content
