"""One part through all its attempts: which answer may be served, and which is a failed attempt."""

from collections.abc import Sequence

from casfs.data.content import Content
from casfs.data.hash_coverage import HashCoverage
from casfs.data.hashing import blocks
from casfs.data.settings import Verify
from casfs.errors import CorruptDataError, TransferError
from casfs.models import RangeResponse
from casfs.stats import Stats

MAX_TRIES_WITHOUT_HASH = 3
"""So many answers without a hash are one, where none was ever seen to come: a service that sends none is asked so often
once, and one that forgets it now and then has given it by then."""
MAX_VERSIONS = 3
"""Where no hash decides, and of so many fetches no two are alike, none is believed."""


class AnswerCheck:
    """What became of the attempts at one part so far.

    Args:
        content: whose blocks.
        part: which of them.
        verify: how much checking is asked for.
        stats: counts mismatches.
        coverage: what all outputs of the service were seen to come with.

    Threads: one at a time.
    """

    def __init__(self, content: Content, part: range, verify: Verify, stats: Stats, coverage: HashCoverage) -> None:
        self._content = content
        self._part = part
        self._verify = verify
        self._stats = stats
        self._coverage = coverage
        self._mismatches = 0
        self._versions: list[tuple[bytes, ...]] = []
        self._without_hash = 0

    def judge(self, answer: RangeResponse, digests: Sequence[bytes]) -> None:
        """Return if the blocks that came with *answer*, whose leaves are *digests*, may be served.

        Raises:
            TransferError: they are to be fetched once more.
            CorruptDataError, UncheckableError: as ``Content.admit``.
        """
        self._check_length(answer)
        self._content.media_type = answer.content_type or self._content.media_type
        if self._verify is Verify.OFF:
            return
        self._check_header(answer)
        if answer.tree_hash is None and self._content.wants_two_alike:
            self._compare(digests)
        self._admit(answer, digests)

    def _check_length(self, answer: RangeResponse) -> None:
        wanted = sum(blocks.length(block, self._content.size or 0) for block in self._part)
        if answer.length != wanted:
            raise TransferError(f"{answer.length} bytes came where {wanted} were asked for")

    def _check_header(self, answer: RangeResponse) -> None:
        at_end = self._part.stop == self._content.count
        if answer.not_a_hash:
            raise TransferError(f"the bytes came with {answer.not_a_hash[:80]!a} for a tree hash")
        if answer.tree_hash is not None:
            self._coverage.came(at_end=at_end)
            return
        self._without_hash += 1
        if not self._may_lack(at_end=at_end, is_cut=answer.is_cut):
            raise TransferError("the bytes came without their tree hash")

    def _may_lack(self, *, at_end: bool, is_cut: bool) -> bool:
        """Return whether an answer without a hash is one; the root of its job checks a whole output all the same."""
        content = self._content
        if content.output.tree_hash is None or len(self._part) == content.count:
            return True
        if content.hash_coverage.sends(at_end=at_end) and not is_cut:
            return False
        if content.hash_coverage.lacks(at_end=at_end) or self._coverage.lacks(at_end=at_end):
            return True
        if self._without_hash < MAX_TRIES_WITHOUT_HASH:
            return False
        content.hash_coverage.lacked(at_end=at_end)
        self._coverage.lacked(at_end=at_end)
        return True

    def _compare(self, digests: Sequence[bytes]) -> None:
        """Have the part fetched until two fetches are alike."""
        if self._content.holds(self._part, digests) or tuple(digests) in self._versions:
            return
        self._versions.append(tuple(digests))
        if len(self._versions) < MAX_VERSIONS:
            raise TransferError("damage was seen before, and no hash tells which bytes are right: fetched once more")
        self._stats.count("hash_mismatches")
        self._content.reject(self._part, f"{MAX_VERSIONS} fetches of the same bytes were all different")

    def _admit(self, answer: RangeResponse, digests: Sequence[bytes]) -> None:
        try:
            self._content.admit(self._part, digests, answer.tree_hash, last_try=self._mismatches > 0)
        except CorruptDataError as error:
            self._mismatches += 1
            self._stats.count("hash_mismatches")
            if self._mismatches > 1 or self._content.failure is not None:
                raise
            raise TransferError(str(error)) from error
