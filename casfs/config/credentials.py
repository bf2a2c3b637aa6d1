"""Who signs the requests: the first place that has credentials wins, whole.

In this order: ``CASFS_SECRET_ID``, ``CASFS_SECRET_KEY``, ``CASFS_TOKEN``; the same of ``TENCENTCLOUD_``; the file
``casfs`` in ``$CREDENTIALS_DIRECTORY``; the profile; ``~/.cascmd_credentials``. A place that has half of what it takes
is an error and not passed over: the other half would come from somebody else. No message repeats a value.
"""

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casfs.config.private_files import Files, NowhereError, PrivateFile
from casfs.config.profiles import SECRETS, Profile, parse_toml, texts_of
from casfs.errors import ConfigError
from casfs.models import Credentials
from casfs.redaction import redact

PREFIXES = ("CASFS_", "TENCENTCLOUD_")

CASCMD_FILE = ".cascmd_credentials"
CASCMD_SECTION = "CASCredentials"
CASCMD_KEYS = ("endpoint", "appid", "secretid", "secretkey")
"""Source: cas_python_sdk 1.0.6, cascmd.py and common_conf.py."""

_KEY = re.compile(r"[!-~]+")
"""What can be sent in a header: printable ASCII without spaces."""


@dataclass(frozen=True, slots=True)
class Found:
    """Credentials, and what stood beside them.

    Attributes:
        credentials: who signs.
        origin: where they were found, for a line that says so.
        endpoint: of the same file, as written; None where it has none.
        account: of the same file, as written; None where it has none.
    """

    credentials: Credentials
    origin: str
    endpoint: str | None = None
    account: str | None = None


def find(environment: Mapping[str, str], home: Path | None, profile: Profile, files: Files) -> Found:
    """Return the first credentials there are.

    Raises:
        NowhereError: there are none.
        ConfigError: there are half of them; or a file of them that others can read.
    """
    for prefix in PREFIXES:
        names = {key: prefix + key.upper() for key in SECRETS}
        texts = {key: environment[name] for key, name in names.items() if environment.get(name)}
        if texts:
            return Found(_credentials(texts, names, "the environment"), f"{prefix}* in the environment")
    found = _systemd(environment, files)
    if found is None and profile.secrets:
        found = Found(_credentials(profile.secrets, _same(SECRETS), profile.origin), profile.origin)
    if found is None and home is not None:
        found = _cascmd(home / CASCMD_FILE, files)
    if found is None:
        raise NowhereError(
            "there are no credentials: set CASFS_SECRET_ID and CASFS_SECRET_KEY, or put secret_id and secret_key into"
            " a profile of the configuration file"
        )
    return found


def _systemd(environment: Mapping[str, str], files: Files) -> Found | None:
    directory = environment.get("CREDENTIALS_DIRECTORY")
    file = _find(Path(directory) / "casfs", files) if directory else None
    if file is None:
        return None
    texts = texts_of(parse_toml(file), SECRETS, str(file.path))
    return Found(_credentials(texts, _same(SECRETS), str(file.path)), str(file.path))


def _cascmd(path: Path, files: Files) -> Found | None:
    file = _find(path, files)
    if file is None:
        return None
    # The tool writes values as they are: a % in a key is no interpolation.
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.text)
        section = dict(parser[CASCMD_SECTION])
    except (configparser.Error, KeyError):
        raise ConfigError(f"{path} is no file of cascmd: it has no readable section [{CASCMD_SECTION}]") from None
    texts = {ours: section[theirs] for ours, theirs in _CASCMD_NAMES.items() if section.get(theirs)}
    credentials = _credentials(texts, _CASCMD_NAMES, str(path))
    return Found(credentials, str(path), section.get("endpoint") or None, section.get("appid") or None)


_CASCMD_NAMES = {"secret_id": "secretid", "secret_key": "secretkey"}


def _find(path: Path, files: Files) -> PrivateFile | None:
    file = files.find(path)
    if file is not None:
        file.check_private()
    return file


def _credentials(texts: Mapping[str, str], names: Mapping[str, str], origin: str) -> Credentials:
    for key in ("secret_id", "secret_key"):
        if not texts.get(key):
            raise ConfigError(f"{origin} has credentials without {names[key]}")
    redact.learn((texts["secret_key"], texts.get("token")))
    for key, text in texts.items():
        if not _KEY.fullmatch(text):
            raise ConfigError(f"{origin}: {names[key]} has a space, or a character that no key has")
    return Credentials(texts["secret_id"], texts["secret_key"], texts.get("token") or None)


def _same(keys: tuple[str, ...]) -> dict[str, str]:
    return {key: key for key in keys}
