"""``casfs mount``: from a command line to a mount that answers."""

import json
import os
from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from casfs.cli.options import given, mount_options
from casfs.cli.paths import located
from casfs.cli.statuses import LASTING, LastingError, warn
from casfs.config.config import Config, read_config
from casfs.config.mount_options import known, parse
from casfs.config.options import BY_NAME, OPTIONS
from casfs.config.values import FLAG, PATHS
from casfs.mount.remount import check_remount
from casfs.mount.serve import MountRequest
from casfs.mount.serve import mount as make

HELP = """Mount SOURCE on the directory MOUNTPOINT.

\b
SOURCE is one of
  NAME:[VAULT]      a profile of the configuration file;
                    with a vault, that vault is the root
  REGION:[VAULT]    a region like ap-chengdu
  http[s]://HOST[:PORT][/ACCOUNT[/VAULT]]

Every option can also be written as -o like_this=VALUE, or set as CASFS_LIKE_THIS in the environment.
"""


@click.command(help=HELP)
@click.argument("source")
@click.argument("mountpoint")
@click.option("-o", "words", multiple=True, metavar="WORD[,WORD=VALUE]...", help="Options as mount(8) gives them.")
@mount_options
def mount(source: str, mountpoint: str, words: tuple[str, ...], **arguments: Any) -> None:
    """Make the mount that the command line asks for."""
    texts, text = given(arguments), ",".join(words)
    try:
        if not is_remount(source, mountpoint, text):
            make(requested(source, mountpoint, texts, text), warn)
    except LASTING as error:
        if not error.may_pass and is_foreground(texts, text, os.environ):
            raise LastingError(str(error)) from error
        raise


def is_remount(source: str, mountpoint: str, words: str) -> bool:
    """Say whether *words* ask for a remount, which was granted then.

    Raises:
        CasfsError: it cannot be granted.
    """
    asked = parse(words)
    if asked.remount:
        check_remount(source, located(mountpoint), asked)
    return asked.remount


def requested(source: str, mountpoint: str, texts: dict[str, str], words: str) -> MountRequest:
    """Return the mount that a command line asks for, having warned of what is odd about it.

    Raises:
        ConfigError: it asks for what cannot be.
    """
    config = read_config(source, texts, words)
    for text in config.warnings:
        warn(text)
    again = partial(read_config, source, texts | absolute_paths(config), words)
    return MountRequest(source, located(mountpoint), config, os.environ.get("CASFS_FUSE"), again)


def absolute_paths(config: Config) -> dict[str, str]:
    """Return the options of *config* that are paths, to be read again from another working directory."""
    values = json.loads(config.options)
    return {option.name: values[option.name] for option in OPTIONS if option.kind in PATHS and values.get(option.name)}


def is_foreground(texts: Mapping[str, str], words: str, environment: Mapping[str, str]) -> bool:
    """Say whether the mount was to stay in the foreground, as far as what cannot be used lets one tell."""
    try:
        asked = {**parse(known(words)).given, **texts}
        return bool(FLAG.read(asked.get("foreground") or environment.get(BY_NAME["foreground"].variable) or "false"))
    except ValueError:
        return False
