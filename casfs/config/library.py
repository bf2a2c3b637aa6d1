"""The options of who reads without a mount: given by name, as text or as the value."""

import os
from collections.abc import Mapping

from casfs.config.config import Config, decide
from casfs.config.layers import Layer, Places, environment_layer
from casfs.config.nearest import or_nearest
from casfs.config.options import BY_NAME, OPTIONS
from casfs.config.profiles import DEFAULT
from casfs.config.values import PATHS
from casfs.errors import ConfigError

NAMES = tuple(option.name for option in OPTIONS if not option.mount_only)
"""The options there are; what others the environment or a profile has is passed over."""


def load(source: str, texts: Mapping[str, str], places: Places | None = None) -> Config:
    """Return what was decided for one account.

    Args:
        source: a SOURCE without a vault.
        texts: as ``texts_of`` returns them.
        places: where else to look; those of this process if None.

    Raises:
        ConfigError: something cannot be used.
    """
    places = places or Places.of_process()
    layers = [Layer(texts, lambda option: option.name), environment_layer(places)]
    config = decide(source, layers, places, names=frozenset(NAMES))
    if config.root_vault is not None:
        raise ConfigError(f"SOURCE has a vault, {config.root_vault}: leave it out here, and name it in each call")
    return config


def texts_of(options: Mapping[str, object]) -> dict[str, str]:
    """Return options as the texts that a command line would have; those that are None are left out.

    Paths are made absolute, since a copy may be used in another working directory.

    Raises:
        ConfigError: there is no such option, or what is given is neither text, number nor path.
    """
    for name in options:
        if name not in NAMES:
            raise ConfigError(f"there is no option {name!a}{or_nearest(name, NAMES)}")
    return {name: _text_of(name, value) for name, value in options.items() if value is not None}


def source_of(texts: Mapping[str, str], places: Places | None = None) -> str:
    """Return the SOURCE of who gave none: the profile that was asked for."""
    asked = texts.get("profile") or (places or Places.of_process()).environment.get(BY_NAME["profile"].variable)
    return f"{asked or DEFAULT}:"


def _text_of(name: str, value: object) -> str:
    match value:
        case bool():
            if BY_NAME[name].kind.is_flag:
                return str(value).lower()
        case str() | os.PathLike():
            text = os.fspath(value)
            if isinstance(text, str):
                return str(BY_NAME[name].read(text, name)) if BY_NAME[name].kind in PATHS else text
        case int():
            return str(value)
        case float():
            return f"{value:f}".rstrip("0").rstrip(".")
    raise ConfigError(f"{name}: {type(value).__name__} is neither text, number nor path")
