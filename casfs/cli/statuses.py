"""How a command ends: in an exit status and, where that is not 0, in one line on standard error."""

from dataclasses import dataclass

import click

from casfs import shortage
from casfs.cli.streams import OutputError, ReaderGoneError, forget_output
from casfs.errors import AccessDeniedError, CasfsError, ConfigError
from casfs.log.redaction import guard_tracebacks, redact

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


EX_CONFIG = 78
"""Source: sysexits.h, "something was found in an unconfigured or misconfigured state"."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """Exit statuses of a command.

    Attributes:
        usage: the command line cannot be read.
        config: it, a file or the environment asks for what cannot be.
        failure: anything else that casfs can name.
        lasting: what the service manager need not try again: it stays so until somebody acts.
    """

    usage: int = 2
    config: int = 1
    failure: int = 1
    lasting: int = EX_CONFIG


class LastingError(CasfsError):
    """What ends a mount in the foreground, and would end it again."""


LASTING = (ConfigError, AccessDeniedError)
"""What no second try mends: a value that cannot be used, and whom the service refuses."""


def status_of(command: click.Command, name: str, statuses: Statuses) -> int:
    """Run *command* on this process's arguments.

    Returns:
        The exit status; where it is not 0, one line on standard error has said why, unless nobody reads on.
    """
    guard_tracebacks()
    try:
        with shortage.named():
            command.main(prog_name=name, standalone_mode=False)
    except OutputError as error:
        forget_output()
        return statuses.failure if isinstance(error, ReaderGoneError) else explain(error, statuses)
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
        case LastingError():
            return complain(str(error), statuses.lasting)
        case ConfigError():
            return complain(str(error), statuses.config)
    return complain(str(error), statuses.failure)


def usage(error: click.UsageError) -> str:
    """Return what is wrong with the command line, and which help says what is right."""
    said = error.format_message().rstrip(".")
    return f"{said}; see {error.ctx.command_path} --help" if error.ctx else said


def complain(text: str, status: int) -> int:
    """Write *text* as one line, whatever it holds, and return *status*."""
    click.echo(line_of(text), err=True)
    return status


def line_of(text: str) -> str:
    """Return the line that tells *text*, whatever it holds."""
    return f"casfs: {' '.join(redact(text).split())}"


def warn(text: str) -> None:
    """Tell the user what goes on in spite of *text*."""
    click.echo(f"casfs: warning: {redact(text)}", err=True)
