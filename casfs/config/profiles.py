"""The configuration file: one TOML table for each profile.

::

    [default]
    region = "ap-chengdu"
    secret_id = "AKID…"
    secret_key = "…"

    [work]
    endpoint = "https://cas.ap-beijing.myqcloud.com"
    list_ttl = 300

A profile has nothing but its own keys: it does not inherit from ``[default]``. A file that holds a secret in any
profile must be private.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casfs.api.providers.provider import SECRETS
from casfs.config.nearest import or_nearest
from casfs.config.options import BY_NAME
from casfs.config.private_files import NowhereError, PrivateFile, SettingsFiles
from casfs.errors import ConfigError

DEFAULT = "default"
"""The profile that exists even where no file does: it may be that everything else is in the environment."""

PLACES = ("endpoint", "region")
"""Keys that are no options: there is no flag for a secret, and SOURCE is the flag for a place."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One table, its values as the text that a command line would have.

    Attributes:
        origin: where it stands, for errors.
        settings: by option name.
        places: ``endpoint`` and ``region``, those that are given.
        secrets: ``secret_id``, ``secret_key`` and ``token``, those that are given.
    """

    origin: str
    settings: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


def parse_toml(file: PrivateFile) -> dict[str, object]:
    """Return the tables and keys of *file*.

    Raises:
        ConfigError: it is no TOML. The message gives the place and never the text, which may be a secret.
    """
    try:
        return tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        place = str(error).rpartition("(")[2].rstrip(")")
        raise ConfigError(f"{file.path} is no TOML: {place}") from None


def texts_of(table: dict[str, object], known: Sequence[str], origin: str) -> dict[str, str]:
    """Return the values of *table* as text.

    Raises:
        ConfigError: a key that is not among *known*, or a value that is no text, number or truth.
    """
    for key in table:
        if key not in known:
            raise ConfigError(f"{origin}: there is no setting {key!a}{or_nearest(key, known)}")
    return {key: _text_of(key, value, origin) for key, value in table.items()}


class Profiles:
    """The profiles of the first of several files that has the one asked for."""

    def __init__(self, paths: Sequence[Path], files: SettingsFiles, *, required: bool) -> None:
        """Look into the files at *paths*, which must be there and readable if *required*."""
        self._paths = paths
        self._files = files
        self._required = required

    def has(self, name: str) -> bool:
        """Say whether a file has the profile *name*."""
        return any(name in tables for _, tables in self._tables())

    def get(self, name: str) -> Profile:
        """Return the profile *name*; DEFAULT is empty where no file has it.

        Raises:
            ConfigError: there is none of that name, or it has a key or value that cannot be used.
        """
        for path, tables in self._tables():
            if name in tables:
                return _profile(tables[name], f"profile {name} in {path}")
        if name == DEFAULT:
            return Profile("profile default")
        raise NowhereError(f"there is no profile {name} in {' or '.join(map(str, self._paths))}")

    def _tables(self) -> Iterator[tuple[Path, dict[str, dict[str, object]]]]:
        """Open one file after the other: one behind that which is used need not be readable, nor warned of."""
        opened = map(self._get if self._required else self._files.find, self._paths)
        return ((file.path, _tables_of(file)) for file in opened if file is not None)

    def _get(self, path: Path) -> PrivateFile:
        try:
            return self._files.get(path)
        except FileNotFoundError:
            raise ConfigError(f"{path} is not there") from None


def _tables_of(file: PrivateFile) -> dict[str, dict[str, object]]:
    tables: dict[str, dict[str, object]] = {}
    for name, table in parse_toml(file).items():
        if not isinstance(table, dict):
            raise ConfigError(f"{file.path}: {name!a} stands outside of a profile: put it below [default]")
        tables[name] = table
    if any("secret_key" in table or "token" in table for table in tables.values()):
        file.check_private()
    return tables


def _profile(table: dict[str, object], origin: str) -> Profile:
    options = [option.name for option in BY_NAME.values() if option.profile]
    texts = texts_of(table, [*options, *PLACES, *SECRETS], origin)
    for key in options:
        if BY_NAME[key].kind.quoted and key in table and not isinstance(table[key], str):
            raise ConfigError(f"{origin}: {key} must stand in quotes")
    return Profile(
        origin,
        {key: texts[key] for key in options if key in texts},
        {key: texts[key] for key in PLACES if key in texts},
        {key: texts[key] for key in SECRETS if key in texts},
    )


def _text_of(key: str, value: object, origin: str) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
    raise ConfigError(f"{origin}: {key} is neither text, number nor true or false")
