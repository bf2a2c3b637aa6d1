"""Which blocks a reader will want next, from the order in which it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.data.ahead.readahead import COPY_WINDOW_BLOCKS, FIRST_WINDOW_BLOCKS, MAX_BACKWARD_BLOCKS, ReadAhead, Stream
from casfs.data.fetch import parts

COUNT = 1000
MIB = 1 << 20
LIMIT = 128


def follow(ahead: ReadAhead, *blocks: int, waited: bool = False, width: int = 1) -> Stream:
    """Read whole blocks and, as a reader does, ask for what is due."""
    stream = Stream(0, 0, 0)
    for block in blocks:
        stream, _ = ahead.observe(block * MIB, block * MIB + MIB, waited=waited)
        stream.ahead = max(stream.ahead, stream.due(COUNT, LIMIT, width).stop)
    return stream


def test_a_first_read_asks_for_nothing() -> None:
    assert follow(ReadAhead(LIMIT), 7).window == 0


def test_the_second_block_makes_a_sequence() -> None:
    stream = follow(ReadAhead(LIMIT), 7, 8)
    assert (stream.window, stream.ahead) == (FIRST_WINDOW_BLOCKS, 9 + FIRST_WINDOW_BLOCKS)


def test_a_sequence_from_the_front_is_a_copy_and_gets_more_at_once() -> None:
    assert (follow(ReadAhead(LIMIT), 0, 1).window, follow(ReadAhead(LIMIT), 1, 2).window) == (
        COPY_WINDOW_BLOCKS,
        FIRST_WINDOW_BLOCKS,
    )


def test_reads_inside_one_block_in_any_order_are_no_sequence_yet() -> None:
    assert follow(ReadAhead(LIMIT), 7, 7, 7, 7).window == 0


def test_reads_of_128_kib_that_overtake_each_other_are_one_sequence() -> None:
    ahead = ReadAhead(LIMIT)
    for four in range(64, 96, 4):
        for piece in (four + 2, four, four + 3, four + 1):
            ahead.observe(piece * MIB // 8, (piece + 1) * MIB // 8, waited=False)
    assert [stream.window for stream in ahead._streams] == [FIRST_WINDOW_BLOCKS]


def test_blocks_that_overtake_each_other_stay_one_sequence() -> None:
    ahead = ReadAhead(LIMIT)
    stream = follow(ahead, 0, 1, 3, 2, 4, 6, 5)
    assert ahead._streams == [stream]
    assert stream.head == 7


@given(st.lists(st.integers(0, COUNT // 2 - 1), max_size=30))
def test_reads_that_never_touch_neighbours_ask_for_nothing(blocks: list[int]) -> None:
    assert follow(ReadAhead(LIMIT), *(block * 2 for block in blocks)).window == 0


def test_a_small_read_somewhere_in_the_next_block_is_no_sequence() -> None:
    ahead = ReadAhead(LIMIT)
    ahead.observe(7 * MIB, 7 * MIB + 4096, waited=True)
    assert ahead.observe(8 * MIB, 8 * MIB + 4096, waited=True)[0].window == 0
    ahead.forget()
    ahead.observe(8 * MIB - 4096, 8 * MIB, waited=False)
    assert ahead.observe(8 * MIB, 8 * MIB + 4096, waited=True)[0].window == FIRST_WINDOW_BLOCKS


def test_the_window_doubles_with_every_block_that_was_waited_for_up_to_the_limit() -> None:
    ahead = ReadAhead(LIMIT)
    follow(ahead, 7, 8)
    windows = [follow(ahead, block, waited=True).window for block in range(9, 19)]
    assert windows == sorted(windows)
    assert windows[0] == 2 * FIRST_WINDOW_BLOCKS
    assert windows[-1] == LIMIT


def test_the_window_of_a_long_sequence_has_place_for_large_parts_though_nothing_was_waited_for() -> None:
    ahead = ReadAhead(LIMIT)
    assert follow(ahead, *range(FIRST_WINDOW_BLOCKS, 3 * FIRST_WINDOW_BLOCKS)).window == FIRST_WINDOW_BLOCKS
    assert follow(ahead, *range(3 * FIRST_WINDOW_BLOCKS, 500)).window == parts.SEQUENTIAL_WINDOW_BLOCKS


def test_eight_reads_that_wait_for_one_block_double_once() -> None:
    ahead = ReadAhead(LIMIT)
    follow(ahead, 7, 8)
    assert follow(ahead, *[9] * 8, waited=True).window == 2 * FIRST_WINDOW_BLOCKS


def test_a_part_is_due_as_soon_as_there_is_place_for_a_whole_one() -> None:
    stream = Stream(end=0, head=10, ahead=16, window=8)
    assert stream.due(COUNT, LIMIT, 1) == range(16, 18)
    assert stream.due(COUNT, LIMIT, 2) == range(16, 18)
    assert not stream.due(COUNT, LIMIT, 4)
    stream.head = 12
    assert stream.due(COUNT, LIMIT, 4) == range(16, 20)


def test_nothing_is_due_past_the_end_nor_beyond_a_smaller_limit() -> None:
    stream = Stream(end=0, head=90, ahead=90, window=64)
    assert stream.due(100, LIMIT, 8) == range(90, 100)
    assert stream.due(COUNT, 8, 1) == range(90, 98)
    stream.ahead = 120
    assert not stream.due(COUNT, 8, 1)
    assert not Stream(end=0, head=100, ahead=100, window=64).due(100, LIMIT, 8)


@pytest.mark.parametrize(
    "jump", [-MAX_BACKWARD_BLOCKS - 1, -1, 0, FIRST_WINDOW_BLOCKS - 1, FIRST_WINDOW_BLOCKS], ids=str
)
def test_a_small_step_back_and_a_gap_inside_the_window_keep_it(jump: int) -> None:
    ahead = ReadAhead(LIMIT)
    before = follow(ahead, *range(50))
    assert follow(ahead, 50 + jump) is before


@pytest.mark.parametrize("jump", [-MAX_BACKWARD_BLOCKS - 2, LIMIT + 1, 500], ids=str)
def test_any_other_jump_begins_anew(jump: int) -> None:
    ahead = ReadAhead(LIMIT)
    before = follow(ahead, *range(50))
    stream = follow(ahead, 50 + jump)
    assert stream is not before
    assert stream.window == 0


def test_random_reads_give_up_a_sequence_that_does_not_go_on() -> None:
    ahead = ReadAhead(LIMIT)
    before = follow(ahead, *range(10))
    assert ahead.observe(500 * MIB, 501 * MIB, waited=True)[1] is None
    assert ahead.observe(300 * MIB, 301 * MIB, waited=True)[1] is before


def test_two_sequences_that_alternate_share_the_limit() -> None:
    ahead = ReadAhead(LIMIT)
    streams = set()
    for block in range(40):
        streams.add(follow(ahead, block, waited=True))
        streams.add(follow(ahead, 500 + block, waited=True))
    assert len(streams) == 2
    assert [stream.window for stream in streams] == [LIMIT // 2] * 2


def test_pressure_halves_a_window_down_to_one_block() -> None:
    stream = Stream(end=0, head=0, ahead=0, window=4)
    for expected in (2, 1, 1):
        stream.press()
        assert stream.window == expected


def test_a_window_that_was_pressed_does_not_grow_back_before_as_much_was_read_again() -> None:
    ahead = ReadAhead(LIMIT)
    stream = follow(ahead, *range(100))
    stream.press()
    pressed = stream.window
    assert follow(ahead, *range(100, 110)).window == pressed
    assert follow(ahead, *range(110, 300)).window == parts.SEQUENTIAL_WINDOW_BLOCKS
