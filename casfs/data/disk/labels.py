"""Where a content was seen, in its file: two slots, of which each write takes the older one. Pure.

A slot is its check, its turn, its length, and the labels as JSON. The check is bound to the content. A write that was
cut short spoils its own slot, and the other one stands: so whoever writes one syncs it before the next is written.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace

from casfs.data.disk.layout import LABELS_OFFSET, PAGE, SLOT_SIZE, Label

HEAD = struct.Struct("<16sQI")
CHECK_SIZE = 16
PLACES = 16
"""Of one content: an archive is retrieved again once a day at most, and its older jobs have expired."""
DOCUMENT_LIMIT = 16 << 10
"""Bytes of a job's document: those of the services have some 2 KiB, and a description may be 6 KiB as JSON."""
SEEN_AGAIN_NS = 3600 * 10**9
"""How much later a place that did not change is written again: a listing shows when it was seen to the hour."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The places of one content.

    Attributes:
        turn: of the write that they came with; the next one has the next.
        places: the labels, of each place one, last seen first.
    """

    turn: int = 0
    places: tuple[Label, ...] = ()

    @classmethod
    def read(cls, content: bytes, read: Callable[[int, int], bytes]) -> "Labels":
        """Return those of the newer slot that is whole; *read* has a length and an offset in the file."""
        return max((_unpack(content, read, _offset(slot)) for slot in (0, 1)), key=lambda labels: labels.turn)

    def has(self, label: Label) -> bool:
        """Whether it would say nothing new."""
        return any(
            replace(label, seen_ns=one.seen_ns, document=label.document or one.document) == one
            and label.seen_ns - one.seen_ns < SEEN_AGAIN_NS
            for one in self.places
        )

    def noted(self, label: Label) -> "Labels":
        """Return them with *label* for its place; those that were seen longest ago go where there are too many."""
        document = label.document or next((one.document for one in self.places if one.place == label.place), None)
        if document is not None and len(document) > DOCUMENT_LIMIT:
            document = None
        new = replace(label, document=document)
        known = [one for one in self.places if one.place != label.place]
        fitting = [one for one in (new, *known) if len(_text([one])) <= SLOT_SIZE - HEAD.size]
        latest = sorted(fitting, key=lambda one: one.seen_ns, reverse=True)
        return Labels(self.turn + 1, tuple(latest[:PLACES]))

    def pack(self, content: bytes) -> tuple[bytes, int]:
        """Return the bytes of a slot, and its offset in the file; those that were seen longest ago go if need be."""
        kept = self.places
        while len(text := _text(kept)) > SLOT_SIZE - HEAD.size:
            kept = kept[:-1]
        rest = HEAD.pack(b"", self.turn, len(text))[CHECK_SIZE:] + text
        return _check(content, rest) + rest, _offset(self.turn % 2)


def _unpack(content: bytes, read: Callable[[int, int], bytes], offset: int) -> Labels:
    first = read(PAGE, offset)
    if len(first) < HEAD.size or not any(first[: HEAD.size]):
        return Labels()
    check, turn, length = HEAD.unpack_from(first)
    end = min(HEAD.size + length, SLOT_SIZE)
    raw = first[:end] if end <= PAGE else read(end, offset)
    if check != _check(content, raw[CHECK_SIZE:]):
        return Labels()
    return Labels(turn, tuple(Label(*values) for values in json.loads(raw[HEAD.size :])))


def _text(places: Sequence[Label]) -> bytes:
    return json.dumps([astuple(label) for label in places], ensure_ascii=True, separators=(",", ":")).encode()


def _offset(slot: int) -> int:
    return LABELS_OFFSET + slot * SLOT_SIZE


def _check(content: bytes, raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=CHECK_SIZE, key=content).digest()
