"""Who signs the requests."""

from pathlib import Path

import pytest

from casfs.errors import ConfigError
from tests.config.conftest import URL, Load, keys_of, write

CASFS = {"CASFS_SECRET_ID": "id1", "CASFS_SECRET_KEY": "key1"}
TENCENT = {"TENCENTCLOUD_SECRET_ID": "id2", "TENCENTCLOUD_SECRET_KEY": "key2", "TENCENTCLOUD_TOKEN": "token2"}
CASCMD = "[CASCredentials]\nendpoint = cas.ap-beijing.myqcloud.com\nappid = 125\nsecretid = id5\nsecretkey = k%5\n"


@pytest.fixture
def all_places(tmp_path: Path, config_file: Path) -> dict[str, str]:
    """Put credentials into every place; returns the environment."""
    (tmp_path / "credentials").mkdir()
    write(tmp_path / "credentials" / "casfs", 'secret_id = "id3"\nsecret_key = "key3"\n', 0o400)
    write(config_file, '[default]\nsecret_id = "id4"\nsecret_key = "key4"\ntoken = "token4"\n')
    write(tmp_path / ".cascmd_credentials", CASCMD)
    return CASFS | TENCENT | {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}


def test_first_place_wins_whole(loaded: Load, all_places: dict[str, str], config_file: Path) -> None:
    found = [loaded(environment=all_places)]
    for name in CASFS:
        del all_places[name]
    found.append(loaded(environment=all_places))
    for name in TENCENT:
        del all_places[name]
    found.append(loaded(environment=all_places))
    del all_places["CREDENTIALS_DIRECTORY"]
    found.append(loaded(environment=all_places))
    config_file.unlink()
    found.append(loaded(environment=all_places))
    keys = [(each.secret_id, each.secret_key, each.token) for each in map(keys_of, found)]
    assert keys == [
        ("id1", "key1", None),
        ("id2", "key2", "token2"),
        ("id3", "key3", None),
        ("id4", "key4", "token4"),
        ("id5", "k%5", None),
    ]


def test_a_file_of_systemd_that_has_none_is_passed_over(
    loaded: Load, all_places: dict[str, str], tmp_path: Path
) -> None:
    """As the unit has it made where nobody has put any."""
    write(tmp_path / "credentials" / "casfs", "# none", 0o400)
    environment = {"CREDENTIALS_DIRECTORY": all_places["CREDENTIALS_DIRECTORY"]}
    assert keys_of(loaded(environment=environment)).secret_id == "id4"


def test_no_credentials_at_all_is_an_error_that_says_where_to_put_them(loaded: Load) -> None:
    with pytest.raises(ConfigError, match="set CASFS_SECRET_ID and CASFS_SECRET_KEY"):
        loaded(environment={})


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"CASFS_SECRET_ID": "a"}, "CASFS_SECRET_KEY"),
        ({"CASFS_SECRET_KEY": "a"}, "CASFS_SECRET_ID"),
        ({"CASFS_TOKEN": "a"} | TENCENT, "CASFS_SECRET_ID"),
        ({"CASFS_SECRET_ID": "a", "CASFS_SECRET_KEY": ""} | TENCENT, "CASFS_SECRET_KEY"),
        ({"TENCENTCLOUD_SECRET_ID": "a"}, "TENCENTCLOUD_SECRET_KEY"),
    ],
)
def test_half_of_the_credentials_is_an_error_that_names_the_other(
    loaded: Load, environment: dict[str, str], missing: str
) -> None:
    with pytest.raises(ConfigError, match=f"without {missing}$"):
        loaded(environment=environment)


def test_half_of_the_credentials_in_a_file_is_an_error_too(loaded: Load, tmp_path: Path, config_file: Path) -> None:
    write(config_file, '[default]\nsecret_key = "swordfish"\n')
    with pytest.raises(ConfigError, match=r"profile default in .* without secret_id") as caught:
        loaded(environment={})
    assert "swordfish" not in str(caught.value)
    config_file.unlink()
    write(tmp_path / ".cascmd_credentials", "[CASCredentials]\nsecretid = x\n")
    with pytest.raises(ConfigError, match=r"cascmd_credentials .* without secretkey"):
        loaded(environment={})


