"""Log lines: how they look, and where they go."""

import json
import logging
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.errors import ConfigError
from casfs.log import lines
from casfs.log.lines import JournalFormatter, JsonFormatter, TextFormatter
from casfs.log.outlets import SYSLOG_TIMEOUT_S, SystemLogHandler
from tests.log.test_redaction import KEY, REDACT


def record(message: str, *arguments: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("casfs.test", logging.WARNING, "a.py", 7, message, arguments, None)
    vars(made).update(fields)
    return made


@pytest.mark.parametrize("formatter", [TextFormatter(REDACT), JsonFormatter(REDACT), JournalFormatter(REDACT)])
def test_tracebacks_arguments_and_fields_are_redacted(formatter: logging.Formatter) -> None:
    made = record("no %s", KEY, header={"Authorization": "5ec4e7"})
    try:
        int(KEY)
    except ValueError:
        made.exc_info = sys.exc_info()
    text = formatter.format(made)
    assert KEY not in text
    assert "5ec4e7" not in text
    assert "ValueError" in text
    assert "WARNING" in text.upper()


@pytest.mark.parametrize("formatter", [TextFormatter(REDACT), JsonFormatter(REDACT), JournalFormatter(REDACT)])
def test_line_that_cannot_be_made_is_a_line_that_says_so(formatter: logging.Formatter) -> None:
    class Bad:
        def __str__(self) -> str:
            raise RuntimeError(KEY)

    for made in (record("%d", "x"), record("%s", Bad()), record("x", field=Bad())):
        assert KEY not in formatter.format(made)
    assert "could not be made: TypeError at a.py:7" in formatter.format(record("%d", "x"))


def test_text_of_the_service_cannot_look_like_a_line_of_ours() -> None:
    text = TextFormatter(REDACT).format(record("no %s", "job\nERROR casfs: all is lost\x1b[2J\x07\ud800\u0085"))
    assert text == r"WARNING casfs.test: no job\nERROR casfs: all is lost\x1b[2J\x07\ud800\x85"


def test_json_is_one_object_a_line_with_the_fields_of_the_record() -> None:
    made = record("no\n%s", "ä", vault="photos", tries=3, status=None)
    line = JsonFormatter(REDACT).format(made)
    assert "\n" not in line
    fields = json.loads(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {
        "level": "warning",
        "logger": "casfs.test",
        "thread": "MainThread",
        "message": "no\nä",
        "vault": "photos",
        "tries": 3,
        "status": None,
    }


def test_journal_takes_the_priority_from_each_line() -> None:
    made = record("first")
    made.exc_text = "second\nthird"
    text = JournalFormatter(REDACT).format(made)
    assert text.split("\n") == ["<4>WARNING casfs.test: first", "<4>second", "<4>third"]


def test_time_is_utc_in_milliseconds() -> None:
    made = record("x")
    made.created, made.msecs = 1_500_000_000.007, 7.0
    assert TextFormatter(REDACT, lines.TIME_FORMAT).format(made).startswith("2017-07-14T02:40:00.007Z WARNING ")


@pytest.fixture
def system_log(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "log"))
        listener.settimeout(60)
        yield listener


def handler_of(listener: socket.socket) -> SystemLogHandler:
    handler = SystemLogHandler(listener.getsockname(), SystemLogHandler.LOG_DAEMON)
    handler.setFormatter(TextFormatter(REDACT))
    return handler


def test_system_log_gets_the_lines(system_log: socket.socket) -> None:
    handler = handler_of(system_log)
    handler.emit(record("no %s", KEY))
    assert system_log.recv(1000) == b"<28>WARNING casfs.test: no [redacted]\0"
    handler.close()


def test_system_log_that_is_stopped_does_not_stop_who_writes(
    system_log: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = handler_of(system_log)
    monkeypatch.setattr(logging, "raiseExceptions", False)

    def write() -> None:
        for _ in range(20):
            handler.emit(record("x" * 10_000))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    writer.join(50)
    assert not writer.is_alive()
    handler.close()


def test_system_log_that_comes_later_is_found(tmp_path: Path) -> None:
    handler = SystemLogHandler(str(tmp_path / "log"), SystemLogHandler.LOG_DAEMON)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "log"))
        handler.emit(record("x"))
        listener.settimeout(60)
        assert b"x" in listener.recv(1000)
        assert handler.socket.gettimeout() == SYSLOG_TIMEOUT_S
    handler.close()


