"""A mount of stand-ins in a process of its own; run as a script, it is that process.

A mount in the process of the tests could wait for itself.
"""

import logging
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    # Behind everything else, so that an installed casfs is the one that is tested.
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from casfs.errors import CorruptDataError
from casfs.fs.attrs import View
from casfs.fs.binding import load_binding
from casfs.fs.handles import Handles
from casfs.fs.kernel import Kernel
from casfs.fs.operations import Operations
from casfs.fs.options import libfuse_options
from casfs.models import Job
from casfs.mount.own_mount import OwnMount
from casfs.stats import Stats
from tests.fs.stands import Behaviour, StandInOutputs, StandInTree, job

MIB = 1 << 20
SIZE = 3 * MIB + 7
"""Of most outputs: three blocks and a bit."""
BIG = 64 * MIB
WRONG_SIZES = {"grows": 5, "shrinks": 3 * SIZE, "unknown": None}
"""What documents say of outputs that have SIZE bytes."""
STALLING = ["stalls", *(f"stalls-{number}" for number in range(10))]
"""Outputs that can be read up to STALLS_FROM only; more of them than libfuse has threads unless it is told, and fewer
than take up all that the kernel asks for at once."""
STALLS_FROM = 2 * MIB
FAILS_FROM = MIB
MANY = 2500

FAILURES: dict[str, Callable[[], BaseException]] = {
    "bare-os-error": lambda: OSError("text only"),
    "foreign-os-error": lambda: FileNotFoundError(2, "not a file of ours"),
    "bug": lambda: ValueError("a bug"),
    "exit": lambda: SystemExit(0),
    "keyboard": KeyboardInterrupt,
    "memory": MemoryError,
    "recursion": RecursionError,
    "generator": GeneratorExit,
}
"""Whatever may be raised where nobody expects it, by the name that jobs have it by."""

FAILING = ("read", "open", "close", "stat", "list", "attribute")
"""What fails of a job whose name begins so."""
COPIES = 10
"""As many outputs has the scene whose size nobody has learnt yet, of each kind: one for each program that copies."""

STATES = "states"
"""Counts the callbacks that found nothing of an earlier one on their thread."""
CALLBACKS = ("getattr", "readdir", "open", "read", "release", "statfs", "getxattr", "listxattr", "access")


def jobs() -> list[Job]:
    """Return every job of the scene."""
    plain = [job(name, SIZE) for name in ("plain", "warm", "anew", "short", "proves-wrong")]
    sizes = [job("empty", 0), job("big", BIG)]
    for kind, size in WRONG_SIZES.items():
        sizes += [job(f"{kind}-{number}", size) for number in range(COPIES)]
    failing = [job(f"{when}-{name}", SIZE) for when in FAILING for name in FAILURES]
    described = job(
        "described", SIZE, JobDescription='"gr\u00fcn"\n\\', Completed=True, ArchiveSizeInBytes=SIZE, Tier=None
    )
    stalling = [job(name, 9 * MIB) for name in STALLING]
    return [*plain, *sizes, *failing, described, *stalling, job("look-up-stalls", SIZE)]


def behaviours() -> dict[str, Behaviour]:
    """Return how they behave that are not plain."""
    found = {f"{kind}-{number}": Behaviour(size=SIZE) for kind in WRONG_SIZES for number in range(COPIES)}
    for name, failure in FAILURES.items():
        found[f"read-{name}"] = Behaviour(failure=failure, fails_from=FAILS_FROM)
        found[f"open-{name}"] = Behaviour(open_failure=failure)
        found[f"close-{name}"] = Behaviour(close_failure=failure)
        found[f"attribute-{name}"] = Behaviour(attribute_failure=failure)
    return found | {
        "anew": Behaviour(keep_pages=False),
        "short": Behaviour(short=1),
        "proves-wrong": Behaviour(flush_failure=lambda: CorruptDataError("what was served has proved wrong")),
        **dict.fromkeys(STALLING, Behaviour(stalls_from=STALLS_FROM)),
    }


class CallbackStats(Stats):
    """Figures of a scene: how often each callback was called, beside those of every mount."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: Counter[str] = Counter()

    def snapshot(self) -> dict[str, object]:
        """Return all of them."""
        return super().snapshot() | dict(self.callbacks)


class CountingOperations(Operations):
    """Operations that count themselves in ``user.cas.stats``, and the states of threads that they meet."""

    def __init__(self, tree: StandInTree, outputs: StandInOutputs, view: View, kernel: Kernel) -> None:
        stats = CallbackStats()
        super().__init__(tree, outputs, stats, view, kernel_takes=kernel.takes)
        self._counting_lock = threading.Lock()
        self._callbacks = stats.callbacks
        self._thread = threading.local()
        for name in CALLBACKS:
            setattr(self, name, self._counting(name, getattr(self, name)))

    def _counting(self, name: str, callback: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object) -> object:
            with self._counting_lock:
                self._callbacks[name] += 1
                self._callbacks[STATES] += not hasattr(self._thread, "is_known")
            self._thread.is_known = True
            return callback(*arguments)

        return counted


def serve(path: str) -> None:
    """Be the mount, with its log on standard error."""
    logging.basicConfig()
    binding = load_binding(os.environ["CASFS_FUSE"])
    tree = StandInTree(jobs(), binding.interrupted)
    tree.failures = {f"stat-{name}": failure for name, failure in FAILURES.items()}
    tree.list_failures = {f"list-{name}": failure for name, failure in FAILURES.items()}
    tree.stalls = {"look-up-stalls"}
    tree.many = [job(f"job-{number:05}", SIZE) for number in range(MANY)]
    outputs = StandInOutputs(binding.interrupted)
    outputs.behaviours = behaviours()
    view = View(os.getuid(), os.getgid(), 0o400, 0o700)
    own = OwnMount(Path(path))
    operations = CountingOperations(tree, outputs, view, Kernel(path, own, Handles()))
    options = libfuse_options("a,scene", view, allow_other=False, libfuse=binding.libfuse)
    binding.serve(operations, path, options, own)


if __name__ == "__main__":
    serve(sys.argv[1])
