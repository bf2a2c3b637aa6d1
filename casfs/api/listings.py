"""What is listed in pages, as one sequence: each item once, in the service's order."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from casfs.api.documents import Fields, as_object
from casfs.errors import ProtocolError

logger = logging.getLogger(__name__)

Model = TypeVar("Model")
Page = tuple[list[Model], str]
"""What a page holds, and where the next one begins: "" after the last."""


@dataclass(frozen=True)
class Listing(Generic[Model]):
    """How a list is asked for and understood.

    Attributes:
        field: where in a page its items are.
        model: makes one of an item's fields; a ProtocolError means that there is none.
        key: tells items apart.
        per_page: how many are asked for at once; fewer may come, and more.
    """

    field: str
    model: Callable[[Fields], Model]
    key: Callable[[Model], str]
    per_page: int

    def items(self, ask: Callable[[Mapping[str, str]], Page[Model]]) -> Iterator[Model]:
        """Yield what is listed.

        Markers are the service's own and go back as they came. Whether one names the last item or the next one
        differs, and things come and go between two pages: so items are told apart by their keys, and a marker that
        was there before ends the list, which would go round for ever.

        Args:
            ask: returns the page that parameters ask for.
        """
        keys: set[str] = set()
        markers = {""}
        marker = ""
        while True:
            found, marker = ask({"limit": str(self.per_page)} | ({"marker": marker} if marker else {}))
            for item in found:
                if self.key(item) not in keys:
                    keys.add(self.key(item))
                    yield item
            if marker in markers:
                return
            markers.add(marker)

    def page(self, fields: Fields) -> Page[Model]:
        """Return what a page holds; an item that has no usable name is left out with a warning.

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
                logger.warning("left out of %s: %s", self.field, error)


def _marker(page: Fields) -> str:
    value = page.get("Marker")
    if value is None or isinstance(value, str):
        return value or ""
    # What is listed so far is not all, and there is no way to the rest.
    raise ProtocolError(f"an answer whose Marker is a {type(value).__name__}")
