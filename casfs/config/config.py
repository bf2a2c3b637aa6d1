"""Everything that was decided for one mount, checked before anything is mounted.

What is written first wins: command line, ``-o``, ``CASFS_…`` in the environment, the profile, the default.
"""

import json
import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from casfs.api.providers.provider import Access, ToolKeys
from casfs.api.providers.table import PROVIDERS
from casfs.config import mount_options, sources
from casfs.config.access import Wishes, access_of
from casfs.config.credentials import Finder
from casfs.config.file_systems import is_in_memory
from casfs.config.memory import memory_bytes
from casfs.config.options import BY_NAME, OPTIONS, Option
from casfs.config.private_files import NowhereError, SettingsFiles
from casfs.config.profiles import DEFAULT, Profile, Profiles
from casfs.config.sources import Source
from casfs.config.values import MIB
from casfs.errors import ConfigError

SYSTEM_FILE = Path("/etc/casfs/config.toml")

MODES = {"file_mode": (0o400, 0o444), "dir_mode": (0o700, 0o755)}
"""Permissions where nobody gives any: without allow_other, and with it. A mount is read-only whatever they say, but
what ``cp -r`` and ``rsync -a`` made of a directory has its mode: without the owner's write bit its owner could neither
fill nor delete it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where settings are looked for, beside the command line.

    Attributes:
        environment: variables; one that is empty counts as not set.
        home: the user's directory; None for a user without one.
        files: configuration files for when nobody names one.
    """

    environment: Mapping[str, str]
    home: Path | None
    files: tuple[Path, ...]

    @classmethod
    def of_process(cls) -> "Places":
        """Return those of this process."""
        # Path.home() fails for a user that the host does not know; this returns what it was given.
        home = Path(os.path.expanduser("~"))  # noqa: PTH111 - as said above
        settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        # What is relative would depend on the working directory. Source: XDG Base Directory Specification 0.8.
        user_files = [settings / "casfs" / "config.toml"] if settings.is_absolute() else []
        return cls(os.environ, home if home.is_absolute() else None, (*user_files, SYSTEM_FILE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What one mount was asked to be. Sizes are bytes, times seconds; fields without a line here are in OPTIONS.

    Attributes:
        access: where the service is and who asks, for ``Provider.connect``.
        account: the owner's id in every path.
        root_vault: the vault that is the root of the mount, or None.
        kernel_words: words behind ``-o`` for libfuse, in order.
        options: every option with its value, as one line of JSON.
        warnings: what the user should know though all this can be used, a line each.
    """

    access: Access
    account: str
    root_vault: str | None
    kernel_words: tuple[str, ...]
    options: str
    warnings: tuple[str, ...]
    foreground: bool
    provider: str
    allow_other: bool
    uid: int
    gid: int
    file_mode: int
    dir_mode: int
    remember: bool
    block_cache_size: int
    cache_dir: str | None
    cache_size: int
    keep_expired: bool
    connections: int
    read_ahead: int
    verify: str
    list_ttl: float
    connect_timeout: float
    read_timeout: float
    log_level: str
    log_format: str
    log_file: str | None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says.

    Attributes:
        texts: by option name, as written.
        origin: how an option is called there, for errors.
    """

    texts: Mapping[str, str]
    origin: Callable[[Option], str]


def read_config(
    source_text: str, given: Mapping[str, str], mount_text: str = "", places: Places | None = None
) -> Config:
    """Return what was decided for one mount.

    Args:
        source_text: SOURCE.
        given: what the command line says, by option name, as written; ``true`` for a flag.
        mount_text: what stands behind ``-o``, several joined with commas.
        places: where else to look; those of this process if None.

    Raises:
        ConfigError: something cannot be used; nothing has been done then.
    """
    behind_o, places = mount_options.parse(mount_text), places or Places.of_process()
    layers = [
        Layer(given, lambda option: option.flag),
        Layer(behind_o.given, lambda option: f"-o {option.name}"),
        environment_layer(places),
    ]
    return decide(source_text, layers, places, behind_o)


def environment_layer(places: Places) -> Layer:
    """Return what the environment says."""
    texts = {option.name: places.environment.get(option.variable, "") for option in OPTIONS}
    return Layer({name: text for name, text in texts.items() if text}, lambda option: option.variable)


def decide(
    source_text: str,
    layers: Sequence[Layer],
    places: Places,
    behind_o: mount_options.MountOptions = mount_options.NOTHING,
    names: Container[str] = BY_NAME,
) -> Config:
    """Return what was decided.

    Args:
        source_text: SOURCE.
        layers: what was said, the first that says something about an option wins; the environment comes last, and the
            profile behind it.
        places: where else to look.
        behind_o: what only a mount is told.
        names: the options that count; the others have their defaults, whoever says something about them.

    Raises:
        ConfigError: something cannot be used; nothing has been done then.
    """
    files = SettingsFiles()
    try:
        return _decided(
            source_text, [_only(names, layer) for layer in layers], places, files, behind_o=behind_o, names=names
        )
    except NowhereError as error:
        raise ConfigError("; ".join([str(error), *files.unread])) from None


def _only(names: Container[str], layer: Layer) -> Layer:
    return Layer({name: text for name, text in layer.texts.items() if name in names}, layer.origin)


def _decided(  # noqa: PLR0913 - what was said, where else to look, and what counts
    source_text: str,
    layers: list[Layer],
    places: Places,
    files: SettingsFiles,
    *,
    behind_o: mount_options.MountOptions,
    names: Container[str],
) -> Config:
    profiles = profiles_of(layers, places, files)
    source = sources.parse(source_text, lambda name: name == DEFAULT or profiles.has(name))
    profile = _profile(profiles, layers, source)
    written = layers[:-1]
    layers = [*layers, _only(names, Layer(profile.settings, lambda option: f"{profile.origin}: {option.name}"))]
    values = {option.name: value_in(layers, option) for option in OPTIONS}
    if values["keep_expired"] and values["cache_dir"] is None:
        raise ConfigError("keep_expired: there is nothing to keep outputs in; name a folder with cache_dir")
    provider = PROVIDERS[values["provider"]]
    values["token_header"] = values["token_header"] or provider.token_header
    asked = _text(layers, "profile")
    wishes = Wishes(provider, source, profile, asked, values["token_header"], _readable(values["ca_bundle"]))
    access, found = access_of(wishes, Finder(places.environment, places.home, files), profiles.has)
    as_written = (source.account, _text(layers, "account"), *found, values["account"])
    accounts = [provider.account(account) for account in as_written if account]
    if source.account is not None and _text(written, "account") is not None and accounts[0] != accounts[1]:
        name = written[0].origin(BY_NAME["account"])
        raise ConfigError(f"SOURCE asks for account {accounts[0]}, and {name} for {accounts[1]}")
    return _config(
        values,
        access=access,
        account=accounts[0],
        root_vault=source.vault,
        kernel_words=behind_o.kernel_words,
        warnings=(*files.unread, *_oddities(values, behind_o)),
    )


def _oddities(values: Mapping[str, Any], behind_o: mount_options.MountOptions) -> Iterator[str]:
    """Yield what can be done, and hardly is what somebody wants."""
    if behind_o.read_write:
        yield "mounted read-only, as archives always are; -o ro says so too"
    if values["cache_dir"] is not None and is_in_memory(values["cache_dir"]):
        yield f"--cache-dir {values['cache_dir']} is in memory (tmpfs), and gone when the machine restarts"
    memory = memory_bytes()
    if memory is not None and values["block_cache_size"] > memory:
        yield f"--block-cache-size is more than the memory that there is, {memory // MIB}M"


def _text(layers: Sequence[Layer], name: str) -> str | None:
    return next((layer.texts[name] for layer in layers if name in layer.texts), None)


def value_in(layers: Sequence[Layer], option: Option) -> Any:
    """Return what the first layer that says something of an option says, or its default.

    Raises:
        ConfigError: it is no such value.
    """
    for layer in layers:
        if option.name in layer.texts:
            return option.read(layer.texts[option.name], layer.origin(option))
    return None if option.default is None or option.missing else option.kind.read(option.default)


def profiles_of(layers: Sequence[Layer], places: Places, files: SettingsFiles) -> Profiles:
    """Return the profiles of the file that was asked for, or of those at the usual places.

    Raises:
        ConfigError: what was asked for cannot be read.
    """
    named = value_in(layers, BY_NAME["config"])
    paths = places.files if named is None else [Path(named)]
    return Profiles(paths, files, required=named is not None)


def _profile(profiles: Profiles, layers: Sequence[Layer], source: Source) -> Profile:
    """Return the profile of casfs; an empty one where the name may be that of a profile of the provider's tools."""
    name = _profile_name(layers, source)
    provider = PROVIDERS.get(_text(layers, "provider") or "")
    if provider is not None and isinstance(provider.keys, ToolKeys) and not profiles.has(name):
        return Profile(f"profile {name}")
    return profiles.get(name)


def _profile_name(layers: Sequence[Layer], source: Source) -> str:
    asked: str = value_in(layers, BY_NAME["profile"])
    if source.profile is None:
        return asked
    if _text(layers, "profile") not in (None, source.profile):
        name = layers[0].origin(BY_NAME["profile"])
        raise ConfigError(f"SOURCE asks for profile {source.profile}, and {name} for {asked}")
    return source.profile


def _readable(ca_bundle: str | None) -> str | None:
    if ca_bundle is not None and not os.access(ca_bundle, os.R_OK):
        raise ConfigError(f"ca_bundle: {ca_bundle} cannot be read")
    return ca_bundle


def _config(values: dict[str, Any], **decided: Any) -> Config:
    for name in ("file_mode", "dir_mode"):
        if values[name] is None:
            values[name] = MODES[name][values["allow_other"]]
    values["uid"] = os.getuid() if values["uid"] is None else values["uid"]
    values["gid"] = os.getgid() if values["gid"] is None else values["gid"]
    options = json.dumps({name: value for name, value in values.items() if not BY_NAME[name].missing})
    names = {field.name for field in fields(Config)}
    return Config(**{name: value for name, value in values.items() if name in names} | decided, options=options)
