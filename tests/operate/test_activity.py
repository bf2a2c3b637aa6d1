"""What a mount says that it is at: the latest first, and never more than an attribute takes."""

import json

from casfs.models import Output
from casfs.operate.activity import Reading, activity_line
from casfs.stats import Stats

LONGEST = "\U0010ffff" * 63
"""A name of 252 bytes, of which JSON makes 756."""


def output(job: str, vault: str = "v") -> Output:
    return Output(vault, job, 10, None, is_inventory=False, expires_ns=0)


def test_outputs_that_were_read_last_come_first_each_once() -> None:
    opened = [
        Reading(output("old"), 10, 1, 5.0),
        Reading(output("unknown"), None, 2, None),
        Reading(output("new"), 10, 3, 7.0),
        Reading(output("old"), 10, 4, 6.0),
    ]
    told = json.loads(activity_line(Stats().exchanges(), opened, None, None, 8.0))
    assert [(one["job"], one["position"], one["readers"], one["idle_s"]) for one in told["reading"]] == [
        ("new", 3, 1, 1.0), ("old", 4, 2, 2.0), ("unknown", 2, 1, None),
    ]  # fmt: skip
    assert (told["open_outputs"], told["expiring"], told["disk_bytes"]) == (3, None, None)


def test_times_are_told_by_what_came_of_the_reads() -> None:
    stats = Stats()
    stats.read(1, 0, 10, 0.002)
    stats.read_failed("EIO", 500.0)
    told = json.loads(activity_line(stats.exchanges(), (), (), 5, 0.0))
    assert told["reads"]["ok"]["counts"][:2] == [0, 1]
    assert told["reads"]["EIO"]["counts"][-1] == 1
    assert len(told["bounds_s"]) + 1 == len(told["reads"]["EIO"]["counts"])


def test_however_long_names_are_an_attribute_takes_it() -> None:
    names = [f"{number:03d}{LONGEST}" for number in range(1000)]
    opened = [Reading(output(name, LONGEST), 1, 0, 0.0) for name in names]
    line = activity_line(Stats().exchanges(), opened, [output(name, LONGEST) for name in names], 0, 0.0)
    told = json.loads(line)
    assert len(line) < 32 * 1024
    assert told["open_outputs"] == 1000
    assert [one["job"] for one in told["reading"]] == names[: len(told["reading"])] != []
    assert [one["job"] for one in told["expiring"]] == names[: len(told["expiring"])] != []
