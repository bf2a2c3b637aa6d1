"""Files of settings: which are refused, which are passed over, and who hears of it."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casfs.config.config import read_config
from casfs.config.layers import Places
from casfs.errors import ConfigError
from tests.config.conftest import KEYS, URL, Load, keys_of, write

SECRET = 'secret_id = "AKIDexample"\nsecret_key = "swordfish"\n'
CASCMD = "[CASCredentials]\nsecretid = AKIDexample\nsecretkey = swordfish\n"
Warned = Callable[..., tuple[str, ...]]
MARK = "\N{BYTE ORDER MARK}"

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away, and becomes somebody else")


def test_file_may_begin_with_a_byte_order_mark(loaded: Load, config_file: Path, tmp_path: Path) -> None:
    write(config_file, f"{MARK}[default]\n{SECRET}")
    assert keys_of(loaded(environment={})).secret_key == "swordfish"
    config_file.unlink()
    write(tmp_path / "casfs", MARK + SECRET)
    assert keys_of(loaded(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})).secret_key == "swordfish"
    write(tmp_path / ".cascmd_credentials", MARK + CASCMD)
    assert keys_of(loaded(environment={})).secret_key == "swordfish"


@pytest.mark.parametrize("content", [b"\xff", b"x" * (1 << 20 | 1)], ids=["no text", "too large"])
def test_default_file_that_no_settings_can_be_in_is_an_error(loaded: Load, config_file: Path, content: bytes) -> None:
    config_file.write_bytes(content)
    with pytest.raises(ConfigError, match=str(config_file)):
        loaded()


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a home of another user's than root, and be that user; pytest's directories are closed to others."""
    with tempfile.TemporaryDirectory(prefix="casfs-home-") as made:
        os.chown(made, 12345, 12345)
        os.setegid(12345)
        os.seteuid(12345)
        try:
            yield Path(made)
        finally:
            os.seteuid(0)
            os.setegid(0)


@pytest.fixture
def unread(home: Path) -> Warned:
    """Load as that user, with a file of each place."""
    (home / "credentials").mkdir()
    write(home / "credentials" / "casfs", SECRET)
    write(home / "config.toml", f'[work]\nendpoint = "{URL}"\n{SECRET}')
    write(home / ".cascmd_credentials", CASCMD)

    def run(source: str, *closed: str, keys: bool = False) -> tuple[str, ...]:
        for name in closed:
            (home / name).chmod(0)
        environment = {"CREDENTIALS_DIRECTORY": str(home / "credentials")}
        places = Places(KEYS if keys else environment, home, (home / "config.toml", home / "system" / "config.toml"))
        try:
            return read_config(source, {}, "", places).warnings
        finally:
            for name in closed:
                (home / name).chmod(0o700)

    return run


def said(path: Path) -> str:
    return f"{path} cannot be read: {os.strerror(errno.EACCES)}"


@only_root
def test_file_that_cannot_be_read_is_named_in_a_warning_where_settings_are_elsewhere(
    unread: Warned, home: Path
) -> None:
    assert unread(URL) == ()
    assert unread(URL, "config.toml") == (said(home / "config.toml"),)
    assert unread(URL, "credentials/casfs") == (said(home / "credentials" / "casfs"),)
    assert unread(URL, "credentials") == (said(home / "credentials" / "casfs"),)
    assert unread(URL, "credentials/casfs", "config.toml") == (
        said(home / "config.toml"),
        said(home / "credentials" / "casfs"),
    )
    assert unread(URL, "config.toml", keys=True) == (said(home / "config.toml"),)


@only_root
def test_file_in_a_folder_that_cannot_be_searched_is_named_too(unread: Warned, home: Path) -> None:
    (home / "system").mkdir()
    assert unread(URL, "system") == (said(home / "system" / "config.toml"),)


@only_root
def test_file_behind_the_one_with_the_profile_is_not_missed(unread: Warned, home: Path) -> None:
    """Such as root's, with root's keys, beside the user's own."""
    (home / "system").mkdir()
    write(home / "system" / "config.toml", SECRET)
    assert unread("work:", "system") == ()
    assert unread("work:", "system/config.toml") == ()


@only_root
@pytest.mark.parametrize(
    ("source", "closed", "named"),
    [
        (URL, ["credentials", "config.toml", ".cascmd_credentials"], ["credentials/casfs", "config.toml", ".cascmd"]),
        ("default:", ["config.toml"], ["config.toml"]),
        ("work:", ["config.toml"], ["config.toml"]),
    ],
    ids=["no credentials", "no endpoint", "no profile"],
)
def test_file_that_cannot_be_read_is_named_in_the_error_where_settings_are_nowhere(
    unread: Warned, home: Path, source: str, closed: list[str], named: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        unread(source, *closed)
    assert all(f"{home / name}" in str(caught.value) for name in named)
    assert str(caught.value).count("cannot be read") == len(named)


def test_user_without_a_home_has_the_system_s_file_and_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    places = Places.of_process()
    assert (places.home, places.files) == (None, (Path("/etc/casfs/config.toml"),))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert Places.of_process().files[0] == tmp_path / "casfs" / "config.toml"


@only_root
@pytest.mark.parametrize("name", ["config.toml", "casfs", ".cascmd_credentials"])
def test_root_trusts_no_file_that_another_user_owns(loaded: Load, tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, CASCMD if name.startswith(".") else f"[default]\n{SECRET}")
    os.chown(file, 12345, 0)
    with pytest.raises(ConfigError, match=f"{file} belongs to user 12345.* chown root {file}"):
        loaded(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)} if name == "casfs" else {})


@only_root
@pytest.mark.parametrize(("mode", "owner", "group"), [(0o777, 0, 0), (0o775, 0, 12345), (0o755, 12345, 0)])
def test_root_trusts_no_file_in_a_folder_that_others_can_write(
    loaded: Load, tmp_path: Path, mode: int, owner: int, group: int
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = write(folder / "other.toml", "[default]\n", 0o644)
    folder.chmod(mode)
    os.chown(folder, owner, group)
    (tmp_path / "link.toml").symlink_to(file)
    for path in (file, tmp_path / "link.toml"):
        with pytest.raises(ConfigError, match=f"^{folder} "):
            loaded(given={"config": str(path)})


@only_root
@pytest.mark.parametrize("mode", [0o646, 0o664])
def test_root_trusts_no_file_that_others_can_write(loaded: Load, config_file: Path, mode: int) -> None:
    write(config_file, "[default]\n", mode)
    os.chown(config_file, 0, 12345)
    with pytest.raises(ConfigError, match=f"{config_file} can be changed by others.* chmod 600 {config_file}"):
        loaded()


@only_root
def test_root_trusts_its_own_file_in_a_folder_where_nobody_can_move_it(loaded: Load, tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    file = write(folder / "other.toml", "[default]\nlist_ttl = 3\n")
    assert loaded(given={"config": str(file)}).list_ttl == 3


def test_file_may_be_a_pipe(loaded: Load) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"[default]\nlist_ttl = 3\n")
    os.close(writing)
    assert loaded(given={"config": f"/dev/fd/{reading}"}).list_ttl == 3
    os.close(reading)