def test_empty_variable_counts_as_not_set(loaded: Load) -> None:
    config = loaded(environment=dict.fromkeys([*CASFS, "CASFS_TOKEN", "CASFS_LIST_TTL"], "") | TENCENT)
    assert keys_of(config).secret_id == "id2"


@pytest.mark.parametrize("key", ["sword fish", "swordfish\n", "swordfish\x7f", "schwertfïsch"])
def test_key_that_no_header_can_carry_is_an_error_that_does_not_show_it(loaded: Load, key: str) -> None:
    with pytest.raises(ConfigError, match="CASFS_SECRET_KEY has a space, or a character") as caught:
        loaded(environment={"CASFS_SECRET_ID": "a", "CASFS_SECRET_KEY": key})
    assert key not in str(caught.value)


def test_secrets_are_in_no_repr(loaded: Load) -> None:
    shown = repr(loaded(environment={"CASFS_SECRET_ID": "a", "CASFS_SECRET_KEY": "swordfish", "CASFS_TOKEN": "marlin"}))
    assert "swordfish" not in shown
    assert "marlin" not in shown


def test_systemd_credentials_have_three_keys_and_no_others(loaded: Load, tmp_path: Path) -> None:
    file = write(tmp_path / "casfs", 'secret_id = "a"\nsecret_key = "b"\ntoken = "c"\n', 0o400)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert keys_of(loaded(environment=environment)).token == "c"
    write(file, 'secret_id = "a"\nsecretkey = "swordfish"\n')
    with pytest.raises(ConfigError, match="there is no setting 'secretkey'"):
        loaded(environment=environment)


def test_systemd_directory_without_our_file_is_passed_over(loaded: Load, tmp_path: Path, config_file: Path) -> None:
    write(config_file, '[default]\nsecret_id = "id4"\nsecret_key = "key4"\n')
    assert keys_of(loaded(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})).secret_id == "id4"


def test_systemd_file_of_root_may_be_readable_by_its_group(loaded: Load, tmp_path: Path) -> None:
    file = write(tmp_path / "casfs", 'secret_id = "a"\nsecret_key = "b"\n', 0o440)
    if file.stat().st_uid != 0:
        pytest.skip("only root makes files of root")
    assert keys_of(loaded(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})).secret_id == "a"


@pytest.mark.parametrize("name", ["casfs", ".cascmd_credentials"])
def test_file_that_others_can_read_is_refused_with_what_mends_it(loaded: Load, tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, CASCMD, 0o644)
    with pytest.raises(ConfigError, match=f"chmod 600 {file}"):
        loaded(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_path_in_the_line_that_mends_can_be_pasted(loaded: Load, tmp_path: Path) -> None:
    directory = tmp_path / "a b"
    directory.mkdir()
    write(directory / "casfs", "", 0o644)
    with pytest.raises(ConfigError, match=f"chmod 600 '{directory}/casfs'"):
        loaded(environment={"CREDENTIALS_DIRECTORY": str(directory)})


def test_cascmd_says_where_and_whose_where_source_does_not(loaded: Load, tmp_path: Path) -> None:
    write(tmp_path / ".cascmd_credentials", CASCMD)
    config = loaded("default:", environment={})
    assert (config.access.endpoint_url, config.account) == ("https://cas.ap-beijing.myqcloud.com", "125")
    config = loaded(URL, environment={})
    assert (config.access.endpoint_url, config.account) == (URL, "125")
    config = loaded(f"{URL}/-", environment={})
    assert (config.access.endpoint_url, config.account) == (URL, "-")
    assert loaded("default:", {"account": "7"}, environment={}).account == "7"


def test_cascmd_file_is_not_looked_at_where_credentials_are_elsewhere(loaded: Load, tmp_path: Path) -> None:
    write(tmp_path / ".cascmd_credentials", CASCMD, 0o644)
    assert loaded(URL, environment=CASFS).account == "-"


@pytest.mark.parametrize("text", ["", "[other]\n", "secretid = swordfish\n", "[CASCredentials]\n[CASCredentials]\n"])
def test_cascmd_file_that_is_none_is_an_error(loaded: Load, tmp_path: Path, text: str) -> None:
    write(tmp_path / ".cascmd_credentials", text)
    with pytest.raises(ConfigError, match="is no file of cascmd") as caught:
        loaded(environment={})
    assert "swordfish" not in str(caught.value)
