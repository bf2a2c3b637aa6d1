"""Everything that was decided for one mount, checked before anything is mounted.

What is written first wins: command line, ``-o``, ``CASFS_…`` in the environment, the profile, the default.
"""

import json
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from casfs.api.providers.provider import Access
from casfs.api.providers.table import PROVIDERS
from casfs.config import mount_options
from casfs.config.access import Wishes, access_of
from casfs.config.credentials import Finder
from casfs.config.file_systems import is_in_memory
from casfs.config.layers import Layer, Places, layers_of, only, origin_in, said_of, text_in, value_in
from casfs.config.memory import memory_bytes
from casfs.config.options import BY_NAME, OPTIONS
from casfs.config.private_files import NowhereError, SettingsFiles
from casfs.config.values import MIB
from casfs.errors import ConfigError

MODES = {"file_mode": (0o400, 0o444), "dir_mode": (0o700, 0o755)}
"""Permissions where nobody gives any: without allow_other, and with it. A mount is read-only whatever they say, but
what ``cp -r`` and ``rsync -a`` made of a directory has its mode: without the owner's write bit its owner could neither
fill nor delete it."""


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
    metrics: str | None


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
    return decide(source_text, layers_of(given, behind_o, places), places, behind_o)


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
            source_text, [only(names, layer) for layer in layers], places, files, behind_o=behind_o, names=names
        )
    except NowhereError as error:
        raise NowhereError("; ".join([str(error), *files.unread])) from None


def _decided(  # noqa: PLR0913 - what was said, where else to look, and what counts
    source_text: str,
    layers: list[Layer],
    places: Places,
    files: SettingsFiles,
    *,
    behind_o: mount_options.MountOptions,
    names: Container[str],
) -> Config:
    said = said_of(source_text, layers, places, files, names)
    source, profile, written = said.source, said.profile, layers[:-1]
    layers = list(said.layers)
    values = {option.name: value_in(layers, option) for option in OPTIONS}
    if values["keep_expired"] and values["cache_dir"] is None:
        raise ConfigError("keep_expired: there is nothing to keep outputs in; name a folder with cache_dir")
    provider = PROVIDERS[values["provider"]]
    values["token_header"] = values["token_header"] or provider.token_header
    asked = text_in(layers, "profile")
    wishes = Wishes(provider, source, profile, asked, values["token_header"], _readable(values["ca_bundle"]))
    access, found = access_of(wishes, Finder(places.environment, places.home, files), said.profiles.has)
    as_written = (source.account, text_in(layers, "account"), *found, values["account"])
    accounts = [provider.account(account) for account in as_written if account]
    if source.account is not None and text_in(written, "account") is not None and accounts[0] != accounts[1]:
        name = origin_in(written, "account")
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
    options = json.dumps(values)
    names = {field.name for field in fields(Config)}
    return Config(**{name: value for name, value in values.items() if name in names} | decided, options=options)
