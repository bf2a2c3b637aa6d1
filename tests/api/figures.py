"""Figures of receiving over TLS: what a GB costs, by each way to take it from a socket.

A second is one of processor time of the thread that receives, so that other programs disturb little.

python -m tests.api.figures
"""

import socket
import ssl
import statistics
import sys
import threading
import time
from collections.abc import Callable

from casfs.api.http import certificates, tls
from casfs.api.http.tls import TlsSocket
from tests.certificate import CERTIFICATE, certified

MIB = 1 << 20
COUNT = 256
ROUNDS = 5

Connect = Callable[[socket.socket], TlsSocket | ssl.SSLSocket]


def by_ssl(connected: socket.socket) -> ssl.SSLSocket:
    return certificates.trust(str(CERTIFICATE)).wrap_socket(connected, server_hostname="127.0.0.1")


def patiently(connected: socket.socket) -> TlsSocket:
    return TlsSocket(connected, certificates.trust(str(CERTIFICATE)), "127.0.0.1")


def send(listener: socket.socket) -> None:
    with certified().wrap_socket(listener.accept()[0], server_side=True) as connection:
        piece = bytes(MIB)
        for _ in range(COUNT):
            connection.sendall(piece)


def seconds_a_gigabyte(connect: Connect) -> float:
    listener = socket.create_server(("127.0.0.1", 0))
    sender = threading.Thread(target=send, args=(listener,))
    sender.start()
    connection = connect(socket.create_connection(listener.getsockname(), 60))
    block = memoryview(bytearray(MIB))
    began = time.thread_time()
    for _ in range(COUNT):
        done = 0
        while done < MIB:
            done += connection.recv_into(block[done:], MIB - done, socket.MSG_WAITALL * (connect is patiently))
    took = time.thread_time() - began
    sender.join()
    connection.close()
    listener.close()
    return took / (COUNT * MIB / 1e9)


def main() -> None:
    ways: dict[str, tuple[Connect, int]] = {"SSLSocket.recv_into": (by_ssl, 0)}
    for kib in (64, 128, 256, 512, 1024):
        ways[f"TlsSocket, {kib} KiB a receive"] = (patiently, kib << 10)
    figures: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, (connect, size) in ways.items():
            tls.RECEIVE_BYTES = size
            figures.setdefault(name, []).append(seconds_a_gigabyte(connect))
    sys.stdout.write(f"CPU s/GB of {ROUNDS} rounds, {ssl.OPENSSL_VERSION}: least, median\n")
    for name, costs in figures.items():
        sys.stdout.write(f"  {name:32} {min(costs):5.2f} {statistics.median(costs):5.2f}\n")


if __name__ == "__main__":
    main()
