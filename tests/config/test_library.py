"""Options of who reads without a mount."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from casfs.config.config import Config
from casfs.config.layers import Places
from casfs.config.library import NAMES, load, source_of, texts_of
from casfs.errors import ConfigError
from tests.config.conftest import KEYS, URL, write

Connected = Callable[..., Config]

LIBRARY = (
    "profile, config, provider, account, block_cache_size, cache_dir, cache_size, keep_expired, connections, "
    "read_ahead, verify, list_ttl, connect_timeout, read_timeout, ca_bundle, token_header"
)


@pytest.fixture
def connected(tmp_path: Path, config_file: Path) -> Connected:
    def run(source: str = URL, environment: Mapping[str, str] = KEYS, **options: object) -> Config:
        places = Places(environment, tmp_path, (config_file,))
        return load(source, texts_of(options), places)

    return run


def test_the_options_are_these() -> None:
    assert sorted(NAMES) == sorted(LIBRARY.split(", "))


@pytest.mark.parametrize(
    ("option", "given", "value"),
    [
        ("read_timeout", 60, 60.0),
        ("read_timeout", 2.5, 2.5),
        ("read_timeout", 100.0, 100.0),
        ("read_timeout", "60", 60.0),
        ("read_timeout", None, 120.0),
        ("block_cache_size", 64 << 20, 64 << 20),
        ("block_cache_size", "64M", 64 << 20),
        ("read_ahead", 0, 0),
        ("cache_dir", Path("/var/cache/casfs"), "/var/cache/casfs"),
        ("cache_size", "20M", 20 << 20),
        ("keep_expired", False, False),
        ("verify", "require", "require"),
        ("account", 1250000000, "1250000000"),
        ("ca_bundle", Path("/etc/hostname"), "/etc/hostname"),
    ],
)
def test_an_option_is_text_or_the_value(connected: Connected, option: str, given: object, value: object) -> None:
    config = connected(**{option: given})
    assert getattr(config.access if option == "ca_bundle" else config, option) == value


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"read_timout": 60}, "there is no option 'read_timout'; did you mean read_timeout\\?"),
        ({"allow_other": True}, "there is no option 'allow_other'"),
        ({"foreground": "yes"}, "there is no option 'foreground'"),
        ({"read_timeout": 0}, "^read_timeout: '0' is not a number of seconds from 1 to 3600"),
        ({"read_timeout": float("nan")}, "^read_timeout: "),
        ({"read_timeout": 1e300}, "^read_timeout: "),
        ({"read_ahead": False}, "^read_ahead: bool is neither text, number nor path"),
        ({"ca_bundle": b"/etc/hostname"}, "^ca_bundle: bytes is neither"),
        ({"block_cache_size": [1]}, "^block_cache_size: list is neither"),
    ],
)
def test_what_is_no_option_or_no_value_of_one_is_told(
    connected: Connected, options: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        connected(**options)


@pytest.mark.parametrize("source", [f"{URL}/-/photos", "ap-chengdu:photos", "default:photos"])
def test_a_source_with_a_vault_is_told_so(connected: Connected, config_file: Path, source: str) -> None:
    write(config_file, '[default]\nregion = "ap-chengdu"\n')
    with pytest.raises(ConfigError, match="SOURCE has a vault, photos: leave it out"):
        connected(source)


def test_environment_and_profile_count_and_what_they_say_to_a_mount_is_passed_over(
    connected: Connected, config_file: Path
) -> None:
    write(
        config_file, f'[work]\nendpoint = "{URL}"\nlist_ttl = 7\nuid = "nobody here"\nread_timeout = 9\nlog_level = "x"'
    )
    environment = {
        "CASFS_READ_TIMEOUT": "8",
        "CASFS_ALLOW_OTHER": "perhaps",
        "CASFS_GID": "none",
        "CASFS_METRICS": ":1",
    }
    config = connected("work:", KEYS | environment)
    assert (config.access.endpoint_url, config.list_ttl, config.read_timeout) == (URL, 7.0, 8.0)
    assert (config.allow_other, config.log_level) == (False, "info")
    assert connected("work:", KEYS | environment, read_timeout=5).read_timeout == 5.0


def test_a_key_that_nobody_knows_is_an_error_in_a_profile(connected: Connected, config_file: Path) -> None:
    write(config_file, "[work]\nlist_tll = 7\n")
    with pytest.raises(ConfigError, match="did you mean list_ttl"):
        connected("work:")


def test_what_contradicts_source_is_told_by_the_name_of_the_option(connected: Connected, config_file: Path) -> None:
    write(config_file, f'[work]\nendpoint = "{URL}"\n')
    with pytest.raises(ConfigError, match="SOURCE asks for account 125, and account for 126"):
        connected(f"{URL}/125", account=126)
    with pytest.raises(ConfigError, match="SOURCE asks for profile work, and profile for home"):
        connected("work:", profile="home")


def test_without_a_source_it_is_the_profile_that_was_asked_for() -> None:
    nothing, environment = Places({}, None, ()), Places({"CASFS_PROFILE": "work"}, None, ())
    assert source_of({}, nothing) == "default:"
    assert source_of({}, environment) == "work:"
    assert source_of({"profile": "home"}, environment) == "home:"


def test_a_path_stays_that_of_the_directory_it_was_given_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert texts_of({"config": "my.toml"}) == {"config": str(tmp_path / "my.toml")}
