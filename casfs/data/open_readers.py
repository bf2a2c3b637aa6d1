"""Who has an output open: what each may have been served that may yet prove wrong, and what failed for them lately."""

from dataclasses import dataclass

from casfs.errors import CasfsError, CorruptDataError

FAILURE_TTL_S = 1.0
"""How long a block that failed is not asked for again by those who had the output open then. The kernel reads a page
anew, at once, when the read-ahead that held it has failed, and once more for each program that waited for that page:
without this they would wait for one deadline after the other."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """A block that failed: for calls that begin within a time."""

    error: CasfsError
    from_s: float
    until_s: float


class OpenReader:
    """One who has an output open.

    Attributes:
        block: where it stands: the one that it waited for last.
        doubt: how often the kernel's pages had been doubted when it was opened, if the kernel empties them for it and
            was not heard of since; else None.
        keep_pages: whether what the kernel held of the output before may be served to it.
        uses_pages: whether what the kernel holds of the output may be, from now on: readers of what it was believed to
            be before could fill pages that the kernel has emptied for it.
        is_exposed: whether it may have been served bytes that the root of the job had not proved.
        is_deceived: whether such bytes have proved wrong since.
        is_closed: whether it serves nothing any more.
    """

    __slots__ = ("_failures", "block", "doubt", "is_closed", "is_deceived", "is_exposed", "keep_pages", "uses_pages")

    def __init__(self, *, keep_pages: bool, uses_pages: bool, is_exposed: bool, doubt: int | None) -> None:
        self.block = 0
        self.doubt = doubt
        self.keep_pages = keep_pages
        self.uses_pages = uses_pages
        self.is_exposed = is_exposed
        self.is_deceived = False
        self.is_closed = False
        self._failures: dict[int, _Failure] = {}

    def note(self, block: int, error: CasfsError, now_s: float, *, from_s: float) -> None:
        """Have calls of this reader that begin from *from_s* on fail where they lack *block*, for a while."""
        self._failures = {other: one for other, one in self._failures.items() if one.until_s > now_s}
        self._failures[block] = _Failure(error, from_s, now_s + FAILURE_TTL_S)

    def failed(self, block: int, began_s: float, now_s: float) -> CasfsError | None:
        """Return what *block* failed with lately, None where a call that began then may ask for it."""
        found = self._failures.get(block)
        return found.error if found and found.from_s <= began_s and now_s < found.until_s else None

    def deception(self, name: str) -> CorruptDataError:
        """Return the error of one that is deceived, by bytes of the output *name*."""
        return CorruptDataError(f"{name}: bytes that were served before have proved wrong")


class OpenReaders:
    """The readers of one output.

    The kernel serves a page that one program has read to all others and tells nobody: what is served to one counts as
    served to all that have the output open.

    Args:
        are_pages_in_doubt: whether the kernel may hold pages that are not the bytes of the output.

    Attributes:
        are_exposed: whether all of them may have been served bytes that may yet prove wrong.
        are_pages_in_doubt: whether the kernel may hold pages that are not the bytes of the output.
        are_pages_wrong: whether a program may have been served what has proved wrong, and nobody was told.

    Threads: any; whoever serves bytes, opens or closes holds the lock of the monitor.
    """

    __slots__ = ("_doubts", "_is_new", "_readers", "are_exposed", "are_pages_in_doubt", "are_pages_wrong")

    def __init__(self, *, are_pages_in_doubt: bool) -> None:
        self.are_exposed = False
        self.are_pages_in_doubt = are_pages_in_doubt
        self.are_pages_wrong = False
        self._is_new = True
        self._doubts = 0
        # A tuple that is replaced, not changed, so that others may walk it; an output that nobody has open shares one.
        self._readers: tuple[OpenReader, ...] = ()

    def __len__(self) -> int:
        """Return how many have the output open."""
        return len(self._readers)

    @property
    def span(self) -> range:
        """From which block to which they stand."""
        blocks = [reader.block for reader in self._readers] or [0]
        return range(min(blocks), max(blocks) + 1)

    def open(
        self, *, are_pages_forgotten: bool, is_bad: bool, is_undecided: bool, is_proven: bool, has_former_readers: bool
    ) -> OpenReader:
        """Return one more reader.

        Args:
            are_pages_forgotten: whether the kernel may hold pages of the output that nobody here remembers.
            is_bad: whether something of the output cannot be trusted.
            is_undecided: whether it may yet prove wrong. Then it is not handed from one reader to the next by the
                kernel, which would not tell.
            is_proven: whether nothing can prove wrong any more.
            has_former_readers: whether somebody still reads what it was believed to be before.
        """
        in_doubt = self.are_pages_in_doubt or (self._is_new and are_pages_forgotten)
        keep_pages = not (in_doubt or is_bad or is_undecided)
        self._is_new = False
        # Until the kernel is heard of, which has emptied them then: an open that comes meanwhile may be through before.
        # Readers of what it was believed to be before could still fill pages after this open has emptied them.
        self.are_pages_in_doubt = in_doubt or is_bad or has_former_readers
        doubt = None if keep_pages or is_bad or has_former_readers else self._doubts
        open_reader = OpenReader(
            keep_pages=keep_pages,
            uses_pages=not has_former_readers,
            is_exposed=keep_pages and not is_proven,
            doubt=doubt,
        )
        self._readers += (open_reader,)
        self.are_exposed = self.are_exposed and open_reader.is_exposed
        return open_reader

    def close(self, open_reader: OpenReader) -> None:
        """Let a reader go."""
        self._readers = tuple(other for other in self._readers if other is not open_reader)

    def fail(self, by: OpenReader, block: int, error: CasfsError, now_s: float) -> None:
        """Tell all that a call of one of them could not have *block*; another's that had begun may have more time."""
        for open_reader in self._readers:
            open_reader.note(block, error, now_s, from_s=0.0 if open_reader is by else now_s)

    def expose(self) -> None:
        """Note that bytes are being served that may yet prove wrong."""
        for open_reader in self._readers:
            open_reader.is_exposed = True
        self.are_exposed = True

    def hear_of(self, by: OpenReader) -> None:
        """Note that *by* reads: the kernel has opened it, and has emptied its pages for it if it was to."""
        if by.doubt == self._doubts:
            self.are_pages_in_doubt = False
        by.doubt = None

    def deceive(self) -> None:
        """Note that such bytes have proved wrong, of which the kernel may have pages."""
        self.are_pages_in_doubt = self.are_pages_wrong = True
        self._doubts += 1
        for open_reader in self._readers:
            open_reader.is_deceived = open_reader.is_deceived or open_reader.is_exposed

    def take_wrong(self) -> bool:
        """Say whether the kernel may have pages that have proved wrong, once: whoever asks has them dropped."""
        if not self.are_pages_wrong:
            return False  # and nothing is written over what is found wrong meanwhile, without the lock
        self.are_pages_wrong = False
        return True
