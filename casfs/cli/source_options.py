"""What commands that look at a mount before it is made are told: SOURCE or none, and the options of a mount."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from casfs.cli.options import json_option, mount_options
from casfs.config.library import source_of
from casfs.config.mount_options import parse

Command = Callable[..., Any]


def of_source(command: Command) -> Command:
    """Give *command* SOURCE, which may be left out, the options of a mount, ``-o`` and ``--json``."""
    words = click.option("-o", "words", multiple=True, metavar="WORD[,WORD=VALUE]...", help="As for casfs mount.")
    return click.argument("source", required=False)(words(mount_options(json_option(command))))


def source_or_profile(source: str | None, texts: Mapping[str, str], words: str) -> str:
    """Return *source*, or the profile that *texts*, or *words* behind ``-o``, ask for where nobody gives one.

    Raises:
        ConfigError: *words* cannot be read.
    """
    return source or source_of(parse(words).given | dict(texts))
