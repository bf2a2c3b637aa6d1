"""The command line: what the user asks for goes in, one line and an exit status come out."""

import importlib.metadata
import sys
from dataclasses import dataclass

import click

from casfs.cli.demo import demo
from casfs.cli.emulate import emulate
from casfs.cli.mount import mount
from casfs.errors import CasfsError, ConfigError

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """Exit statuses of a command.

    Attributes:
        usage: the command line cannot be read.
        config: it, a file or the environment asks for what cannot be.
        failure: anything else that casfs can name.
    """

    usage: int = 2
    config: int = 1
    failure: int = 1


def version() -> str:
    """Return the version that is installed; a checkout that is not has none."""
    try:
        return importlib.metadata.version("casfs")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), message="%(prog)s %(version)s")
def casfs() -> None:
    """Mount archive-storage job outputs as a read-only file system that checks every byte."""


casfs.add_command(mount)
casfs.add_command(demo)
casfs.add_command(emulate)


def main() -> None:
    """Run the command line of this process, and exit."""
    sys.exit(status_of(casfs, "casfs", Statuses()))


def status_of(command: click.Command, name: str, statuses: Statuses) -> int:
    """Run *command* on this process's arguments.

    Returns:
        The exit status; where it is not 0, one line on standard error has said why.
    """
    try:
        command.main(prog_name=name, standalone_mode=False)
    except (click.ClickException, CasfsError) as error:
        return explain(error, statuses)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return 0


def explain(error: click.ClickException | CasfsError, statuses: Statuses) -> int:
    """Say what went wrong, and return the exit status that stands for it."""
    match error:
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return statuses.usage
        case click.UsageError():
            return complain(usage(error), statuses.usage)
        case click.ClickException():
            return complain(error.format_message(), statuses.failure)
        case ConfigError():
            return complain(str(error), statuses.config)
    return complain(str(error), statuses.failure)


def usage(error: click.UsageError) -> str:
    """Return what is wrong with the command line, and which help says what is right."""
    said = error.format_message().rstrip(".")
    return f"{said}; see {error.ctx.command_path} --help" if error.ctx else said


def complain(text: str, status: int) -> int:
    """Write *text* as one line, whatever it holds, and return *status*."""
    click.echo(f"casfs: {' '.join(text.split())}", err=True)
    return status
