"""Shows what one read enters: every function of casfs, in the order in which each is first called.

    python contrib/hops.py [--list | --map]

A cold read of one block goes to the embedded service, a kept one to the cache on disk, a warm one finds that block in
memory. Imports, the open, read-ahead and what is written to disk do not count. With ``--map`` it prints what
docs/architecture.md says of them: modules, but for the leaves.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from types import FrameType, SimpleNamespace
from typing import Any, NamedTuple

import casfs
from casfs.account import Stages, find_service
from casfs.config.config import read_config
from casfs.config.layers import Places
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.fs.attrs import View
from casfs.fs.operations import Operations

PACKAGE = Path(casfs.__file__).parent
LIMIT_S = 60.0
POLL_S = 0.01
"""How long a read may take, and how often it is looked whether the threads that worked for it rest again."""

WIDTH = 116
WRITER = "casfs-disk-writer"
"""A thread that no read waits for."""


class Hop(NamedTuple):
    """A function of casfs that was entered: its module's path below ``casfs/``, and its qualified name."""

    module: str
    function: str


class Recorder:
    """Takes note of the functions of casfs that any thread enters while it is on."""

    def __init__(self) -> None:
        self.hops: dict[Hop, None] = {}
        self.is_on = False

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Note a call. Source: sys.setprofile."""
        if event != "call" or not self.is_on or threading.current_thread().name == WRITER:
            return
        function = frame.f_code.co_qualname
        # Comprehensions are calls in some versions of Python, and not in others.
        if is_counted(frame) and not function.endswith(">"):
            self.hops.setdefault(Hop(str(Path(frame.f_code.co_filename).relative_to(PACKAGE)), function))

    def record(self, work: Callable[[], object]) -> list[Hop]:
        """Return what *work* enters, on this thread and on those that work for it."""
        wait_for_rest()
        self.hops.clear()
        self.is_on = True
        work()
        wait_for_rest()
        self.is_on = False
        return list(self.hops)


def wait_for_rest() -> None:
    """Return once no other thread of casfs's works."""
    ends_s = time.monotonic() + LIMIT_S
    while any(map(is_at_work, threading.enumerate())):
        if time.monotonic() > ends_s:
            raise TimeoutError("a thread that worked for the read does not rest")
        time.sleep(POLL_S)


def is_at_work(thread: threading.Thread) -> bool:
    """Return whether *thread* is one of casfs's and does not wait for work: it ends after the answer was given."""
    frames = list(frames_of(thread))
    is_ours = any(is_counted(frame) for frame in frames)
    return is_ours and (frames[0].f_code.co_filename, frames[0].f_code.co_name) != (threading.__file__, "wait")


def frames_of(thread: threading.Thread) -> Iterator[FrameType]:
    """Yield what *thread* is in, the innermost first."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - public, whatever it is called
    while frame is not None:
        yield frame
        frame = frame.f_back


def is_counted(frame: FrameType) -> bool:
    """Return whether *frame* is of a function of casfs, the service aside."""
    path = Path(frame.f_code.co_filename)
    return path.is_relative_to(PACKAGE) and not path.is_relative_to(PACKAGE / "emulator")


@contextmanager
def mounted(server: Server, **more: str) -> Iterator[Operations]:
    """Yield what answers the kernel, of a mount of *server*, without a kernel."""
    given = {"block_cache_size": "64M", "connections": "4", "read_ahead": "0"} | more
    environment = {"CASFS_SECRET_ID": "id", "CASFS_SECRET_KEY": "key"}
    config = read_config(server.url, given, "", Places(environment, None, ()))
    account = Stages(config, find_service(config))
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


def opened(operations: Operations) -> Callable[[], object]:
    """Open an output; return what reads its first bytes."""
    handle: Any = SimpleNamespace(flags=0, fh=0, keep_cache=0, direct_io=0)
    operations.open(first_output(operations), handle)
    into = memoryview(bytearray(4096))
    return lambda: operations.read(handle.fh, 0, into)


def reads() -> dict[str, list[Hop]]:
    """Return what a cold read enters, one of what is kept on disk, and a warm one."""
    recorder = Recorder()
    threading.setprofile(recorder)
    sys.setprofile(recorder)
    try:
        with Server(sample_state(), credentials={"id": "key"}) as server, TemporaryDirectory() as folder:
            with mounted(server) as operations:
                read = opened(operations)
                cold, warm = recorder.record(read), recorder.record(read)
            with mounted(server, cache_dir=folder) as operations:
                opened(operations)()
            with mounted(server, cache_dir=folder) as operations:
                return {"cold": cold, "kept": recorder.record(opened(operations)), "warm": warm}
    finally:
        threading.setprofile(None)
        sys.setprofile(None)


def path_of(hops: list[Hop]) -> Iterator[str]:
    """Yield the lines that show which modules *hops* enter, in order, each package before its modules."""
    modules = dict.fromkeys(hop.module.removesuffix(".py") for hop in hops)
    inner = [module.partition("/") for module in modules if "/" in module]
    for package, group in groupby(inner, key=lambda parts: parts[0]):
        shown = " → ".join(module for _, _, module in group)
        yield from wrap(shown, WIDTH, initial_indent=f"    {package:8}", subsequent_indent=" " * 12)


def main() -> None:
    """Print how many functions and files each read enters, and with ``--list`` which."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="name every function")
    parser.add_argument("--map", action="store_true", help="show the modules, as docs/architecture.md does")
    asked = parser.parse_args()
    for kind, hops in reads().items():
        lines = [f"{kind}: {len(hops)} functions in {len({hop.module for hop in hops})} files"]
        if asked.map:
            lines = [f"{kind}:", *path_of(hops)]
        elif asked.list:
            lines += [f"    {hop.module}  {hop.function}" for hop in hops]
        print("\n".join(lines))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
