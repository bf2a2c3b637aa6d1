"""What stands behind -o."""

import pytest

from casfs.config.mount_options import known, parse
from casfs.errors import ConfigError

OF_MOUNT = """
    auto noauto user nouser users nousers owner noowner group nogroup nofail _netdev defaults rw ro suid nosuid dev
    nodev exec noexec atime noatime relatime norelatime diratime nodiratime strictatime nostrictatime lazytime
    nolazytime mand nomand iversion noiversion sync async dirsync silent loud symfollow nosymfollow remount
"""


@pytest.mark.parametrize(
    "word",
    [
        *OF_MOUNT.split(),
        "x-systemd.automount",
        "X-mount.mkdir=0755",
        "x-gvfs-name=a b",
        "user=alice",
        "comment=a b",
        "",
    ],
)
def test_words_of_mount_are_accepted(word: str) -> None:
    assert parse(word).given == {}


def test_words_for_the_kernel_are_kept_in_order() -> None:
    assert parse("rw,noexec,nofail,suid,x-a=b,dev").kernel_words == ("noexec", "suid", "dev")


def test_last_of_two_words_for_the_kernel_that_contradict_each_other_wins() -> None:
    assert parse("exec,suid,noexec,nosuid,exec").kernel_words == ("nosuid", "exec")
    assert [parse(text).read_write for text in ("", "ro", "rw,ro", "rw", "ro,rw")] == [False, False, False, True, True]


def test_labels_go_to_the_kernel_with_their_values_and_the_quotes_around_a_comma() -> None:
    text = 'context="system_u:object_r:casfs_t:s0:c1,c2",ro,fscontext=a:b,defcontext=c,rootcontext=d'
    context = 'context="system_u:object_r:casfs_t:s0:c1,c2"'
    assert parse(text).kernel_words == (context, "fscontext=a:b", "defcontext=c", "rootcontext=d")
    with pytest.raises(ConfigError, match="-o context: "):
        parse("context")


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("alow_other", "allow_other"), ("alow-other", "allow_other"), ("list_tll=5", "list_ttl"), ("nouato", "noauto")],
)
def test_unknown_word_is_answered_with_the_nearest(word: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=rf"-o {word.partition('=')[0]}: .*; did you mean {nearest}\?$"):
        parse(word)


def test_words_of_the_table_of_mounts_are_taken_at_a_remount_and_else_refused() -> None:
    shown = "user_id=0,group_id=0,default_permissions,max_read=131072"
    assert parse(f"ro,remount,{shown}").shown == tuple(shown.split(","))
    assert parse("remount").remount
    with pytest.raises(ConfigError, match="-o user_id: "):
        parse(shown)


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
    assert parse('ca_bundle="/a,b=c",ro').given == {"ca_bundle": "/a,b=c"}


def test_option_without_its_value_is_an_error() -> None:
    with pytest.raises(ConfigError, match="list_ttl=SECONDS"):
        parse("list_ttl")


def test_unknown_words_can_be_taken_out() -> None:
    assert known(r"ro,whatever=1,list_ttl=5,ca_bundle=/a\,b,uid") == r"ro,list_ttl=5,ca_bundle=/a\,b"
