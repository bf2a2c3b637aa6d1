"""A process of its own for the mount, and the pipe on which the command hears how it went.

The command forks before any thread or connection exists, since neither survives a fork. The new process says one of
three things, a line each: ``warning TEXT``, ``ready``, ``error TEXT``. An end of file before the last two means that
it died without a word.

Threads: ``detach`` is called before any is started. A herald may be used from any thread.
"""

import fcntl
import logging
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NoReturn, Protocol

from casfs.errors import CasfsError, MountError
from casfs.log.redaction import redact
from casfs.shortage import fork

STREAMS = 3
"""Standard input, output and error; other descriptors follow them."""

_log = logging.getLogger(__name__)


class Herald(Protocol):
    """Tells whoever started the mount how it goes."""

    def warn(self, text: str) -> None:
        """Say what the user should know though the mount goes on."""
        ...

    def ready(self) -> None:
        """Say that the mount answers.

        Raises:
            MountError: nobody waits for it any more.
        """
        ...


class PipeHerald:
    """Tells the process at the other end of a pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def warn(self, text: str) -> None:
        """Say what the user should know though the mount goes on."""
        self.say(f"warning {text}")

    def ready(self) -> None:
        """Leave the session of the command, say that the mount answers, and let go of standard error.

        The session is not left sooner: only who is in the process group of systemd may go on to where an automount
        waits for the mount; any other process, be it the one that makes the mount, waits for that there itself.
        Source: Linux, autofs_oz_mode; systemd, same_pgrp of mount units.

        Raises:
            MountError: the command was ended meanwhile, so that nobody waits for the mount.
        """
        os.setsid()
        self.say("ready")
        os.close(self._fd)

    def say(self, words: str) -> None:
        """Send *words* as one line.

        Raises:
            MountError: nobody listens.
        """
        try:
            os.write(self._fd, " ".join(redact(words).split()).encode(errors="backslashreplace") + b"\n")
        except OSError as error:
            raise MountError("the command that waited for the mount has ended") from error


def detach(serve: Callable[[Herald], None], warn: Callable[[str], None]) -> None:
    """Run *serve* in a process of its own, and return once it says that the mount answers.

    Args:
        serve: makes the mount and serves it to its end; runs in the new process, which holds no terminal, no
            standard stream and no descriptor of this one.
        warn: called here, with each warning.

    Raises:
        MountError: the new process says that the mount cannot be made, or dies.
        ShortageError: there is no process to be had.
    """
    listening, speaking = os.pipe()
    starter = fork()
    if starter == 0:
        _become_the_mount(serve, speaking)
    os.close(speaking)
    os.waitpid(starter, 0)
    with open(listening, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - a descriptor, not a path
        _listen(lines, warn)


def _listen(lines: Iterator[str], warn: Callable[[str], None]) -> None:
    """Return at ``ready``, raise at ``error``, pass on the warnings."""
    for line in lines:
        word, _, text = line.strip().partition(" ")
        if word == "ready":
            return
        if word == "error":
            raise MountError(text)
        warn(text)
    raise MountError("the mount ended before it answered; casfs mount --foreground shows why")


def _become_the_mount(serve: Callable[[Herald], None], speaking: int) -> NoReturn:
    """Fork once more, so that nobody is the parent, and end this process and the next without Python's exit.

    The exit handlers and the buffers are those of the command, which runs them itself.
    """
    status = 1
    with suppress(BaseException):
        if os.fork() == 0:
            status = _run(serve, PipeHerald(_let_go(speaking)))
    os._exit(status)


def _run(serve: Callable[[Herald], None], herald: PipeHerald) -> int:
    """Return the exit status of the mount; say what stopped it as long as somebody listens."""
    status = 1
    try:
        serve(herald)
        status = 0
    except CasfsError as error:
        _log.error("%s", error)
        with suppress(MountError):
            herald.say(f"error {error}")
    except BaseException as error:  # noqa: BLE001 - the last seam of the process: what passes it, nobody hears of
        _log.exception("the mount ended by an error that nobody foresaw")
        with suppress(MountError):
            herald.say(f"error {type(error).__name__}: {error}")
    logging.shutdown()
    return status


def _let_go(speaking: int) -> int:
    """Give up what belongs to the command's caller: terminal, streams, directory, inherited locks; keep *speaking*.

    Returns:
        The descriptor that *speaking* is now: a caller that closed its streams may have given it their place.
    """
    os.chdir("/")
    os.umask(0o077)
    kept = fcntl.fcntl(speaking, fcntl.F_DUPFD_CLOEXEC, STREAMS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(STREAMS):
        os.dup2(nothing, stream)
    os.closerange(STREAMS, kept)
    os.closerange(kept + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return kept
