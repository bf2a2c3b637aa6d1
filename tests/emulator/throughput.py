"""How fast the emulator is, and how exact its shaping: run by hand, ``python -m tests.emulator.throughput``.

It serves from a process of its own, pinned to one core; the reader is pinned to another one. Printed are bytes per
second that arrived, and bytes per second of the server's own processor time.

Measured 2026-11 on two cores, in MB/s that arrived and in MB per processor second of the server:

    4 MiB ranges, 1, 4 and 32 connections   3190, 2560, 2400     8800, 5400, 4700
    1 MiB ranges, 1 connection              3300                 5700
    4 KiB ranges, 1 connection              83 (20,000 requests/s)
    4 MiB ranges of a file, 4 connections   2690                 5400
    shaped to 60 MB/s, 1 and 16 connections 60.0, 938            2400, 6000
    shaped to 10 MB/s, 4 connections        39.5                 1500
"""

import multiprocessing
import os
import resource
import socket
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from casfs.emulator.content import Generated, OnDisk, StoredContent, read
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from casfs.emulator.state import State

SIZE = 512 << 20
RANGE = 4 << 20


def serve(pipe: Connection, content: StoredContent, shaping: Shaping) -> None:
    """Serve *content* on the last core until told to stop, then tell the processor time."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    state = State()
    state.add_vault("vault")
    archive = state.add_archive("vault", content)
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), job_id="job")
    with Server(state, shaping=shaping) as server:
        assert archive.tree.root  # hashed once, before the clock runs
        began = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send(server.url)
        pipe.recv()
        ended = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send(ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime)


def fetch(url: str, ranges: list[int], buffer: bytearray) -> None:
    """Read ranges that start at *ranges* over one connection."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        for start in ranges:
            connection.sendall(
                f"GET /-/vaults/vault/jobs/job/output HTTP/1.1\r\nHost: {host}\r\n"
                f"Range: bytes={start}-{start + len(buffer) - 1}\r\n\r\n".encode()
            )
            arrived = connection.recv(8192)
            body = arrived.split(b"\r\n\r\n", 1)[1]
            rest = memoryview(buffer)[len(body) :]
            while rest:
                rest = rest[connection.recv_into(rest, 0, socket.MSG_WAITALL) :]


def measure(
    name: str, content: StoredContent, *, range_size: int, connections: int, shaping: Shaping, total: int
) -> None:
    """Print one line."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, content, shaping))
    process.start()
    url = ours.recv()
    starts = list(range(0, total, range_size))
    threads = [
        threading.Thread(target=fetch, args=(url, starts[number::connections], bytearray(range_size)))
        for number in range(connections)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    ours.send("stop")
    cpu = ours.recv()
    process.join()
    print(  # noqa: T201 - a script
        f"{name:34} {connections:3} x {range_size >> 10:6} KiB  {total / seconds / 1e6:8.1f} MB/s"
        f"  {total / cpu / 1e6:8.1f} MB per CPU second  {len(starts) / seconds:8.0f} requests/s"
    )


def main() -> None:
    """Print the table."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    fast = Shaping()
    content = Generated(SIZE, seed=1)
    for connections in (1, 4, 32):
        measure("generated", content, range_size=RANGE, connections=connections, shaping=fast, total=SIZE)
    measure("generated", content, range_size=1 << 20, connections=1, shaping=fast, total=SIZE)
    measure("generated", content, range_size=4096, connections=1, shaping=fast, total=32 << 20)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "archive"
        path.write_bytes(read(content))
        measure("file", OnDisk(path, SIZE), range_size=RANGE, connections=4, shaping=fast, total=SIZE)
    for speed, total, connections in ((60e6, 256 << 20, 1), (60e6, SIZE, 16), (10e6, 64 << 20, 4)):
        shaping = Shaping(bytes_per_s=speed)
        name = f"shaped to {speed / 1e6:.0f} MB/s each"
        measure(name, content, range_size=RANGE, connections=connections, shaping=shaping, total=total)


if __name__ == "__main__":
    main()
