"""What an answer to a Range request must say."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from casfs.api.ranges import OtherSizeError, Wanted, content_length, learnt, wanted
from casfs.errors import TransferError

SIZES = st.integers(1, 10**6)


def headers(content_range: str | None = None, length: int | str | None = None) -> CaseInsensitiveDict[str]:
    fields = {"content-range": content_range, "content-length": length}
    return CaseInsensitiveDict({name: str(value) for name, value in fields.items() if value is not None})


@st.composite
def ranges(draw: st.DrawFn) -> tuple[int, int, int]:
    """Draw start, length and size of a range that is within its output."""
    size = draw(SIZES)
    start = draw(st.integers(0, size - 1))
    return start, draw(st.integers(1, size - start)), size


@given(ranges(), st.booleans())
def test_a_206_of_the_asked_range_is_all_wanted(asked_for: tuple[int, int, int], announced: bool) -> None:  # noqa: FBT001 - drawn
    start, length, size = asked_for
    answer = headers(f"bytes {start}-{start + length - 1}/{size}", length if announced else None)
    assert wanted(206, answer, start, length, size) == Wanted(0, length, size, is_all=True)


def test_a_206_need_not_tell_the_size() -> None:
    assert wanted(206, headers("bytes 0-9/*", 10), 0, 10, 20) == Wanted(0, 10, 20, is_all=True)


@given(ranges(), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_206_of_any_other_range_is_no_answer(
    asked_for: tuple[int, int, int], first: int, last: int, total: int
) -> None:
    start, length, size = asked_for
    assume((first, last, total) != (start, start + length - 1, size))
    with pytest.raises(TransferError):
        wanted(206, headers(f"bytes {first}-{last}/{total}"), start, length, size)


@given(ranges(), st.integers(0, 10**6))
def test_a_206_of_another_length_is_no_answer(asked_for: tuple[int, int, int], announced: int) -> None:
    start, length, size = asked_for
    assume(announced != length)
    with pytest.raises(TransferError):
        wanted(206, headers(f"bytes {start}-{start + length - 1}/{size}", announced), start, length, size)


@pytest.mark.parametrize(
    "content_range",
    [None, "", "bytes", "bytes 0-9", "bytes 0-9/", "bytes -0-9/10", "bytes 0-9/10, bytes 0-9/10", "items 0-9/10",
     "bytes 0-9/10x", "bytes */10", "bytes \u0660-\u0669/10", "bytes 0-9/" + "1" * 5000, "bytes 0 - 9 / 10"],
)  # fmt: skip
def test_a_206_without_a_content_range_is_no_answer(content_range: str | None) -> None:
    with pytest.raises(TransferError):
        wanted(206, headers(content_range, 10), 0, 10, 10)
    with pytest.raises(TransferError):
        learnt(206, headers(content_range, 10), 10)


@given(ranges(), SIZES)
def test_a_206_of_what_an_output_of_another_size_has_of_the_range_tells_that_size(
    asked_for: tuple[int, int, int], other: int
) -> None:
    start, length, size = asked_for
    assume(other not in (size, start) and other > start)
    with pytest.raises(OtherSizeError) as caught:
        wanted(206, headers(f"bytes {start}-{min(start + length, other) - 1}/{other}"), start, length, size)
    assert caught.value.size == other


@given(ranges())
def test_the_range_is_cut_out_of_a_200_that_is_the_whole_output(asked_for: tuple[int, int, int]) -> None:
    start, length, size = asked_for
    assert wanted(200, headers(length=size), start, length, size) == Wanted(start, length, size, length == size)


@given(ranges())
def test_a_200_of_another_length_tells_the_size_unless_it_may_be_the_range(asked_for: tuple[int, int, int]) -> None:
    """A proxy that makes a 200 of every 206 must not shrink an output to the first range that was read of it."""
    start, length, size = asked_for
    with pytest.raises(OtherSizeError) as caught:
        wanted(200, headers(length=size + 1), start, length, size)
    assert caught.value.size == size + 1
    assume(length != size)
    with pytest.raises(TransferError) as ambiguous:
        wanted(200, headers(length=length), start, length, size)
    assert not isinstance(ambiguous.value, OtherSizeError)


def test_a_200_of_unknown_length_is_no_answer_to_a_range() -> None:
    with pytest.raises(TransferError):
        wanted(200, headers(), 0, 10, 10)


@given(SIZES, SIZES)
def test_a_206_to_a_probe_tells_the_size(room: int, size: int) -> None:
    answer = headers(f"bytes 0-{min(room, size) - 1}/{size}")
    assert learnt(206, answer, room) == Wanted(0, min(room, size), size, is_all=True)


@given(st.integers(0, 10**6), SIZES)
def test_a_200_to_a_probe_tells_the_size_by_its_length(size: int, room: int) -> None:
    assert learnt(200, headers(length=size), room) == Wanted(0, min(room, size), size, is_all=size <= room)


def test_a_200_of_unknown_length_to_a_probe_will_tell_by_its_end() -> None:
    assert learnt(200, headers(), 10) is None


@pytest.mark.parametrize(
    ("content_range", "length"), [("bytes 0-9/*", 10), ("bytes 0-8/20", 9), ("bytes 1-10/20", 10), ("bytes 0-9/20", 9)]
)
def test_a_206_to_a_probe_that_is_not_of_the_first_bytes_is_no_answer(content_range: str, length: int) -> None:
    with pytest.raises(TransferError):
        learnt(206, headers(content_range, length), 10)


@pytest.mark.parametrize("length", ["", "-1", "+1", "1 0", "1_0", "0x10", "10, 10", "\u0661", "1" * 5000, "1.0"])
def test_a_length_that_is_no_number_is_no_length(length: str) -> None:
    with pytest.raises(TransferError):
        content_length(CaseInsensitiveDict({"Content-Length": length}))


def test_the_length_of_chunks_is_not_the_announced_one() -> None:
    assert content_length(CaseInsensitiveDict({"Content-Length": "5", "Transfer-Encoding": "chunked"})) is None
