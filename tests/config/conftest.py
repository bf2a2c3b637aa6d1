"""Places to look for settings that hold nothing but what a test puts there."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from casfs.config.config import Config, read_config
from casfs.config.layers import Places
from casfs.models import Credentials

KEYS = {"CASFS_SECRET_ID": "AKIDexample", "CASFS_SECRET_KEY": "swordfish"}
URL = "https://cas.example.com"

Load = Callable[..., Config]


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def loaded(tmp_path: Path, config_file: Path) -> Load:
    """Load with a home of its own; keys are in the environment unless the test gives one."""

    def run(
        source: str = URL,
        given: Mapping[str, str] | None = None,
        words: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Config:
        places = Places(KEYS if environment is None else environment, tmp_path, (config_file, tmp_path / "system.toml"))
        return read_config(source, given or {}, words, places)

    return run


def keys_of(config: Config) -> Credentials:
    """Return the credentials that casfs found itself."""
    assert config.access.credentials is not None
    return config.access.credentials


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path
