"""When the next output expires that is not whole on disk."""

from collections.abc import Iterator

from casfs.models import ARCHIVE_RETRIEVAL, Job, JobState, Output
from casfs.operate.expiry import LEAST_AGE_S, MOST, RUN, WINDOW, NextExpiry

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS


def job(name: str, expires_ns: int) -> Job:
    return Job("v", name, ARCHIVE_RETRIEVAL, JobState.SUCCEEDED, 0, expires_ns - DAY_NS, 1, None, "{}")


JOBS = [job("late", DAY_NS + 3 * HOUR_NS), job("soon", DAY_NS + HOUR_NS), job("next", DAY_NS + 2 * HOUR_NS)]


def soonest(now_ns: int) -> int | None:
    return min((one.expires_ns or 0 for one in JOBS if (one.expires_ns or 0) > now_ns), default=None)


def test_without_a_cache_on_disk_it_is_the_soonest_of_all() -> None:
    expiry = NextExpiry(soonest, lambda: JOBS, None, lambda: DAY_NS)
    assert expiry.seconds() == 3600


def test_what_is_whole_there_does_not_count_once_it_was_looked() -> None:
    def is_whole(output: Output) -> bool:
        return output.job == "soon"

    now_s = [0.0]
    expiry = NextExpiry(soonest, lambda: JOBS, is_whole, lambda: DAY_NS, lambda: now_s[0])
    expiry.look()
    assert expiry.seconds() == 2 * 3600
    now_s[0] = LEAST_AGE_S / 2
    assert expiry.seconds() == 2 * 3600


def test_where_all_is_whole_nothing_expires() -> None:
    expiry = NextExpiry(soonest, lambda: JOBS, lambda _: True, lambda: DAY_NS, lambda: 0.0)
    expiry.look()
    assert expiry.seconds() is None


def test_those_that_expire_next_are_named_once_it_was_looked() -> None:
    now_ns = [DAY_NS]
    expiry = NextExpiry(
        soonest, lambda: [*JOBS, *JOBS], lambda output: output.job == "next", lambda: now_ns[0], lambda: 0.0
    )
    expiry.look()
    assert [output.job for output in expiry.outputs() or ()] == ["soon", "late"]
    now_ns[0] = DAY_NS + HOUR_NS
    assert [output.job for output in expiry.outputs() or ()] == ["late"]


def test_without_a_cache_on_disk_all_are() -> None:
    expiry = NextExpiry(soonest, lambda: JOBS, None, lambda: DAY_NS, lambda: 0.0)
    expiry.look()
    assert [output.job for output in expiry.outputs() or ()] == ["soon", "next", "late"]


def test_very_many_jobs_are_looked_at_by_and_by_until_enough_are_not_whole() -> None:
    count = 2 * WINDOW + 7
    jobs = [job(f"{number:05d}", DAY_NS + HOUR_NS + number // 3) for number in reversed(range(count))]
    rests, passes = list[float](), list[int]()

    def known() -> Iterator[Job]:
        passes.append(1)
        yield from jobs

    def is_whole(output: Output) -> bool:
        return int(output.job) < count - 3

    expiry = NextExpiry(soonest, known, is_whole, lambda: DAY_NS, lambda: 0.0, rest=rests.append)
    expiry.look()
    assert [output.job for output in expiry.outputs() or ()] == [f"{count - left:05d}" for left in (3, 2, 1)]
    assert (len(passes), len(rests)) == (3, 3 * (count // RUN))


def test_no_more_are_remembered_than_somebody_looks_at() -> None:
    jobs = [job(str(number), DAY_NS + HOUR_NS + number) for number in range(MOST + 5)]
    expiry = NextExpiry(soonest, lambda: jobs, None, lambda: DAY_NS, lambda: 0.0)
    expiry.look()
    assert [output.job for output in expiry.outputs() or ()] == [str(number) for number in range(MOST)]


def test_what_has_gone_by_is_not_what_comes_next() -> None:
    now_ns = [DAY_NS]
    expiry = NextExpiry(soonest, lambda: JOBS, lambda _: False, lambda: now_ns[0], lambda: 0.0)
    expiry.look()
    now_ns[0] = DAY_NS + HOUR_NS + 1
    assert expiry.seconds() is not None
    assert round(expiry.seconds() or 0) == 3600
