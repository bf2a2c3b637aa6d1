"""The configuration file."""

import os
from pathlib import Path

import pytest

from casfs.config.private_files import PrivateFile
from casfs.errors import ConfigError
from tests.config.conftest import KEYS, URL, Load, keys_of, write

SECRET = 'secret_id = "AKIDexample"\nsecret_key = "swordfish"\n'


def test_profile_says_where_who_and_how(loaded: Load, config_file: Path) -> None:
    write(config_file, f'[work]\nregion = "ap-beijing"\nlist_ttl = 5\nallow_other = true\nfile_mode = "0440"\n{SECRET}')
    config = loaded("work:photos", environment={})
    assert config.access.endpoint_url == "https://cas.ap-beijing.myqcloud.com"
    assert config.root_vault == "photos"
    assert (config.list_ttl, config.allow_other, config.file_mode, config.dir_mode) == (5.0, True, 0o440, 0o755)
    assert keys_of(config).secret_key == "swordfish"
    assert str(config_file) in config.access.origin


@pytest.mark.parametrize("endpoint", ["http://h:1/77/", "http://h:1/77"])
def test_endpoint_of_a_profile_may_have_an_account(loaded: Load, config_file: Path, endpoint: str) -> None:
    write(config_file, f'[work]\nendpoint = "{endpoint}"\n')
    config = loaded("work:")
    assert (config.access.endpoint_url, config.account) == ("http://h:1", "77")


def test_profile_is_chosen_by_option_where_source_names_none(loaded: Load, config_file: Path) -> None:
    write(config_file, "[default]\nlist_ttl = 1\n[work]\nlist_ttl = 2\n")
    assert loaded().list_ttl == 1
    assert loaded(given={"profile": "work"}).list_ttl == 2
    assert loaded(words="profile=work").list_ttl == 2
    assert loaded(environment=KEYS | {"CASFS_PROFILE": "work"}).list_ttl == 2


def test_profile_inherits_nothing(loaded: Load, config_file: Path) -> None:
    write(config_file, '[default]\nlist_ttl = 1\n[work]\nregion = "ap-beijing"\n')
    assert loaded("work:").list_ttl == 60


def test_default_profile_need_not_be_written(loaded: Load) -> None:
    assert loaded().list_ttl == 60


def test_profile_that_is_not_there_is_an_error(loaded: Load) -> None:
    with pytest.raises(ConfigError, match=r"no profile work in .*config.toml or .*system.toml"):
        loaded(given={"profile": "work"})


def test_source_and_option_that_name_different_profiles_are_an_error(loaded: Load, config_file: Path) -> None:
    write(config_file, '[a]\nregion = "ap-beijing"\n[b]\n')
    with pytest.raises(ConfigError, match=r"profile a.*profile.* b"):
        loaded("a:", {"profile": "b"})


def test_first_file_that_has_the_profile_is_taken(loaded: Load, config_file: Path) -> None:
    write(config_file.with_name("system.toml"), "[default]\nlist_ttl = 1\n[work]\nlist_ttl = 2\n")
    write(config_file, "[default]\nlist_ttl = 3\n")
    assert loaded().list_ttl == 3
    assert loaded(given={"profile": "work"}).list_ttl == 2


def test_named_file_is_the_only_one(loaded: Load, config_file: Path, tmp_path: Path) -> None:
    write(config_file, "[default]\nlist_ttl = 3\n")
    other = write(tmp_path / "other.toml", "[work]\n")
    assert loaded(given={"config": str(other)}).list_ttl == 60
    with pytest.raises(ConfigError, match=r"missing.toml is not there"):
        loaded(given={"config": str(tmp_path / "missing.toml")})
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory"):
        loaded(given={"config": str(tmp_path)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[default]\nlist_tll = 1\n", "no setting 'list_tll'; did you mean list_ttl"),
        ("[default]\nprofile = 'x'\n", "no setting 'profile'"),
        ("[default]\nconfig = '/x'\n", "no setting 'config'"),
        ("[default]\nvault = 'x'\n", "no setting 'vault'"),
        ("[default]\nfuse.x = 1\n", "no setting 'fuse'"),
        ("list_ttl = 1\n", "'list_ttl' stands outside of a profile"),
        ("[default]\nlist_ttl = [1]\n", "list_ttl is neither text"),
        ("[default]\nlist_ttl = 2020-01-01\n", "list_ttl is neither text"),
        ("[default]\nlist_ttl = 1e9\n", "list_ttl: '1000000000.0' is not a number of seconds"),
        ("[default]\nallow_other = 2\n", "allow_other: '2' is neither true nor false"),
        ("[default]\nfile_mode = 0o400\n", "file_mode must stand in quotes"),
        ("[default]\naccount = 0123\n", "is no TOML: at line 2"),
        ("[default]\nmetrics = ':1'\n", "metrics: ':1' is not HOST:PORT"),
    ],
)
def test_what_cannot_be_used_is_an_error(loaded: Load, config_file: Path, text: str, said: str) -> None:
    write(config_file, text)
    with pytest.raises(ConfigError, match=said):
        loaded()


def test_line_that_is_no_toml_is_not_shown(loaded: Load, config_file: Path) -> None:
    write(config_file, "[default]\nsecret_key = swordfish\n")
    with pytest.raises(ConfigError, match="line 2") as caught:
        loaded()
    assert "swordfish" not in str(caught.value)


def test_file_that_is_no_text_is_an_error_where_it_was_named(loaded: Load, config_file: Path) -> None:
    config_file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        loaded(given={"config": str(config_file)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('endpoint = "http://h"\nregion = "ap-beijing"\n', "an endpoint and a region"),
        ('endpoint = "http://h/1/photos"\n', "an endpoint has no vault"),
        ('region = "chengdu"\n', "'chengdu' is not a region"),
        ("", "neither an endpoint nor a region"),
    ],
)
def test_place_that_cannot_be_is_an_error(loaded: Load, config_file: Path, text: str, said: str) -> None:
    write(config_file, f"[work]\n{text}")
    with pytest.raises(ConfigError, match=said):
        loaded("work:")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o666])
@pytest.mark.parametrize("table", [f"[default]\n{SECRET}", f"[other]\n{SECRET}", "[default]\ntoken = 'swordfish'"])
def test_file_with_a_secret_that_others_can_read_is_refused(
    loaded: Load, config_file: Path, mode: int, table: str
) -> None:
    write(config_file, table, mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {config_file}") as caught:
        loaded(URL, environment=KEYS)
    assert "swordfish" not in str(caught.value)


def test_file_without_a_secret_may_be_read_by_all(loaded: Load, config_file: Path) -> None:
    write(config_file, "[default]\nlist_ttl = 3\n", 0o644)
    assert loaded().list_ttl == 3


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_group_may_read_a_file_of_root_and_of_nobody_else(loaded: Load, config_file: Path) -> None:
    write(config_file, f"[default]\n{SECRET}", 0o640)
    assert keys_of(loaded(environment={})).secret_id == "AKIDexample"
    os.chown(config_file, 12345, -1)
    with pytest.raises(ConfigError, match="chmod 600"):
        PrivateFile(config_file).check_private()
