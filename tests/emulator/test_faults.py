"""The plan: which request meets which fault, and how often."""

import pytest

from casfs.emulator.faults import Fault, Faults, Kind

OUTPUT = ("get_job_output", "vault", "job")


def met(faults: Faults, *requests: tuple[str, str | None, str | None, tuple[int, int] | None]) -> list[Kind | None]:
    taken = [faults.take(*request) for request in requests]
    return [fault.kind if fault else None for fault in taken]


def test_a_fault_meets_as_many_requests_as_it_says_and_then_no_more() -> None:
    faults = Faults(Fault(kind=Kind.DROP, times=2))
    assert met(faults, *[(*OUTPUT, (0, 10))] * 3) == [Kind.DROP, Kind.DROP, None]
    assert faults.left() == []


def test_a_fault_for_ever_never_ends() -> None:
    faults = Faults(Fault(kind=Kind.DROP, times=None))
    assert met(faults, *[(*OUTPUT, (0, 10))] * 100) == [Kind.DROP] * 100
    assert len(faults.left()) == 1
    faults.clear()
    assert met(faults, (*OUTPUT, (0, 10))) == [None]


def test_a_fault_may_let_requests_pass_first() -> None:
    faults = Faults(Fault(kind=Kind.DROP, after=2))
    assert met(faults, *[(*OUTPUT, None)] * 4) == [None, None, Kind.DROP, None]


def test_faults_meet_in_the_order_they_were_added_and_one_at_a_time() -> None:
    faults = Faults(Fault(kind=Kind.CUT), Fault(kind=Kind.FLIP))
    faults.add(Fault(kind=Kind.DROP))
    assert met(faults, *[(*OUTPUT, (0, 10))] * 3) == [Kind.CUT, Kind.FLIP, Kind.DROP]


def test_a_fault_sleeps_until_its_time() -> None:
    now = [0.0]
    faults = Faults(Fault(kind=Kind.DROP, from_s=5.0, times=None), clock=lambda: now[0])
    assert met(faults, (*OUTPUT, None)) == [None]
    now[0] = 5.0
    assert met(faults, (*OUTPUT, None)) == [Kind.DROP]


@pytest.mark.parametrize(
    ("fault", "meets"),
    [
        (Fault(kind=Kind.CUT, operation="get_job_output"), True),
        (Fault(kind=Kind.CUT, operation="list_jobs"), False),
        (Fault(kind=Kind.CUT, vault="vault", job="job"), True),
        (Fault(kind=Kind.CUT, vault="other"), False),
        (Fault(kind=Kind.CUT, job="other"), False),
        (Fault(kind=Kind.CUT, archive="archive"), True),
        (Fault(kind=Kind.CUT, archive="other"), False),
        (Fault(kind=Kind.CUT, at=10), True),
        (Fault(kind=Kind.CUT, at=19), True),
        (Fault(kind=Kind.CUT, at=9), False),
        (Fault(kind=Kind.CUT, at=20), False),
        (Fault(kind=Kind.CUT, start=19), True),
        (Fault(kind=Kind.CUT, start=20), False),
        (Fault(kind=Kind.CUT, stop=11), True),
        (Fault(kind=Kind.CUT, stop=10), False),
        (Fault(kind=Kind.CUT, start=12, stop=13), True),
    ],
)
def test_a_fault_meets_only_what_it_is_for(fault: Fault, *, meets: bool) -> None:
    assert fault.meets(*OUTPUT, (10, 20), "archive") == meets


def test_a_fault_at_a_byte_meets_no_listing() -> None:
    assert not Fault(kind=Kind.CUT, at=0).meets("list_jobs", "vault", None, None)


def test_a_job_that_is_to_expire_does_so_when_its_vault_is_listed() -> None:
    assert Fault(kind=Kind.EXPIRE, vault="vault", job="job").meets("list_jobs", "vault", None, None)
    assert not Fault(kind=Kind.CUT, vault="vault", job="job").meets("list_jobs", "vault", None, None)
