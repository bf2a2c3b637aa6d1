"""Copies that let other threads run are copies all the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.copying import SMALL, copy


@given(length=st.sampled_from([0, 1, SMALL, SMALL + 1, 3 * SMALL]), more=st.integers(0, 9), skipped=st.integers(0, 9))
def test_a_copy_writes_the_front_and_nothing_else(length: int, more: int, skipped: int) -> None:
    source = bytearray(number % 251 for number in range(skipped + length))
    target = bytearray(b"?" * (skipped + length + more))
    copy(memoryview(source)[skipped:], memoryview(target)[skipped:])
    assert target == b"?" * skipped + source[skipped:] + b"?" * more


@pytest.mark.parametrize("length", [1, SMALL + 1])
def test_what_does_not_fit_is_not_copied(length: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        copy(memoryview(bytearray(length)), memoryview(bytearray(length - 1)))
