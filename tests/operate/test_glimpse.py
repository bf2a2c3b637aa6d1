"""What was seen a while ago: nobody waits for a look."""

import threading

from casfs.operate.glimpse import AGE_SHARE, Glimpse
from tests.mounting import wait_until


def test_nobody_waits_for_a_look_that_hangs_and_it_is_not_begun_twice() -> None:
    goes_on, looks = threading.Event(), list[int]()

    def see() -> int:
        looks.append(1)
        assert goes_on.wait(60)
        return len(looks)

    now_s = [0.0]
    glimpse = Glimpse("something", see, 60.0, lambda: now_s[0])
    assert [glimpse.last() for _ in range(3)] == [None, None, None]
    wait_until(lambda: bool(looks), "it is looked")
    goes_on.set()
    wait_until(lambda: glimpse.last() is not None, "it was seen")
    assert len(looks) == 1


def test_a_look_that_takes_long_is_made_seldom() -> None:
    now_s, looks = [0.0], list[float]()

    def see() -> float:
        looks.append(now_s[0])
        now_s[0] += 10.0
        return now_s[0]

    glimpse = Glimpse("something", see, 60.0, lambda: now_s[0])
    glimpse.look()
    now_s[0] = 10.0 + AGE_SHARE * 10.0 - 1
    assert (glimpse.last(), looks) == (10.0, [0.0])
    now_s[0] += 1
    glimpse.last()
    wait_until(lambda: len(looks) == 2, "it is looked again")
