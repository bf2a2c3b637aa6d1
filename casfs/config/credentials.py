"""Who signs the requests: the first place that has credentials wins, whole.

In this order: ``CASFS_SECRET_ID``, ``CASFS_SECRET_KEY``, ``CASFS_TOKEN``; the same behind the provider's own prefixes,
``TENCENTCLOUD_`` for CAS; the file ``casfs`` in ``$CREDENTIALS_DIRECTORY``; the profile; the file of the provider's own
tool, ``~/.cascmd_credentials`` for CAS. A place that has half of what it takes
is an error and not passed over: the other half would come from somebody else. No message repeats a value.
"""

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casfs.api.providers.provider import SECRETS, KeyFile, OwnKeys
from casfs.config.private_files import NowhereError, PrivateFile, SettingsFiles
from casfs.config.profiles import Profile, parse_toml, texts_of
from casfs.errors import ConfigError
from casfs.log.redaction import redact
from casfs.models import Credentials

_KEY = re.compile(r"[!-~]+")
"""What can be sent in a header: printable ASCII without spaces."""


@dataclass(frozen=True, slots=True)
class FoundCredentials:
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


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks for credentials.

    Attributes:
        environment: variables; one that is empty counts as not set.
        home: the user's directory; None for a user without one.
        files: opens what there is.
    """

    environment: Mapping[str, str]
    home: Path | None
    files: SettingsFiles

    def find(self, keys: OwnKeys, profile: Profile) -> FoundCredentials:
        """Return the first credentials there are.

        Args:
            keys: the places that are the provider's own.
            profile: of casfs.

        Raises:
            NowhereError: there are none.
            ConfigError: there are half of them; or a file of them that others can read.
        """
        found = self._in_environment(keys) or self._from_systemd()
        if found is None and profile.secrets:
            credentials = _credentials(profile.secrets, _same(SECRETS), profile.origin)
            found = FoundCredentials(credentials, profile.origin)
        if found is None and keys.file is not None and self.home is not None:
            found = self._of_tool(keys.file, self.home / keys.file.name)
        if found is None:
            raise NowhereError(
                "there are no credentials: set CASFS_SECRET_ID and CASFS_SECRET_KEY, or put secret_id and secret_key"
                " into a profile of the configuration file"
            )
        return found

    def _in_environment(self, keys: OwnKeys) -> FoundCredentials | None:
        for prefix in keys.prefixes:
            names = {key: prefix + key.upper() for key in SECRETS}
            texts = {key: self.environment[name] for key, name in names.items() if self.environment.get(name)}
            if texts:
                credentials = _credentials(texts, names, "the environment")
                return FoundCredentials(credentials, f"{prefix}* in the environment")
        return None

    def _from_systemd(self) -> FoundCredentials | None:
        directory = self.environment.get("CREDENTIALS_DIRECTORY")
        file = self._private(Path(directory) / "casfs") if directory else None
        if file is None:
            return None
        texts = texts_of(parse_toml(file), SECRETS, str(file.path))
        if not texts:  # a unit can have systemd make it for whoever has put nothing there
            return None
        return FoundCredentials(_credentials(texts, _same(SECRETS), str(file.path)), str(file.path))

    def _of_tool(self, known: KeyFile, path: Path) -> FoundCredentials | None:
        file = self._private(path)
        if file is None:
            return None
        # The tools write values as they are: a % in a key is no interpolation.
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(file.text)
            section = dict(parser[known.section])
        except (configparser.Error, KeyError):
            said = f"{path} is no file of {known.tool}: it has no readable section [{known.section}]"
            raise ConfigError(said) from None
        texts = {ours: section[theirs] for ours, theirs in known.keys.items() if section.get(theirs)}
        credentials = _credentials(texts, known.keys, str(path))
        endpoint, account = section.get(known.endpoint) or None, section.get(known.account) or None
        return FoundCredentials(credentials, str(path), endpoint, account)

    def _private(self, path: Path) -> PrivateFile | None:
        file = self.files.find(path)
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
