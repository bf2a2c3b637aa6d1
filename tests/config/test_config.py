"""What was decided, and who decided it."""

import json
import os
from pathlib import Path

import pytest

from casfs.config.layers import Places
from casfs.errors import ConfigError
from tests.config.conftest import KEYS, URL, Load, write

MIB = 1024**2


def test_defaults_are_what_a_mount_has_without_options(loaded: Load) -> None:
    config = loaded()
    assert (config.access.endpoint_url, config.account, config.root_vault) == (URL, "-", None)
    assert (config.foreground, config.allow_other, config.provider) == (False, False, "cas")
    assert (config.uid, config.gid) == (os.getuid(), os.getgid())
    assert (config.file_mode, config.dir_mode) == (0o400, 0o700)
    assert (config.block_cache_size, config.read_ahead, config.connections) == (256 * MIB, 128 * MIB, 64)
    assert (config.verify, config.list_ttl) == ("auto", 60)
    assert (config.connect_timeout, config.read_timeout) == (10, 120)
    assert (config.access.ca_bundle, config.log_file) == (None, None)
    assert (config.log_level, config.log_format) == ("info", "text")
    assert (config.cache_dir, config.cache_size, config.keep_expired) == (None, 10 * 1024 * MIB, False)


def test_what_is_written_first_wins(loaded: Load, config_file: Path) -> None:
    write(config_file, "[default]\nlist_ttl = 4\n")
    environment = KEYS | {"CASFS_LIST_TTL": "3"}
    assert loaded(given={"list_ttl": "1"}, words="list_ttl=2", environment=environment).list_ttl == 1
    assert loaded(words="list_ttl=2", environment=environment).list_ttl == 2
    assert loaded(environment=environment).list_ttl == 3
    assert loaded().list_ttl == 4
    config_file.unlink()
    assert loaded().list_ttl == 60


@pytest.mark.parametrize(
    ("place", "origin"),
    [
        ({"given": {"read_timeout": "0"}}, "^--read-timeout: '0' is not a number of seconds from 1 to 3600"),
        ({"words": "read-timeout=0"}, "^-o read_timeout: "),
        ({"environment": KEYS | {"CASFS_READ_TIMEOUT": "0"}}, "^CASFS_READ_TIMEOUT: "),
        ({"given": {"connect_timeout": "3601"}}, "^--connect-timeout: "),
    ],
)
def test_value_out_of_range_is_an_error_that_says_where_it_stands(
    loaded: Load, place: dict[str, object], origin: str
) -> None:
    with pytest.raises(ConfigError, match=origin):
        loaded(**place)


def test_others_that_are_let_in_can_read(loaded: Load) -> None:
    config = loaded(words="allow_other")
    assert (config.file_mode, config.dir_mode) == (0o444, 0o755)
    config = loaded(words="allow_other,file_mode=0440")
    assert (config.file_mode, config.dir_mode) == (0o440, 0o755)


def test_owner_zero_is_an_owner(loaded: Load) -> None:
    config = loaded(words="uid=0,gid=0")
    assert (config.uid, config.gid) == (0, 0)


def test_flag_can_be_turned_off_by_a_place_that_comes_first(loaded: Load) -> None:
    assert not loaded(words="allow_other=false", environment=KEYS | {"CASFS_ALLOW_OTHER": "1"}).allow_other


def test_words_for_the_kernel_are_handed_on(loaded: Load) -> None:
    assert loaded(words="rw,noexec,_netdev").kernel_words == ("noexec",)


@pytest.mark.parametrize("account", ["-", "125"])
def test_account_of_source_comes_first(loaded: Load, account: str) -> None:
    assert loaded(f"{URL}/{account}", environment=KEYS | {"CASFS_ACCOUNT": "77"}).account == account


def test_account_of_an_option_that_contradicts_source_is_an_error(loaded: Load) -> None:
    assert loaded(f"{URL}/125", {"account": "125"}).account == "125"
    with pytest.raises(ConfigError, match=r"account 125.*account.*77"):
        loaded(f"{URL}/125", {"account": "77"})


def test_certificates_that_are_not_there_are_an_error(loaded: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing.pem cannot be read"):
        loaded(given={"ca_bundle": str(tmp_path / "missing.pem")})


def test_places_of_a_process_are_those_of_its_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    places = Places.of_process()
    assert places.home == tmp_path
    assert places.files == (tmp_path / ".config/casfs/config.toml", Path("/etc/casfs/config.toml"))


def test_options_are_told_as_one_line_without_any_secret(loaded: Load) -> None:
    config = loaded(words="list_ttl=5,uid=0", environment=KEYS | {"CASFS_TOKEN": "marlin"})
    told = json.loads(config.options)
    assert (told["list_ttl"], told["uid"], told["dir_mode"]) == (5.0, 0, 0o700)
    assert "\n" not in config.options
    assert not [secret for secret in ("AKIDexample", "swordfish", "marlin") if secret in config.options]


@pytest.mark.parametrize("place", ["given", "words", "environment", "file"])
def test_a_cache_on_disk_can_be_asked_for_everywhere(loaded: Load, config_file: Path, place: str) -> None:
    write(
        config_file, '[default]\ncache_dir = "/c"\ncache_size = "1G"\nkeep_expired = true\n' if place == "file" else ""
    )
    texts = {"cache_dir": "/c", "cache_size": "1G", "keep_expired": "true"}
    places: dict[str, dict[str, object]] = {
        "given": {"given": texts},
        "words": {"words": ",".join(f"{name}={text}" for name, text in texts.items())},
        "environment": {"environment": KEYS | {f"CASFS_{name.upper()}": text for name, text in texts.items()}},
        "file": {},
    }
    config = loaded(**places[place])
    assert (config.cache_dir, config.cache_size, config.keep_expired) == ("/c", 1024 * MIB, True)


def test_what_is_expired_can_be_kept_in_a_cache_on_disk_only(loaded: Load) -> None:
    with pytest.raises(ConfigError, match=r"^keep_expired: .* cache_dir"):
        loaded(given={"keep_expired": "true"})
