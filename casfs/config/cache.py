"""Where the cache on disk is, for who asks no service: no SOURCE, and no key, is needed for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casfs.config.layers import Layer, Places, environment_layer, profiles_of, value_in
from casfs.config.options import BY_NAME
from casfs.config.private_files import SettingsFiles
from casfs.errors import ConfigError

NAMES = ("cache_dir", "cache_size", "profile", "config")
"""The options that say so."""


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """What was decided.

    Attributes:
        path: the folder.
        capacity_bytes: what it may hold.
        warnings: a line for each file of settings that is there and cannot be read.
    """

    path: Path
    capacity_bytes: int
    warnings: tuple[str, ...] = ()


def read_cache_settings(given: Mapping[str, str], places: Places | None = None) -> CacheSettings:
    """Return where the cache is that a mount with the same options would use.

    Args:
        given: what the command line says, by option name, as written.
        places: where else to look; those of this process if None.

    Raises:
        ConfigError: nobody says where it is, or something cannot be used.
    """
    places = places or Places.of_process()
    layers = [Layer(given, lambda option: option.flag), environment_layer(places)]
    files = SettingsFiles()
    profile = profiles_of(layers, places, files).get(value_in(layers, BY_NAME["profile"]))
    layers.append(Layer(profile.settings, lambda option: f"{profile.origin}: {option.name}"))
    path, capacity_bytes = (value_in(layers, BY_NAME[name]) for name in ("cache_dir", "cache_size"))
    if path is None:
        nowhere = f"no folder of a cache is named: --cache-dir, CASFS_CACHE_DIR, and cache_dir in {profile.origin} can"
        raise ConfigError("; ".join([nowhere, *files.unread]))
    return CacheSettings(Path(path), capacity_bytes, tuple(files.unread))
