"""The two ways to name bytes, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.emulator.ranges import asked, held, retrieval
from casfs.emulator.refusal import Refusal

MIB = 1048576


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=99-99", (99, 100)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=90-", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=0-99", (0, 100)),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=9-0", None),
        ("bytes 0-9/100", None),
        ("Range: bytes=0-9", None),
        ("bytes=0-9,20-29", None),
        ("items=0-9", None),
    ],
)
def test_a_range_header_asks_for_bytes_or_is_ignored(header: str | None, expected: tuple[int, int] | None) -> None:
    assert asked(header, 100) == expected
    assert held(header, 100) == (expected or (0, 100))


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_past_the_end_is_refused(header: str) -> None:
    with pytest.raises(Refusal, match="InvalidParameterValueException: The start of the range is larger"):
        asked(header, 100)
    assert held(header, 100) is None


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 100))
def test_what_is_asked_for_lies_within_the_output(first: int, last: int, size: int) -> None:
    found = held(f"bytes={first}-{last}", size)
    assert found is None or 0 <= found[0] < found[1] <= size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, (0, 3 * MIB + 7)),
        (f"0-{MIB - 1}", (0, MIB)),
        (f"{MIB}-{3 * MIB - 1}", (MIB, 3 * MIB)),
        (f"{2 * MIB}-{3 * MIB + 6}", (2 * MIB, 3 * MIB + 7)),
        (f"{MIB}-", (MIB, 3 * MIB + 7)),
        ("0-", (0, 3 * MIB + 7)),
    ],
)
def test_a_retrieval_is_aligned_to_megabytes_or_ends_with_the_archive(
    text: str | None, expected: tuple[int, int]
) -> None:
    assert retrieval(text, 3 * MIB + 7) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "a-b",
        f"1-{MIB}",
        f"1-{MIB - 1}",
        "0-100",
        f"{MIB}-{4 * MIB - 1}",
        f"{MIB}-0",
        f"{4 * MIB}-",
        "1-",
        "-1",
        "-",
    ],
)
def test_any_other_retrieval_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="InvalidParameterValueException: The retrieval byte range"):
        retrieval(text, 3 * MIB + 7)
