"""What stands behind -o."""

import pytest

from casfs.config.mount_options import known, parse
from casfs.errors import ConfigError

OF_MOUNT = """
    auto noauto user nouser users nofail _netdev defaults rw ro suid nosuid dev nodev exec noexec relatime noatime
"""


@pytest.mark.parametrize("word", [*OF_MOUNT.split(), "x-systemd.automount", "x-gvfs-name=a b", "user=alice", ""])
def test_words_of_mount_are_accepted(word: str) -> None:
    assert parse(word).given == {}


def test_words_for_the_kernel_are_kept_in_order() -> None:
    assert parse("rw,noexec,nofail,suid,nosuid,x-a=b").kernel_words == ("noexec", "suid", "nosuid")


@pytest.mark.parametrize("word", ["allow_otter", "list_ttl2=1", "ro=1", "secret_key=swordfish", "fsname=x", "f", "-"])
def test_unknown_word_is_an_error_that_names_it_without_its_value(word: str) -> None:
    with pytest.raises(ConfigError, match=f"-o {word.partition('=')[0]}: ") as caught:
        parse(f"rw,{word},nofail")
    assert "swordfish" not in str(caught.value)


def test_options_are_spelled_either_way_and_the_last_one_wins() -> None:
    assert parse("list_ttl=1,list-ttl=2,allow-other").given == {"list_ttl": "2", "allow_other": "true"}


def test_flag_can_be_turned_off() -> None:
    assert parse("allow_other=false").given == {"allow_other": "false"}


def test_comma_within_a_value_is_escaped() -> None:
    assert parse(r"ca_bundle=/a\,b=c,ro").given == {"ca_bundle": "/a,b=c"}


def test_option_without_its_value_is_an_error() -> None:
    with pytest.raises(ConfigError, match="list_ttl=SECONDS"):
        parse("list_ttl")


def test_unknown_words_can_be_taken_out() -> None:
    assert known(r"ro,whatever=1,list_ttl=5,ca_bundle=/a\,b,uid") == r"ro,list_ttl=5,ca_bundle=/a\,b"
