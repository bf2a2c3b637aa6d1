"""The options of a mount on a command line: made from the one table of options, and handed on as they were written."""

from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from casfs.config.options import BY_NAME, OPTIONS, Option
from casfs.config.values import FOLDER, PATHS
from casfs.errors import ConfigError

Command = Callable[..., Any]


def mount_options(command: Command) -> Command:
    """Give *command* every option of a mount, each as the text that was written, None where nobody did."""
    return named_options(BY_NAME)(command)


def named_options(names: Iterable[str]) -> Callable[[Command], Command]:
    """Return what gives a command the options of these names, as ``mount_options`` does."""

    def decorated(command: Command) -> Command:
        for name in reversed(tuple(names)):
            command = _decorator(BY_NAME[name])(command)
        return command

    return decorated


def checked(name: str, text: str) -> object:
    """Return the value that *text*, as it stands on the command line, gives an option.

    Raises:
        click.UsageError: it is no such value.
    """
    try:
        return BY_NAME[name].read(text, BY_NAME[name].flag)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None


def json_option(command: Command) -> Command:
    """Give *command* ``--json``, as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Results as one JSON object a line.")(command)


def _decorator(option: Option) -> Callable[[Command], Command]:
    names = [option.flag, *([f"-{option.short}"] if option.short else [])]
    if option.kind.is_flag:
        return click.option(*names, is_flag=True, help=option.help)
    shown = option.default if option.default is not None else option.default_words.replace("`", "")
    told: dict[str, Any] = {"metavar": option.kind.metavar, "help": f"{option.help}  [{shown}]"}
    return click.option(*names, shell_complete=lambda _context, _parameter, begun: _values(option, begun), **told)


def _values(option: Option, begun: str) -> list[CompletionItem]:
    """Return what a shell may complete the value of an option to; nothing where it may be anything.

    click's own type of paths looks at each when it is given, and would hang where the disk does.
    """
    if option.kind in PATHS:
        return [CompletionItem(begun, type="dir" if option.kind == FOLDER else "file")]
    words = option.kind.metavar.split("|") if "|" in option.kind.metavar else []
    return [CompletionItem(word) for word in words if word.startswith(begun)]


def given(arguments: dict[str, Any]) -> dict[str, str]:
    """Return those of click's *arguments* that somebody wrote, as texts by the names of the options."""
    written = {option.name: arguments.get(option.name) for option in OPTIONS}
    return {name: "true" if value is True else value for name, value in written.items() if value not in (None, False)}
