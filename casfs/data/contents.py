"""What is known of every output that was opened, or whose size was asked for."""

import threading
from collections import OrderedDict

from casfs.data.content import Content
from casfs.data.settings import Verify
from casfs.errors import SizeChangedError
from casfs.models import Output
from casfs.stats import Stats

MAX_REMEMBERED_OUTPUTS = 100_000
"""Outputs of which is remembered what was learnt and checked: as many as the listing of a large vault; with some 800
bytes each they make 80 MB. The one opened longest ago is forgotten first, and never one that is open or went wrong."""


class Contents:
    """The contents of outputs, by vault and job.

    Args:
        verify: how much checking a read asks for.
        stats: counters of the mount.
        remembered: how many are kept of those that could be made anew.

    Attributes:
        has_forgotten: whether there was more than is remembered.

    Threads: any.
    """

    def __init__(self, verify: Verify, stats: Stats, remembered: int) -> None:
        self.has_forgotten = False
        self._verify = verify
        self._stats = stats
        self._remembered = remembered
        self._contents: OrderedDict[tuple[str, str], Content] = OrderedDict()
        self._lock = threading.Lock()

    def believed(self, output: Output, *, is_opening: bool = False) -> tuple[Content, Content | None]:
        """Return what is believed of *output*, made anew where that has proved wrong, and what was believed before.

        What does not fit a hash is believed in until somebody opens the output again: damage may pass.

        Args:
            output: whose content.
            is_opening: whether it is opened, and not only asked about.

        Returns:
            The content, and the one in whose place it is from now on, None where there was none.
        """
        with self._lock:
            content = self._known(output)
            is_over = content is not None and isinstance(content.failure, SizeChangedError)
            if content is not None and not is_over and not (is_opening and content.is_mismatch):
                return content, None
            key = (output.vault, output.job)
            before = self._contents.get(key)
            content = Content(output, self._size_to_believe(output), self._verify, self._stats, before)
            self._contents[key] = content
            if len(self._contents) > self._remembered:
                self._forget()
            return content, before

    def opened(self, content: Content) -> None:
        """Note that *content* was opened just now, if it is still what is believed."""
        key = (content.output.vault, content.output.job)
        with self._lock:
            if self._contents.setdefault(key, content) is content:
                self._contents.move_to_end(key)

    def adopt(self, content: Content) -> None:
        """Remember *content*, unless something is known of its output."""
        with self._lock:
            self._contents.setdefault((content.output.vault, content.output.job), content)
            if len(self._contents) > self._remembered:
                self._forget()

    def known(self, output: Output) -> Content | None:
        """Return what is known of *output*, None where nothing is, or where its document said otherwise."""
        with self._lock:
            return self._known(output)

    def learnt_size(self, output: Output) -> int | None:
        """Return the length that an answer told, None where none did, or where the document has another since."""
        with self._lock:
            return self._learnt_size(output)

    def _known(self, output: Output) -> Content | None:
        content = self._contents.get((output.vault, output.job))
        return content if content is not None and content.output == output else None

    def _learnt_size(self, output: Output) -> int | None:
        content = self._contents.get((output.vault, output.job))
        if content is None or content.output.size != output.size:
            return None
        return content.failure.size if isinstance(content.failure, SizeChangedError) else content.size

    def _size_to_believe(self, output: Output) -> int | None:
        """Return the length that *output* begins with, None where it has to be learnt."""
        before = self._contents.get((output.vault, output.job))
        size = None if before is not None and before.is_mismatch and not before.size else self._learnt_size(output)
        return output.size if size is None and not output.is_inventory else size

    def _forget(self) -> None:
        """Forget the output that was opened longest ago of those that may be."""
        for key, content in self._contents.items():
            if _is_forgettable(content):
                del self._contents[key]
                self.has_forgotten = True
                return


def _is_forgettable(content: Content) -> bool:
    """Return whether to begin anew at the next open would serve the same bytes, and hide nothing that went wrong.

    The kernel's pages are in doubt at the next open of whatever was forgotten.
    """
    output = content.output
    is_as_told = output.is_inventory or output.size is None or content.size == output.size
    return is_as_told and not (content.open_readers or content.failure or content.is_mismatch)
