"""Where lines of the log go: real files, FIFOs and sockets."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.log.outlets import Descriptor, LogFile, SystemLog, SystemLogHandler, has_system_log

INFO = 20

TORN = """
import resource, sys
from pathlib import Path
from casfs.log.outlets import LogFile
file = LogFile(Path(sys.argv[1]))
file.write(20, "first")
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
for _ in range(3):
    try:
        file.write(20, "does not fit")
    except OSError as error:
        print(error.strerror)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.write(20, "last")
file.write(20, "very last")
"""


def test_what_follows_the_half_of_a_line_begins_on_its_own(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", TORN, str(tmp_path / "log")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "File too large\n" * 3
    assert (tmp_path / "log").read_text() == "first\ndoes\nlast\nvery last\n"


def test_a_fifo_that_nobody_reads_stops_nobody_and_its_reader_may_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "log"
    os.mkfifo(path)
    file = LogFile(path)
    with pytest.raises(OSError, match="No such device or address"):
        file.write(INFO, "lost")
    for text in ("one", "two"):
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        file.write(INFO, text)
        assert os.read(reader, 100) == text.encode() + b"\n"
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            file.write(INFO, "lost")


def test_a_line_waits_for_room_in_a_pipe_that_does_not_wait() -> None:
    listening, speaking = os.pipe()
    os.set_blocking(speaking, False)
    with subprocess.Popen(["sh", "-c", "sleep 0.1; wc -c"], stdin=listening, stdout=subprocess.PIPE) as reader:
        os.close(listening)
        for _ in range(300):
            Descriptor(speaking).write(INFO, "x" * 999)
        os.close(speaking)
        assert int(reader.communicate(timeout=120)[0]) == 300_000


def test_the_system_log_gets_priorities_and_whether_it_is_there_is_known(tmp_path: Path) -> None:
    address = str(tmp_path / "log")
    handler = SystemLogHandler(address, SystemLogHandler.LOG_DAEMON)
    outlet = SystemLog(handler)
    assert not has_system_log(address)
    with pytest.raises(OSError, match="did not take"):
        outlet.write(INFO, "lost")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(60)
        assert has_system_log(address)
        outlet.write(INFO, "100 %s")
        assert listener.recv(100) == b"<30>100 %s\0"
    handler.close()
