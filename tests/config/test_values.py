"""What users write."""

import os
import pwd
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.config.values import (
    ACCOUNT,
    FLAG,
    HEADER,
    MODE,
    PATH,
    TEXT,
    Kind,
    choice,
    group,
    integer,
    seconds,
    size,
    user,
)

SIZE = size("1M", "1T")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (FLAG, "true", True),
        (FLAG, "Yes", True),
        (FLAG, "1", True),
        (FLAG, "off", False),
        (SIZE, "1048576", 2**20),
        (SIZE, "1M", 2**20),
        (SIZE, "256m", 2**28),
        (SIZE, "1T", 2**40),
        (size("0", "1T"), "0", 0),
        (integer(1, 256), "256", 256),
        (seconds(1, 3600), "1", 1.0),
        (seconds(1, 3600), "3600", 3600.0),
        (seconds(0, 60), "0.5", 0.5),
        (MODE, "0444", 0o444),
        (MODE, "400", 0o400),
        (ACCOUNT, "-", "-"),
        (ACCOUNT, "1250000000", "1250000000"),
        (HEADER, "x-cos-security-token", "x-cos-security-token"),
        (PATH, "/a/b", "/a/b"),
        (choice("auto", "off"), "off", "off"),
        (TEXT, "work", "work"),
    ],
)
def test_value_is_read(kind: Kind, text: str, value: object) -> None:
    assert kind.read(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FLAG, ""),
        (FLAG, "maybe"),
        (SIZE, "1048575"),
        (SIZE, "1025G"),
        (SIZE, "-1M"),
        (SIZE, "1.5G"),
        (SIZE, "1 G"),
        (SIZE, "1MB"),
        (SIZE, "1P"),
        (SIZE, "٣M"),
        (SIZE, "9" * 5000),
        (SIZE, ""),
        (integer(1, 256), "0"),
        (integer(1, 256), "257"),
        (integer(1, 256), "1e2"),
        (integer(1, 256), "+1"),
        (seconds(1, 3600), "0"),
        (seconds(1, 3600), "0.999"),
        (seconds(1, 3600), "3600.1"),
        (seconds(1, 3600), "nan"),
        (seconds(1, 3600), "inf"),
        (seconds(1, 3600), "1m"),
        (MODE, "888"),
        (MODE, "1777"),
        (MODE, "4"),
        (MODE, "0o400"),
        (ACCOUNT, "a/b"),
        (ACCOUNT, ""),
        (HEADER, "x y"),
        (HEADER, "x:\r\n"),
        (PATH, ""),
        (TEXT, ""),
        (choice("auto", "off"), "Auto"),
    ],
)
def test_what_is_no_such_value_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has) "):
        kind.read(text)


@given(st.integers(0, 2**10), st.sampled_from("KMGT"))
def test_units_are_powers_of_1024(number: int, unit: str) -> None:
    assert size("0", "1024T").read(f"{number}{unit}") == number * 1024 ** ("KMGT".index(unit) + 1)


def test_path_is_absolute_since_the_mount_has_another_directory() -> None:
    assert PATH.read("a.log") == f"{os.getcwd()}/a.log"  # noqa: PTH109 - the one that users mean
    assert PATH.read("~/a.log") == os.path.expanduser("~/a.log")  # noqa: PTH111 - as the shell does it


def test_path_in_a_working_directory_that_is_no_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ValueError, match=r"^is seen from a working directory that is no more; cd to one that exists$"):
        PATH.read("a.log")
    assert PATH.read("/a.log") == "/a.log"


def test_users_and_groups_are_numbers_or_names() -> None:
    assert [user().read(text) for text in ("0", "4294967294", "root")] == [0, 2**32 - 2, 0]
    assert [group().read(text) for text in ("0", "12", "root")] == [0, 12, 0]
    assert user().read("nobody") == pwd.getpwnam("nobody").pw_uid


@pytest.mark.parametrize("text", ["", "4294967295", "-1", "nobody-of-that-name", "a\0b", "\udcff"])
@pytest.mark.parametrize("kind", [user(), group()], ids=["user", "group"])
def test_who_is_not_known_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r"^is no (user|group) of this machine, and no number from 0 to 4294967294$"):
        kind.read(text)


def test_path_in_a_home_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^is in the home of a user who has none$"):
        PATH.read("~nobody-of-that-name/a.log")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    with pytest.raises(ValueError, match=r"^is in the home of a user who has none$"):
        PATH.read("~/a.log")
    assert PATH.read("./~") == f"{os.getcwd()}/~"  # noqa: PTH109 - the one that users mean
