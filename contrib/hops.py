"""Shows what one read enters: every function of casfs, in the order in which each is first called.

    python contrib/hops.py [--list]

A cold read of one block goes to the embedded service, a warm one finds that block. Imports and the open do not count.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, NamedTuple

import casfs
from casfs.account import Account, find_service
from casfs.config.config import Places, load
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.fs.attrs import View
from casfs.fs.operations import Operations

PACKAGE = Path(casfs.__file__).parent
QUIET_S = 0.2
"""So long nothing may be entered until a read is taken for done: its worker ends after the answer was given."""


class Hop(NamedTuple):
    """A function of casfs that was entered: its module's path below ``casfs/``, and its qualified name."""

    module: str
    function: str


class Recorder:
    """Takes note of the functions of casfs that any thread enters while it is on."""

    def __init__(self) -> None:
        self.hops: dict[Hop, None] = {}
        self.is_on = False
        self.last_s = 0.0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Note a call. Source: sys.setprofile."""
        if event != "call" or not self.is_on:
            return
        path, function = Path(frame.f_code.co_filename), frame.f_code.co_qualname
        # Comprehensions are calls in some versions of Python, and not in others.
        if path.is_relative_to(PACKAGE) and "emulator" not in path.parts and not function.endswith(">"):
            self.hops.setdefault(Hop(str(path.relative_to(PACKAGE)), function))
            self.last_s = time.monotonic()

    def record(self, work: Callable[[], object]) -> list[Hop]:
        """Return what *work* enters, on this thread and on those that work for it."""
        self.hops.clear()
        self.last_s = time.monotonic()
        self.is_on = True
        work()
        while time.monotonic() - self.last_s < QUIET_S:
            time.sleep(QUIET_S / 4)
        self.is_on = False
        return list(self.hops)


@contextmanager
def mounted(server: Server) -> Iterator[Operations]:
    """Yield what answers the kernel, of a mount of *server*, without a kernel."""
    given = {"block_cache_size": "64M", "connections": "4", "read_ahead": "0"}
    environment = {"CASFS_SECRET_ID": "id", "CASFS_SECRET_KEY": "key"}
    config = load(server.url, given, "", Places(environment, None, ()))
    account = Account(config, find_service(config))
    operations = Operations(account.tree, account.outputs, account.stats, View(0, 0, 0, 0))
    operations.init("/")
    try:
        yield operations
    finally:
        operations.destroy("/")
        account.close()


def first_output(operations: Operations) -> str:
    """Return the path of an output of the sample vaults."""
    names = [name for name, _, _ in operations.readdir("/photos", 0)]
    return next(f"/photos/{name}/output" for name in names[2:])


def reads() -> tuple[list[Hop], list[Hop]]:
    """Return what a cold read enters, and a warm one."""
    recorder = Recorder()
    threading.setprofile(recorder)
    sys.setprofile(recorder)
    try:
        with Server(sample_state(), credentials={"id": "key"}) as server, mounted(server) as operations:
            handle: Any = SimpleNamespace(flags=0, fh=0, keep_cache=0, direct_io=0)
            operations.open(first_output(operations), handle)
            into = memoryview(bytearray(4096))

            def read() -> None:
                operations.read(handle.fh, 0, into)

            return recorder.record(read), recorder.record(read)
    finally:
        threading.setprofile(None)
        sys.setprofile(None)


def main() -> None:
    """Print how many functions and files each read enters, and with ``--list`` which."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="name every function")
    listing = parser.parse_args().list
    for kind, hops in zip(("cold", "warm"), reads(), strict=True):
        print(f"{kind}: {len(hops)} functions in {len({hop.module for hop in hops})} files")  # noqa: T201 - its output
        for hop in hops if listing else []:
            print(f"    {hop.module}  {hop.function}")  # noqa: T201 - its output


if __name__ == "__main__":
    main()
