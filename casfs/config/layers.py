"""What is said for one SOURCE, place by place: the first that says something about an option wins."""

import os
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casfs.api.providers.provider import ToolKeys
from casfs.api.providers.table import PROVIDERS
from casfs.config import mount_options, sources
from casfs.config.options import BY_NAME, OPTIONS, Option
from casfs.config.private_files import SettingsFiles
from casfs.config.profiles import DEFAULT, Profile, Profiles
from casfs.config.sources import Source
from casfs.errors import ConfigError

SYSTEM_FILE = Path("/etc/casfs/config.toml")


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


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says.

    Attributes:
        texts: by option name, as written.
        origin: how an option is called there, for errors.
    """

    texts: Mapping[str, str]
    origin: Callable[[Option], str]


@dataclass(frozen=True, slots=True)
class Said:
    """What is said for one SOURCE.

    Attributes:
        source: SOURCE, read.
        profile: the one that counts.
        profiles: all there are.
        layers: what was said, that of the profile last; the first that says something about an option wins.
    """

    source: Source
    profile: Profile
    profiles: Profiles
    layers: tuple[Layer, ...]


def layers_of(given: Mapping[str, str], behind_o: mount_options.MountOptions, places: Places) -> list[Layer]:
    """Return what is said of a mount, the profile aside, as ``decide`` takes it.

    Args:
        given: what the command line says, by option name, as written; ``true`` for a flag.
        behind_o: what stands behind ``-o``.
        places: where else to look.
    """
    return [
        Layer(given, lambda option: option.flag),
        Layer(behind_o.given, lambda option: f"-o {option.name}"),
        environment_layer(places),
    ]


def environment_layer(places: Places) -> Layer:
    """Return what the environment says."""
    texts = {option.name: places.environment.get(option.variable, "") for option in OPTIONS}
    return Layer({name: text for name, text in texts.items() if text}, lambda option: option.variable)


def said_of(
    source_text: str,
    layers: Sequence[Layer],
    places: Places,
    files: SettingsFiles,
    names: Container[str] = BY_NAME,
) -> Said:
    """Return what SOURCE and its profile say, beside what *layers* do.

    Args:
        source_text: SOURCE.
        layers: as for ``decide``.
        places: where else to look.
        files: opens what there is.
        names: the options that count.

    Raises:
        ConfigError: SOURCE is none, or its profile is not there or cannot be used.
    """
    profiles = profiles_of(layers, places, files)
    source = sources.parse(source_text, lambda name: name == DEFAULT or profiles.has(name))
    profile = _profile(profiles, layers, source)
    of_profile = Layer(profile.settings, lambda option: f"{profile.origin}: {option.name}")
    return Said(source, profile, profiles, (*layers, only(names, of_profile)))


def only(names: Container[str], layer: Layer) -> Layer:
    """Return what *layer* says of the options of these names."""
    return Layer({name: text for name, text in layer.texts.items() if name in names}, layer.origin)


def text_in(layers: Sequence[Layer], name: str) -> str | None:
    """Return what the first layer that says something of an option says, as written; None where none does."""
    return next((layer.texts[name] for layer in layers if name in layer.texts), None)


def origin_in(layers: Sequence[Layer], name: str) -> str | None:
    """Return how an option is called where the first layer that says something of it says so; None where none does."""
    return next((layer.origin(BY_NAME[name]) for layer in layers if name in layer.texts), None)


def value_in(layers: Sequence[Layer], option: Option) -> Any:
    """Return what the first layer that says something of an option says, or its default.

    Raises:
        ConfigError: it is no such value.
    """
    for layer in layers:
        if option.name in layer.texts:
            return option.read(layer.texts[option.name], layer.origin(option))
    return None if option.default is None else option.kind.read(option.default)


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
    provider = PROVIDERS.get(text_in(layers, "provider") or "")
    if provider is not None and isinstance(provider.keys, ToolKeys) and not profiles.has(name):
        return Profile(f"profile {name}")
    return profiles.get(name)


def _profile_name(layers: Sequence[Layer], source: Source) -> str:
    asked: str = value_in(layers, BY_NAME["profile"])
    if source.profile is None:
        return asked
    if text_in(layers, "profile") not in (None, source.profile):
        name = origin_in(layers, "profile")
        raise ConfigError(f"SOURCE asks for profile {source.profile}, and {name} for {asked}")
    return source.profile
