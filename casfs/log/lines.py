"""How log lines look, and where they go.

Lines go to a file if one is named, else to standard error in the foreground, else to the system log. A line that is
redacted is so as a whole, message, traceback and extra fields, whoever wrote it.
"""

import json
import logging
import os
import re
import sys
import threading
import time
from logging.handlers import SysLogHandler
from pathlib import Path
from types import TracebackType

from casfs.errors import ConfigError
from casfs.log.outlets import (
    STANDARD_ERROR,
    SYSLOG_SOCKET,
    Descriptor,
    LogFile,
    Outlet,
    SystemLog,
    SystemLogHandler,
    has_system_log,
)
from casfs.log.queue_handler import QueueHandler
from casfs.log.redaction import Redact, redact

LIBRARY_LEVELS = dict.fromkeys(("urllib3", "requests", "botocore", "fuse", "mfusepy"), logging.ERROR)
"""Libraries whose warnings are failures that casfs reports itself, or none."""

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else was given by whoever wrote the line."""

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What a terminal obeys and UTF-8 has not; the line end aside."""

TIME_FORMAT = "%(asctime)s.%(msecs)03dZ "

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""Source: syslog(3)."""


class TextFormatter(logging.Formatter):
    """One line a record, and the lines of its traceback; never raises."""

    def __init__(self, redact: Redact, stamp: str = "") -> None:
        """Begin each record with *stamp*, a format of logging."""
        super().__init__(stamp + "%(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as text without secrets."""
        try:
            return _CONTROL.sub(_escaped, self._redact(super().format(record)))
        except Exception as error:  # noqa: BLE001 - a line that cannot be made must not end the read that wrote it
            return _unmakeable(record, error)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """Return the message as one line: what the service sent must not look like a line of ours."""
        return super().formatMessage(record).replace("\n", "\\n")


class JournalFormatter(TextFormatter):
    """Lines that begin with ``<N>``, which journald takes for their priority; it has the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as text without secrets, each line with its priority."""
        return "\n".join(_priority(record) + line for line in super().format(record).split("\n"))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the extra fields of the record; never raises."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as one line of ASCII JSON without secrets."""
        try:
            return json.dumps(self._fields(record), separators=(",", ":"))
        except Exception as error:  # noqa: BLE001 - as above
            return json.dumps({"level": record.levelname, "message": _unmakeable(record, error)})

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        fields: dict[str, object] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": self._redact(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD_FIELDS:
                plain = value is None or isinstance(value, int | float)
                fields[name] = value if plain else self._redact(str(value))
        if record.stack_info:
            fields["stack"] = self._redact(record.stack_info)
        if record.exc_info:
            fields["traceback"] = self._redact(self.formatException(record.exc_info))
        return fields


class JournalJsonFormatter(JsonFormatter):
    """Objects that begin with ``<N>``, which journald takes away: what it keeps is the object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as one line of ASCII JSON without secrets, behind its priority."""
        return _priority(record) + super().format(record)


def _priority(record: logging.LogRecord) -> str:
    return f"<{_PRIORITIES.get(record.levelno, 6)}>"


def set_up_log(level: str, style: str, file: str | None, *, foreground: bool) -> None:
    """Send the log lines of this process where they belong; to be called after the fork.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        style: ``text`` or ``json``.
        file: path of a file to append to, opened again when it was rotated away; None for none.
        foreground: whether standard error is somebody's; else the system log is written to.

    Raises:
        ConfigError: *file* cannot be written.
    """
    outlet = _outlet(file, foreground=foreground)
    handler = QueueHandler(outlet)
    handler.setFormatter(_json_formatter(outlet) if style == "json" else _text_formatter(outlet))
    root = logging.getLogger()
    for other in list(root.handlers):
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, lowest in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(lowest)
    # What a handler cannot write it would print to standard error, arguments and all.
    logging.raiseExceptions = False
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def is_lost(file: str | None, *, foreground: bool) -> bool:
    """Return whether lines would be written to a system log that is not there."""
    return file is None and not foreground and not has_system_log()


def _outlet(file: str | None, *, foreground: bool) -> Outlet:
    if file is not None:
        try:
            return LogFile(Path(file).absolute())
        except OSError as error:
            raise ConfigError(f"log_file: {file} cannot be written: {error.strerror}") from None
    if foreground:
        return Descriptor(STANDARD_ERROR)
    handler = SystemLogHandler(SYSLOG_SOCKET, SysLogHandler.LOG_DAEMON)
    handler.ident = f"casfs[{os.getpid()}]: "
    return SystemLog(handler)


def _json_formatter(outlet: Outlet) -> logging.Formatter:
    return JournalJsonFormatter(redact) if isinstance(outlet, Descriptor) and _is_journal() else JsonFormatter(redact)


def _text_formatter(outlet: Outlet) -> logging.Formatter:
    if isinstance(outlet, SystemLog):
        return TextFormatter(redact)  # it has the time itself
    if isinstance(outlet, LogFile) or not _is_journal():
        return TextFormatter(redact, TIME_FORMAT)
    return JournalFormatter(redact)


def _is_journal() -> bool:
    """Say whether standard error is a stream of journald. Source: systemd.exec(5), $JOURNAL_STREAM."""
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _log_uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    logging.getLogger("casfs").critical(
        "nobody caught %s", kind.__name__, exc_info=(kind, error, traceback) if error is not None else None
    )


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode-escape").decode()


def _unmakeable(record: logging.LogRecord, error: Exception) -> str:
    return f"a line of {record.name} could not be made: {type(error).__name__} at {record.filename}:{record.lineno}"
