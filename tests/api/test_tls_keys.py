"""Keys of a connection that change in its middle, as ``openssl s_server`` has them change."""

import os
import pty
import re
import select
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from casfs.api.http import certificates
from casfs.api.http.sockets import is_possible
from casfs.api.http.tls import TlsSocket
from tests.api.test_tls import ALL, MIB, received
from tests.certificate import CERTIFICATE

pytestmark = pytest.mark.skipif(not is_possible(), reason="a struct timeval of another layout")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@dataclass
class Program:
    """``openssl s_server``, which sends what it reads, a line at once, and takes some letters for commands."""

    process: subprocess.Popen[bytes]
    terminal: int
    heard: bytes = b""

    def says(self, pattern: bytes) -> bytes:
        """Return what *pattern* matches in what the program writes, once it does."""
        while not (match := re.search(pattern, self.heard)):
            assert select.select([self.terminal], [], [], 60)[0]
            self.heard += os.read(self.terminal, 4096)
        self.heard = self.heard[match.end() :]
        return match[0]

    def type(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()


@contextmanager
def program(*options: str) -> Iterator[Program]:
    """Run the server; it writes to a terminal, or it would keep back what it says."""
    terminal, its_own = pty.openpty()
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(CERTIFICATE), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=its_own, stderr=subprocess.DEVNULL) as process:
        os.close(its_own)
        try:
            yield Program(process, terminal)
        finally:
            process.kill()
            os.close(terminal)


def connected(server: Program) -> TlsSocket:
    port = int(server.says(rb"ACCEPT 127\.0\.0\.1:\d+(?=\s)").rpartition(b":")[2])
    here = socket.create_connection(("127.0.0.1", port), 60)
    return TlsSocket(here, certificates.trust(str(CERTIFICATE)), "127.0.0.1")


@needs_openssl
@pytest.mark.parametrize("command", [b"k", b"K"], ids=["new keys", "new keys for both"])
def test_keys_that_change_between_two_records_lose_nothing(command: bytes) -> None:
    with program("-tls1_3") as server:
        patient = connected(server)
        patient.wait_at_most(0.05)
        for text in (b"first\n", b"second\n", b"third\n"):
            server.type(text)
            assert received(patient, len(text)) == text
            server.type(command + b"\n")
            server.says(b"SSL_do_handshake -> 1")
            with pytest.raises(BlockingIOError):  # the keys have come by themselves, which is no end
                patient.recv_into(bytearray(MIB), flags=ALL)
            patient.sendall(b"answer to " + text)
            server.says(b"answer to " + text.strip())
        patient.close()


@needs_openssl
def test_who_only_receives_takes_its_part_in_a_handshake_that_the_server_wants_again() -> None:
    with program("-tls1_2", "-msg") as server, ThreadPoolExecutor(1) as other:
        patient = connected(server)
        server.says(rb"(?s)ClientHello.*Finished")
        server.type(b"first\n")
        assert received(patient, 6) == b"first\n"
        second = other.submit(received, patient, 7)
        try:
            server.type(b"r\n")
            server.says(rb"(?s)ClientHello.*Finished")
            server.type(b"second\n")
            assert second.result(20) == b"second\n"
        finally:
            patient.shutdown(socket.SHUT_RDWR)
            patient.close()
