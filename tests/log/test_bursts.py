"""A burst of equal failures is one line with a count."""

import json
import logging
import math
from collections.abc import Callable
from typing import Any

from casfs.log.bursts import MAX_BURSTS, WINDOW_S, Bursts
from casfs.log.lines import JsonFormatter
from casfs.log.redaction import redact


def failure(text: str = "no", *, level: int = logging.WARNING, **fields: object) -> logging.LogRecord:
    values = {"name": "casfs.api", "levelno": level, "levelname": "WARNING", "msg": "%s: %s", "args": ("read", text)}
    return logging.makeLogRecord(values | fields)


def of_service(request_id: str, span: str = "", job: str = "j") -> logging.LogRecord:
    about: dict[str, Any] = {"operation": "get_job_output", "vault": "v", "job": job, "status": 503, "code": "Busy"}
    return failure(f"busy [{request_id}]", request_id=request_id, range=span, **about)


def test_the_first_is_a_line_and_those_that_follow_are_counted() -> None:
    now_s = [0.0]
    bursts = Bursts(lambda: now_s[0])
    assert [bursts.swallows(failure()) for _ in range(4)] == [False, True, True, True]
    assert (bursts.over(), bursts.due_s()) == ([], WINDOW_S)
    now_s[0] = WINDOW_S
    (line,) = bursts.over()
    assert line.getMessage() == "read: no [and 3 like this within 10 s]"


def test_one_that_goes_on_is_a_line_now_and_then_and_one_that_is_over_begins_anew() -> None:
    now_s = [0.0]
    bursts = Bursts(lambda: now_s[0])
    counts = []
    for _ in range(35):
        bursts.swallows(failure())
        now_s[0] += 1
        counts += [vars(line)["count"] for line in bursts.over()]
    assert counts == [9, 10, 10]
    now_s[0] += WINDOW_S
    assert len(bursts.over()) == 1
    now_s[0] += WINDOW_S
    assert (bursts.over(), bursts.due_s()) == ([], math.inf)
    assert not bursts.swallows(failure())


def test_failures_of_the_service_are_equal_whatever_the_request_and_the_bytes() -> None:
    bursts = Bursts(lambda: 0.0)
    assert not bursts.swallows(of_service("a", "bytes=0-1"))
    assert bursts.swallows(of_service("b", "bytes=2-3"))
    assert not bursts.swallows(of_service("c", job="other"))


def test_the_line_of_a_burst_has_the_id_of_the_last_request_and_the_count_as_fields() -> None:
    bursts = Bursts(lambda: 0.0)
    for request_id in "abc":
        bursts.swallows(of_service(request_id))
    (line,) = bursts.over(all_of_them=True)
    fields = json.loads(JsonFormatter(redact).format(line))
    assert (fields["request_id"], fields["count"], fields["status"]) == ("c", 2, 503)


def test_what_is_no_failure_is_never_held_back() -> None:
    bursts = Bursts(lambda: 0.0)
    assert not any(bursts.swallows(failure(level=logging.INFO)) for _ in range(3))


def test_what_is_remembered_has_a_bound_and_what_is_beyond_is_a_line() -> None:
    bursts = Bursts(lambda: 0.0)
    for number in range(MAX_BURSTS):
        bursts.swallows(failure(str(number)))
    assert not any(bursts.swallows(failure("beyond")) for _ in range(3))


def test_what_nobody_foresaw_at_two_places_is_two_lines() -> None:
    def caught(cause: Callable[[], object]) -> logging.LogRecord:
        try:
            cause()
        except ArithmeticError as error:
            return failure(exc_info=(type(error), error, error.__traceback__))
        return failure()

    def one() -> object:
        return 1 // 0

    def another() -> object:
        return 2 // 0

    bursts = Bursts(lambda: 0.0)
    assert not bursts.swallows(caught(one))
    assert bursts.swallows(caught(one))
    assert not bursts.swallows(caught(another))
