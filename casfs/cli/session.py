"""What commands that work without a mount share: their options, their accounts, and how a signal ends them."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, NoReturn

import click

from casfs.cli.options import checked, given, named_options
from casfs.cli.statuses import INTERRUPTED, complain, warn
from casfs.config import library as library_options
from casfs.config.options import BY_NAME
from casfs.config.place import Depth, Place, parse
from casfs.errors import ConfigError
from casfs.library import Account, connect
from casfs.log.lines import set_up_log

Command = Callable[..., Any]

LOG = ("log_level", "log_format", "log_file")
END_S = 8.0
"""How long a process that a signal ends has to end well: so it is over within 10 s whatever hangs."""


def connect_options(command: Command) -> Command:
    """Give *command* the options of whoever reads without a mount, and those of the log."""
    return named_options([*library_options.NAMES, *LOG])(command)


def poll_option(command: Command) -> Command:
    """Give *command* ``--poll``."""
    seconds = click.FloatRange(min=0, min_open=True)
    help_text = "Between two questions whether a job is finished."
    return click.option("--poll", type=seconds, default=60, show_default=True, metavar="SECONDS", help=help_text)(
        command
    )


def place_type(least: Depth, most: Depth) -> Callable[[str], Place]:
    """Return what reads a PLACE of a command line that leads so far."""

    def read(text: str) -> Place:
        try:
            return parse(text, least, most)
        except ConfigError as error:
            raise click.UsageError(str(error)) from None

    return read


class Accounts:
    """The accounts of the services that PLACEs are of, connected when they are first asked for.

    Threads: any.
    """

    def __init__(self, texts: Mapping[str, str], opened: ExitStack) -> None:
        self._texts = texts
        self._opened = opened
        self._lock = threading.Lock()
        self._found: dict[str | None, Account] = {}

    def of(self, place: Place | None) -> Account:
        """Return the account of *place*; that of the profile of the options for None.

        Raises:
            ConfigError: it leads nowhere, or there are no credentials.
        """
        source = None if place is None else place.source
        with self._lock:
            if source not in self._found:
                self._found[source] = self._opened.enter_context(connect(source, **self._texts))
            return self._found[source]


@contextmanager
def session(arguments: Mapping[str, Any]) -> Iterator[Accounts]:
    """Let the command run, with its log, until it ends or SIGTERM or Ctrl-C ends it, which take 10 s at most.

    Args:
        arguments: click's, those of ``connect_options`` among them.

    Raises:
        click.UsageError: an option has a value that is none.
    """
    texts = given(dict(arguments))
    values = {name: _value(name, texts) for name in LOG}
    for name, text in texts.items():
        checked(name, text)
    if values["log_file"] is not None or values["log_level"] == "debug":
        set_up_log(values["log_level"], values["log_format"], values["log_file"], foreground=True)
    if values["log_file"] is not None or values["log_level"] != "debug":  # else standard error has the log
        logging.getLogger(connect.__module__).addHandler(_Oddities())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    with ExitStack() as opened:
        yield Accounts({name: text for name, text in texts.items() if name not in LOG}, opened)


class _Oddities(logging.Handler):
    """Tells the user what the library warns of: what is odd about the settings, each once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it."""
        text = record.getMessage()
        if text not in self._said:
            self._said.add(text)
            warn(text)


def end(failures: int) -> None:
    """End the command with 1 where something failed, which was said before."""
    if failures:
        sys.exit(1)


def failed(what: object, error: BaseException) -> None:
    """Say on standard error that *what* failed, and why."""
    complain(f"{what}: {error}", 1)


def _value(name: str, texts: Mapping[str, str]) -> Any:
    option = BY_NAME[name]
    text = texts.get(name) or os.environ.get(option.variable) or option.default
    return None if text is None else checked(name, text)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave what the main thread is at; what hangs after that is left too."""
    status = INTERRUPTED if number == signal.SIGINT else 128 + number
    watch = threading.Timer(END_S, os._exit, [status])
    watch.daemon = True
    watch.start()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(status)
