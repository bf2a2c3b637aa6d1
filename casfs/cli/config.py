"""``casfs config show``: what would be used, and where each value comes from."""

from typing import Any

import click

from casfs.cli.options import given
from casfs.cli.results import Row, write
from casfs.cli.source_options import of_source
from casfs.cli.statuses import warn
from casfs.config.origins import Setting, settings_of


@click.group()
def config() -> None:
    """Show what a mount would use, and where each value comes from."""


@config.command()
@of_source
def show(source: str | None, words: tuple[str, ...], *, as_json: bool, **arguments: Any) -> None:
    """Show every value that SOURCE would be mounted with, and where it comes from; secrets are masked.

    Without SOURCE, those of the profile. Asks nobody over the network. Ends with status 1 where nothing could be
    mounted, having shown what is written.
    """
    texts = given(arguments)
    found = settings_of(source, texts, ",".join(words))
    write(map(_row, found.values), ("setting", "value", "from"), as_json=as_json)
    if found.failure is not None:
        raise found.failure
    for text in found.config.warnings if found.config else ():
        warn(text)


def _row(setting: Setting) -> Row:
    fields = {"name": setting.name, "value": setting.value, "origin": setting.origin}
    match setting.value:
        case None:
            text = "-"
        case bool():
            text = str(setting.value).lower()
        case _:
            text = str(setting.value)
    return Row(fields, (setting.name, text, setting.origin), (setting.name, text, setting.origin))
