"""What would be used for a SOURCE, and where each value comes from; secrets are masked."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from casfs.api.providers.provider import OwnKeys
from casfs.api.providers.table import PROVIDERS
from casfs.config import mount_options
from casfs.config.config import Config, decide
from casfs.config.layers import Places, Said, layers_of, origin_in, said_of, text_in
from casfs.config.options import BY_NAME, OPTIONS
from casfs.config.private_files import SettingsFiles
from casfs.config.profiles import DEFAULT
from casfs.config.values import MODE
from casfs.errors import ConfigError

MASK = "***"
SHOWN_CHARACTERS, LEAST_CHARACTERS = 4, 16
"""Of a key's id, which tells keys apart and is in every request, so many are shown, if it has as many."""

USUAL = "default"
TOKEN_HEADER = "token_header"  # noqa: S105 - the name of a header, no token


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that was decided.

    Attributes:
        name: of the option, or of what is no option: ``endpoint``, ``vault``, ``secret_id``, …
        value: None where there is none.
        origin: where it comes from, as a user finds it there.
    """

    name: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What would be used.

    Attributes:
        values: what was decided, as far as it could be.
        config: all of it; None where *failure* says why not.
        failure: why nothing could be mounted.
    """

    values: tuple[Setting, ...]
    config: Config | None
    failure: ConfigError | None = None


def settings_of(
    source: str | None, given: Mapping[str, str], words: str = "", places: Places | None = None
) -> Settings:
    """Return what would be used for a mount.

    Args:
        source: SOURCE; None where nobody gives one, and the profile that is asked for is meant.
        given: what the command line says, by option name, as written.
        words: what stands behind ``-o``, several joined with commas.
        places: where else to look; those of this process if None.

    Raises:
        ConfigError: an option, a file or SOURCE cannot be read at all.
    """
    places, behind_o = places or Places.of_process(), mount_options.parse(words)
    layers = layers_of(given, behind_o, places)
    text = source or f"{text_in(layers, 'profile') or DEFAULT}:"
    said = said_of(text, layers, places, SettingsFiles())
    try:
        config = decide(text, layers, places, behind_o)
    except ConfigError as error:
        return Settings(tuple(_written(said)), None, error)
    if source is None:
        said = replace(said, source=replace(said.source, profile=None))
    return Settings((*_of_service(said, config, places), *_of_options(said, config)), config)


def _written(said: Said) -> Iterator[Setting]:
    """Yield what is written of each option, which need not be a value that it can have."""
    for option in OPTIONS:
        origin = origin_in(said.layers, option.name)
        yield Setting(option.name, text_in(said.layers, option.name) or option.default, origin or USUAL)


def _of_options(said: Said, config: Config) -> Iterator[Setting]:
    decided = json.loads(config.options) | {"account": config.account}
    for name, value in decided.items():
        shown = said.source.profile or value if name == "profile" else value
        yield Setting(name, f"{shown:04o}" if BY_NAME[name].kind is MODE else shown, _origin(said, config, name))


def _origin(said: Said, config: Config, name: str) -> str:
    in_source = {"profile": said.source.profile, "account": said.source.account}.get(name)
    if in_source is not None:
        return "SOURCE"
    written = origin_in(said.layers, name)
    if written is not None:
        return written
    if name == "account" and config.account != BY_NAME[name].default:
        return f"beside the endpoint or the keys: {config.access.origin or said.profile.origin}"
    if name in ("uid", "gid"):
        return "who mounts"
    return f"provider {config.provider}" if name == TOKEN_HEADER else USUAL


def _of_service(said: Said, config: Config, places: Places) -> Iterator[Setting]:
    yield Setting("endpoint", config.access.endpoint_url, _origin_of_endpoint(said, config))
    yield Setting("region", config.access.region or config.access.name, _origin_of_endpoint(said, config))
    yield Setting("vault", config.root_vault, USUAL if config.root_vault is None else "SOURCE")
    yield from _of_keys(config)
    yield from _of_environment(config, places)


def _origin_of_endpoint(said: Said, config: Config) -> str:
    if said.source.endpoint_url or said.source.region:
        return "SOURCE"
    return said.profile.origin if said.profile.places else config.access.origin or said.profile.origin


def _of_keys(config: Config) -> Iterator[Setting]:
    keys, found = PROVIDERS[config.provider].keys, config.access.credentials
    if not isinstance(keys, OwnKeys) or found is None:
        yield Setting("secret_id", None, f"the keys of {config.provider} stand {getattr(keys, 'where', 'elsewhere')}")
        return
    origin = config.access.origin
    yield Setting("secret_id", masked(found.secret_id), origin)
    yield Setting("secret_key", MASK, origin)
    yield Setting("token", MASK if found.token else None, origin)


def masked(secret_id: str) -> str:
    """Return what may be shown of a key's id.

    >>> masked("AKIDz8krbsJ5yKBZQpn7"), masked("id")
    ('AKID***', '***')
    """
    return (secret_id[:SHOWN_CHARACTERS] if len(secret_id) >= LEAST_CHARACTERS else "") + MASK


def _of_environment(config: Config, places: Places) -> Iterator[Setting]:
    """Yield what the environment decides beside the options; no proxy, whose URL may have a password."""
    bundles = (*PROVIDERS[config.provider].bundle_variables, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    for name in bundles:
        if places.environment.get(name) and config.access.ca_bundle is None:
            yield Setting("certificates", places.environment[name], name)
            break
    if places.environment.get("CASFS_FUSE"):
        yield Setting("binding", places.environment["CASFS_FUSE"], "CASFS_FUSE")
