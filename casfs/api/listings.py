"""What is listed in pages, as one sequence: each item once, in the service's order; all of it, or an error."""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from casfs.api.documents import Fields, as_object
from casfs.api.refusals import MarkerRefusedError
from casfs.errors import ProtocolError

logger = logging.getLogger(__name__)

RESTARTS = 2
"""How often a listing begins anew because its marker was refused: the job that it names expires once a day, and what is
refused three times is refused for another reason."""

FRUITLESS_PAGES = 100
"""Pages in a row that bring nothing new, after which a listing is given up: a service may filter what it pages, and one
that goes round with ever new markers would be asked for ever."""

EXAMPLES = 3
"""Items left out that a warning shows."""

Model = TypeVar("Model")
Page = tuple[list[Model], str]
"""What a page holds, and where the next one begins: "" after the last."""
Ask = Callable[[str], Page[Model]]
"""Asks for the page at a marker, "" for the first one."""


@dataclasses.dataclass
class LeftOut:
    """Items of one listing that cannot be used, so that one line says it, however many they are."""

    count: int = 0
    first: list[str] = dataclasses.field(default_factory=list)

    def add(self, why: ProtocolError) -> None:
        """Take note of one, and why."""
        self.count += 1
        if len(self.first) < EXAMPLES:
            self.first.append(str(why))

    def tell(self, of: str) -> None:
        """Log what was left out of the list *of*, if anything was."""
        if self.count:
            more = "; ..." if self.count > len(self.first) else ""
            logger.warning("left out of %s: %d that cannot be used: %s", of, self.count, "; ".join(self.first) + more)


@dataclasses.dataclass(frozen=True)
class ListOperation(Generic[Model]):
    """How a list is asked for and understood; to be gone through once.

    Attributes:
        field: where in a page its items are.
        model: makes one of an item's fields; a ProtocolError means that there is none.
        key: tells items apart.
        what: whose list it is, for the log.
        left_out: what of it could not be used.
    """

    field: str
    model: Callable[[Fields], Model]
    key: Callable[[Model], str]
    what: str = ""
    left_out: LeftOut = dataclasses.field(default_factory=LeftOut)

    def items(self, ask: Ask[Model]) -> Iterator[Model]:
        """Return what is listed; when the next item could not be had, it may be asked for again.

        Markers are the service's own and go back as they came. Whether one names the last item or the next one
        differs, and things come and go between two pages: so items are told apart by their keys. Where a marker is
        refused, the listing begins anew, and what it brought before is not brought again.

        Args:
            ask: returns the page that begins at a marker; "" is the first one.
        """
        return Items(self, ask)

    def page(self, fields: Fields) -> Page[Model]:
        """Return what a page holds; an item that cannot be used is left out.

        Raises:
            ProtocolError: it is no page of this list.
        """
        listed = fields.get(self.field, "nothing")
        if not isinstance(listed, list | None):
            raise ProtocolError(f"an answer whose {self.field} is no list")
        return list(self._models(listed or [])), _marker(fields)

    def _models(self, listed: list[object]) -> Iterator[Model]:
        for item in listed:
            try:
                yield self.model(as_object(item))
            except ProtocolError as error:
                self.left_out.add(error)


class Items(Iterator[Model], Generic[Model]):
    """The items of one listing. No generator: one that has raised is over, and this one goes on where it failed."""

    def __init__(self, listing: ListOperation[Model], ask: Ask[Model]) -> None:
        self._listing = listing
        self._ask = ask
        self._found: Iterator[Model] = iter(())
        self._last = ""
        self._before: frozenset[str] = frozenset()  # brought before the listing began anew
        self._restarts = self._fruitless = 0
        self._begin()

    def _begin(self) -> None:
        self._keys: set[str] = set()
        self._marker: str | None = ""
        self._markers = {""}

    def __next__(self) -> Model:
        """Return the next item.

        Raises:
            StopIteration: that was all.
            ProtocolError: the pages go round or lead back, or bring nothing for too long.
            CasfsError: what asking for a page came to.
        """
        while True:
            for item in self._found:
                if self._listing.key(item) not in self._before:
                    return item
            if self._marker is None:
                raise StopIteration
            self._turn(self._marker)

    def _turn(self, marker: str) -> None:
        """Have the page that begins at *marker*."""
        left_out = self._listing.left_out.count
        try:
            page, following = self._ask(marker)
        except MarkerRefusedError:
            if self._restarts == RESTARTS:
                raise
            self._restarts += 1
            self._before |= self._keys
            self._begin()
            return
        new = [item for item in page if self._is_new(item)]
        if new and following and following in self._markers:
            raise ProtocolError("a page of the listing leads back: what is behind it cannot be had")
        if not new:
            self._bear(page, following, is_fruitless=left_out == self._listing.left_out.count)
        self._found = iter(new)
        self._follow(following)

    def _follow(self, marker: str) -> None:
        self._marker = None if marker in self._markers else marker
        self._markers.add(marker)
        if self._marker is None:
            self._listing.left_out.tell(self._listing.what or self._listing.field)

    def _is_new(self, item: Model) -> bool:
        key = self._listing.key(item)
        if key in self._keys:
            return False
        self._keys.add(key)
        self._last, self._fruitless = key, 0
        return True

    def _bear(self, page: list[Model], following: str, *, is_fruitless: bool) -> None:
        """Put up with a page that brings nothing new.

        Raises:
            ProtocolError: it is the same page as before, and what is behind it cannot be had; or one of too many.
        """
        is_same = any(self._listing.key(item) != self._last for item in page)
        if is_same and following and following in self._markers:
            raise ProtocolError("the pages of the listing go round: somebody answers them all with one")
        self._fruitless += is_fruitless
        if self._fruitless >= FRUITLESS_PAGES:
            raise ProtocolError(f"{FRUITLESS_PAGES} pages in a row bring nothing new")


def _marker(page: Fields) -> str:
    value = page.get("Marker")
    if value is None or isinstance(value, str):
        return value or ""
    # What is listed so far is not all, and there is no way to the rest.
    raise ProtocolError(f"an answer whose Marker is a {type(value).__name__}")
