"""One part: fetched whole, hashed once, checked, and fetched once more if it is wrong."""

import pytest

from casfs.data.content import Content
from casfs.data.fetch.fetcher import Fetcher
from casfs.data.memory.room import Room
from casfs.data.settings import Verify
from casfs.data.source import Watch
from casfs.errors import TransferError
from casfs.stats import Stats
from casfs.waiting import Deadline, never
from tests.data.service import MIB, Service, archive, sample

DATA = sample(3 * MIB + 7)
LONG = sample(9 * MIB + 7)


def fetch(
    service: Service, part: range, verify: Verify = Verify.AUTO, data: bytes = DATA
) -> tuple[list[bytes], Content]:
    content = Content(archive(data), len(data), verify, Stats())
    room = Room(len(part), lambda: memoryview(bytearray(MIB)))
    Fetcher(service, verify, Stats()).fetch(content, part, room, Deadline.after(20), Watch(never, lambda _count: None))
    return [bytes(room[index]) for index in range(len(part))], content


@pytest.mark.parametrize("verify", Verify)
def test_the_blocks_of_a_part_are_in_its_buffers(verify: Verify) -> None:
    filled, content = fetch(Service({"job": DATA}), range(2, 4), verify)
    assert b"".join(filled)[: MIB + 7] == DATA[2 * MIB :]
    assert str(content.verification()) == ("none" if verify is Verify.OFF else "2/4")
    assert content.media_type == "application/octet-stream"


def test_an_answer_of_another_length_is_no_answer() -> None:
    with pytest.raises(TransferError):
        fetch(Service({"job": DATA}, concealed=1), range(2, 4))


def test_a_retry_of_the_source_is_hashed_anew() -> None:
    """The source fills the buffers again, from the first, after an attempt that broke off."""
    content = fetch(Service({"job": LONG}, stumbles=1), range(10), data=LONG)[1]
    assert str(content.verification()) == "whole"


@pytest.mark.parametrize("part", [range(10), range(8), range(4, 8), range(8, 10), range(8, 9), range(9, 10)])
def test_a_part_of_any_length_is_hashed_whole(part: range) -> None:
    filled, content = fetch(Service({"job": LONG}), part, data=LONG)
    assert b"".join(filled).startswith(LONG[part.start * MIB : part.stop * MIB])
    assert str(content.verification()) == ("whole" if len(part) == 10 else f"{len(part)}/10")
