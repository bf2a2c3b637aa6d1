"""Which outputs a walk is believed to read next."""

from collections.abc import Iterator, Sequence

from casfs.data.ahead.walk import IDLE_S, MAX_OUTPUTS, MAX_OVERTAKEN, Walk
from casfs.models import Output

LISTED = list("hgfedcba")
NAMED = sorted(LISTED)


def output(job: str) -> Output:
    return Output("vault", job, 1, None, is_inventory=False)


def following(*orders: Sequence[str]) -> Walk:
    """Return a walk through a vault in which programs may go in these orders."""

    def after(last: Output) -> list[Iterator[Output]]:
        return [iter([output(job) for job in order[order.index(last.job) + 1 :]]) for order in orders]

    return Walk(after)


def told(walk: Walk, jobs: str, now_s: float = 0.0) -> list[str]:
    """Take a step to each of *jobs*; return what is believed to come after each, as one word."""
    return ["".join(each.job for each in walk.step(output(job), now_s).outputs) for job in jobs]


def test_an_order_is_believed_once_it_has_told_two_steps() -> None:
    assert told(following(LISTED, NAMED), "abcdefgh") == ["", "", "defgh", "efgh", "fgh", "gh", "h", ""]
    assert told(following(LISTED, NAMED), "hgfedcba") == ["", "", "edcba", "dcba", "cba", "ba", "a", ""]


def test_two_orders_are_not_one() -> None:
    assert told(following(LISTED, NAMED), "dedcdefedc") == [""] * 10


def test_an_output_that_was_not_expected_ends_it_until_two_steps_were_told_anew() -> None:
    order = [chr(number) for number in range(ord("A"), ord("z"))]
    walk = following(order)
    assert told(walk, "ABC")[-1].startswith("DEF")
    assert told(walk, "pFqr") == ["", "", "", ""]
    assert told(walk, "s")[0].startswith("tuv")


def test_who_is_overtaken_is_still_expected() -> None:
    walk = following(NAMED)
    assert told(walk, "abcedgf") == ["", "", "defgh", "dfgh", "fgh", "fh", "h"]


def test_who_is_passed_over_for_long_is_expected_no_more() -> None:
    order = [chr(number) for number in range(ord("A"), ord("z"))]
    walk = following(order)
    told(walk, "ABC")
    beyond = "".join(order[4 : 4 + MAX_OVERTAKEN])
    assert all(each.startswith("D") for each in told(walk, beyond))
    assert told(walk, order[4 + MAX_OVERTAKEN])[0][:3] == "".join(order[5 + MAX_OVERTAKEN :][:3])


def test_who_passes_over_every_other_one_ends_it() -> None:
    order = [chr(number) for number in range(ord("A"), ord("z"))]
    walk = following(order)
    told(walk, "ABC")
    assert told(walk, "".join(order[4 : 4 + 2 * MAX_OVERTAKEN + 2 : 2]))[-1] == ""


def test_one_that_was_read_just_before_tells_nothing() -> None:
    walk = following(NAMED)
    assert told(walk, "aabbabccb") == ["", "", "", "", "", "", "defgh", "defgh", "defgh"]


def test_a_walk_that_rests_is_over() -> None:
    walk = following(NAMED)
    assert told(walk, "abc") == ["", "", "defgh"]
    assert told(walk, "d", IDLE_S) == ["efgh"]
    assert told(walk, "e", 3 * IDLE_S) == [""]
    assert told(walk, "fg", 3 * IDLE_S) == ["", "h"]


def test_no_more_is_told_than_connections_can_use() -> None:
    order = [chr(number) for number in range(0x4E00, 0x4E00 + 1000)]
    walk = following(order)
    assert [len(each) for each in told(walk, "".join(order[:5]))] == [0, 0, *[MAX_OUTPUTS] * 3]


def test_where_no_order_is_known_nothing_is_believed() -> None:
    assert told(Walk(lambda _output: []), "abcdefgh") == [""] * 8


def test_orders_that_are_forgotten_in_the_middle_are_believed_no_more() -> None:
    orders: list[Sequence[str]] = [LISTED, NAMED]

    def after(last: Output) -> list[Iterator[Output]]:
        return [iter([output(job) for job in order[order.index(last.job) + 1 :]]) for order in orders]

    walk = Walk(after)
    assert told(walk, "ab") == ["", ""]
    orders.clear()
    assert told(walk, "cd") == ["", ""]
    orders.extend([LISTED, NAMED])
    assert told(walk, "efg") == ["", "", "h"]


def test_one_that_nothing_follows_tells_nothing() -> None:
    def after(last: Output) -> list[Iterator[Output]]:
        return [] if last.job.isupper() else [iter([output(job) for job in NAMED[NAMED.index(last.job) + 1 :]])]

    assert told(Walk(after), "aXbYcZd") == ["", "", "", "", "defgh", "defgh", "efgh"]
