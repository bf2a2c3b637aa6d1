"""Fault plans as text."""

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.scripts import parse
from casfs.errors import ConfigError

TOML = """
[[fault]]
kind = "status"
code = "ThrottlingException"
retry-after = "2"
times = 3

[[fault]]
kind = "cut"
vault = "photos"
at = 3145728
times = "forever"
seconds = 1
announced = false
"""
JSON = """[{"kind": "status", "code": "ThrottlingException", "retry_after": "2", "times": 3},
 {"kind": "cut", "vault": "photos", "at": 3145728, "times": "forever", "seconds": 1, "announced": false}]"""


@pytest.mark.parametrize("text", [TOML, JSON, f'{{"fault": {JSON}}}'], ids=["toml", "json list", "json object"])
def test_a_plan_is_read_in_its_order(text: str) -> None:
    assert parse(text) == [
        Fault(kind=Kind.STATUS, code="ThrottlingException", retry_after="2", times=3),
        Fault(kind=Kind.CUT, vault="photos", at=3145728, times=None, seconds=1.0, announced=False),
    ]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_scripted(kind: Kind) -> None:
    assert parse(f'[[fault]]\nkind = "{kind.value}"') == [Fault(kind=kind)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[fault]]\nkind =", "neither TOML nor JSON"),
        ("kind = 'cut'", r"a list of \[\[fault\]\] tables"),
        ("[fault]\nkind = 'cut'", r"a list of \[\[fault\]\] tables"),
        ("[[fault]]\ntimes = 1", "number 1 has no kind"),
        ("[1]", "number 1 has no kind"),
        ("[[fault]]\nkind = 'cut'\n[[fault]]\nkind = 'explode'", "number 2: kind is one of status, throttle"),
        ("[[fault]]\nkind = 'cut'\nwhen = 1", "number 1 has an unknown key: when"),
        ("[[fault]]\nkind = 'cut'\ntimes = 'often'", "times is no int or forever: 'often'"),
        ("[[fault]]\nkind = 'cut'\nat = true", "at is no int"),
        ("[[fault]]\nkind = 'cut'\nannounced = 0", "announced is no bool"),
        ("[[fault]]\nkind = 'cut'\nseconds = '1'", "seconds is no float"),
    ],
)
def test_a_plan_that_cannot_be_read_says_where(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse(text)