SET_UP = """
import logging, threading
from casfs.log import queue_handler
from casfs.log.lines import set_up_log
queue_handler.FLUSH_TIMEOUT_S = 60.0  # on a busy machine the thread that writes may get no turn in the usual one
logger = logging.getLogger('casfs.x')
"""


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Set logging up in a process of its own: it is of the whole process."""
    command = [sys.executable, "-c", SET_UP + textwrap.dedent(script)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=os.environ | environment
    )


def test_foreground_logs_to_standard_error() -> None:
    done = run("set_up_log('info', 'text', None, foreground=True)\nlogger.info('hello')\nlogger.debug('no')")
    assert done.stderr.endswith("Z INFO casfs.x: hello\n")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_background_logs_nothing_to_standard_error() -> None:
    assert run("set_up_log('info', 'text', None, foreground=False)\nlogger.error('hello')").stderr == ""


def test_file_is_appended_to_and_found_again_after_rotation(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("before\n", encoding="utf-8")
    script = f"""
        import os
        set_up_log('info', 'json', {str(file)!r}, foreground=False)
        logger.info('one')
        logging.getLogger().handlers[0].flush()
        os.rename({str(file)!r}, {str(file)!r} + '.1')
        logger.info('two')
    """
    assert run(script).returncode == 0
    assert (tmp_path / "log.1").read_text(encoding="utf-8").startswith('before\n{"time"')
    assert json.loads(file.read_text(encoding="utf-8"))["message"] == "two"


def test_file_whose_directory_is_gone_ends_nothing_and_is_found_again(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "log"
    file.parent.mkdir()
    script = f"""
        import os
        set_up_log('info', 'text', {str(file)!r}, foreground=False)
        os.rename({str(file.parent)!r}, {str(file.parent)!r} + '.1')
        logger.info('one')
        logger.info('two')
        logging.getLogger().handlers[0].flush()
        os.mkdir({str(file.parent)!r})
        logger.info('three')
    """
    done = run(script)
    assert (done.returncode, done.stderr) == (0, "")
    told = [line.partition("Z ")[2] for line in file.read_text(encoding="utf-8").splitlines()]
    assert told[0].endswith("2 lines of this log were lost: they could not be written")
    assert told[1:] == ["INFO casfs.x: three"]


def test_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"log_file: .* cannot be written: Is a directory"):
        lines.set_up_log("info", "text", str(tmp_path), foreground=True)


def test_libraries_say_no_more_than_errors_and_uncaught_errors_are_redacted() -> None:
    script = f"""
        from casfs.log.redaction import redact
        redact.learn([{KEY!r}])
        set_up_log('debug', 'text', None, foreground=True)
        for name in ('urllib3.connectionpool', 'requests', 'fuse', 'mfusepy'):
            logging.getLogger(name).warning('unwanted')
        def fail():
            raise ValueError({KEY!r})
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        logger.info('%d', 'unmakeable')
        fail()
    """
    done = run(script)
    assert done.returncode == 1
    assert "unwanted" not in done.stderr
    assert KEY not in done.stderr
    assert done.stderr.count("nobody caught ValueError") == 2
    assert "a line of casfs.x could not be made" in done.stderr


def test_standard_error_that_is_the_journal_gets_priorities() -> None:
    script = """
        import os
        status = os.fstat(2)
        os.environ['JOURNAL_STREAM'] = f'{status.st_dev}:{status.st_ino}'
        set_up_log('info', 'text', None, foreground=True)
        logger.warning('hello')
    """
    assert run(script).stderr == "<4>WARNING casfs.x: hello\n"


def test_so_do_objects_of_json() -> None:
    script = """
        import os
        status = os.fstat(2)
        os.environ['JOURNAL_STREAM'] = f'{status.st_dev}:{status.st_ino}'
        set_up_log('info', 'json', None, foreground=True)
        logger.warning('hello')
    """
    line = run(script).stderr
    assert line.startswith("<4>{")
    assert json.loads(line[3:])["message"] == "hello"


def test_stream_that_is_closed_ends_nothing() -> None:
    script = """
        import os
        set_up_log('info', 'text', None, foreground=True)
        os.close(2)
        logger.error('hello')
        print('went on')
    """
    assert run(script).stdout == "went on\n"
