"""What would be used, and where each value comes from."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from casfs.config.layers import Places
from casfs.config.options import OPTIONS
from casfs.config.origins import Settings, settings_of
from casfs.errors import ConfigError
from tests.config.conftest import KEYS, URL

PROFILE = """
[work]
endpoint = "https://cas.example/17"
secret_id = "AKIDz8krbsJ5yKBZQpn7"
secret_key = "swordfish"
token = "sesame"
list_ttl = 300
connections = 5
"""


def shown(
    home: Path, source: str | None = URL, given: Mapping[str, str] | None = None, words: str = "", **environment: str
) -> Settings:
    return settings_of(source, given or {}, words, Places(environment, home, (home / "config.toml",)))


def settings(found: Settings) -> dict[str, tuple[object, str]]:
    return {setting.name: (setting.value, setting.origin) for setting in found.values}


def test_each_place_that_has_a_value_is_named_and_the_first_one_wins(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(PROFILE)
    (tmp_path / "config.toml").chmod(0o600)
    found = settings(
        shown(tmp_path, "work:vault", {"read_ahead": "1M"}, "uid=7,read_ahead=2M", CASFS_CONNECTIONS="9", CASFS_UID="8")
    )
    profile = f"profile work in {tmp_path}/config.toml"
    assert found["read_ahead"] == (1 << 20, "--read-ahead")
    assert found["uid"] == (7, "-o uid")
    assert found["connections"] == (9, "CASFS_CONNECTIONS")
    assert found["list_ttl"] == (300.0, f"{profile}: list_ttl")
    assert found["read_timeout"] == (120.0, "default")
    assert (found["endpoint"], found["vault"]) == (("https://cas.example", profile), ("vault", "SOURCE"))
    assert found["profile"] == ("work", "SOURCE")
    assert found["account"] == ("17", f"beside the endpoint or the keys: {profile}")
    assert found["file_mode"] == ("0400", "default")


def test_a_source_that_nobody_gave_is_no_origin(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(PROFILE)
    (tmp_path / "config.toml").chmod(0o600)
    for given, words, environment, origin in (
        ({"profile": "work"}, "", {}, "--profile"),
        ({}, "profile=work", {}, "-o profile"),
        ({}, "", {"CASFS_PROFILE": "work"}, "CASFS_PROFILE"),
    ):
        found = settings(shown(tmp_path, None, given, words, **environment))
        assert found["profile"] == ("work", origin)
        assert found["vault"] == (None, "default")
        assert found["endpoint"][0] == "https://cas.example"
    (tmp_path / "config.toml").write_text(PROFILE.replace("work", "default"))
    assert settings(shown(tmp_path, None))["profile"] == ("default", "default")


def test_whoever_asks_for_another_profile_than_source_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(PROFILE + PROFILE.replace("work", "home"))
    (tmp_path / "config.toml").chmod(0o600)
    with pytest.raises(ConfigError, match="SOURCE asks for profile work, and CASFS_PROFILE for home"):
        shown(tmp_path, "work:", CASFS_PROFILE="home")
    other = shown(tmp_path, "https://cas.example/17", None, "account=18", **KEYS).failure
    assert str(other) == "SOURCE asks for account 17, and -o account for 18"


def test_secrets_are_masked_and_an_id_is_as_far_as_it_tells_keys_apart(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(PROFILE)
    (tmp_path / "config.toml").chmod(0o600)
    found = shown(tmp_path, "work:")
    origin = f"profile work in {tmp_path}/config.toml"
    assert settings(found)["secret_id"] == ("AKID***", origin)
    assert settings(found)["secret_key"] == settings(found)["token"] == ("***", origin)
    assert "swordfish" not in str(found.values)
    assert "sesame" not in str(found.values)


def test_every_option_is_shown(tmp_path: Path) -> None:
    names = {setting.name for setting in settings_of(URL, {}, "", Places(KEYS, tmp_path, ())).values}
    assert names >= {option.name for option in OPTIONS}


def test_what_is_written_is_shown_where_nothing_could_be_mounted(tmp_path: Path) -> None:
    found = shown(tmp_path, given={"list_ttl": "9"})
    assert found.config is None
    assert settings(found)["list_ttl"] == ("9", "--list-ttl")
    assert "no credentials" in str(found.failure)


def test_what_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such option"):
        shown(tmp_path, words="no_such_word")
