"""Where the processor time of a cold read goes: perf over all processors, by process and by what each is at.

    python contrib/bench/spent.py SHAPE [casfs | bare loop | raw sockets]

Prints a table: seconds of processor time a GB, of the program, of the service and of the reader, who share the
processors. Wants perf, and what perf wants to see the kernel: root, or kernel.perf_event_paranoid=-1.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import plan
import processes
import reading
from measures import GB
from plan import FULL, MIB, SHAPES, Shape
from rig import Rig, scratch
from service import serving
from subjects import BARE_LOOP, CASFS, RAW_SOCKETS

PLAN = replace(FULL, big_bytes=1024 * MIB + plan.TAIL, shared_bytes=MIB, small_outputs=1, listed_outputs=1)
LOOPS = {each.name: each for each in (BARE_LOOP, RAW_SOCKETS)}
HERTZ = "4000"
POLL_S = 0.05
WORKS = (
    ("hashes, and what TLS takes", r"\btake_|liblanes|libcrypto|libssl"),
    ("first touches of pages", r"exc_page_fault"),
    ("answers to FUSE", r"fuse_dev_(do_)?(write|read)"),
    ("network, of whoever is there", r"handle_softirqs"),
    ("receiving", r"tcp_recvmsg|sys_recv"),
    ("sending", r"tcp_sendmsg|sys_send"),
    ("reading out of the mount", r"vfs_read|do_preadv"),
    ("handing the interpreter over", r"futex"),
    ("copying in memory", r"memmove|memcpy"),
    ("Python", r"libpython|python3|_ctypes|libffi|_socket|_struct"),
    ("", ""),
)
"""What a stack of calls says that its thread is at; the first that fits counts."""
REST = "the rest"
Spent = Mapping[str, Counter[str]]
"""Seconds by what was done, by process."""


def main() -> int:
    """Profile, and print the table."""
    shape, name = SHAPES[sys.argv[1]], " ".join(sys.argv[2:]) or CASFS.name
    with serving(PLAN) as service, scratch() as place:
        stacks = place / "perf.data"
        known = _cold(Rig(service, PLAN), name, shape, stacks)
        fields = ["-F", "comm,tid,period,ip,sym,dso"]
        said = subprocess.run(["perf", "script", "-i", stacks, *fields], check=True, capture_output=True, text=True)
    sys.stdout.write(table(spent(said.stdout, known, name), PLAN.big_bytes))
    return 0


def spent(stacks: str, known: Mapping[int, str], program: str) -> Spent:
    """Add up what `perf script` shows.

    Args:
        stacks: of each sample a line with the command, thread and nanoseconds, and a line a call below it.
        known: the process of each thread that is not *program*'s.
        program: whose every other thread of Python is.
    """
    found: dict[str, Counter[str]] = {}
    for sample in re.split(r"\n\s*\n", stacks.strip()):
        head, _, calls = sample.partition("\n")
        command, thread, period = head.rsplit(maxsplit=2)
        other = "idle" if "swapper" in command else program if re.search("python|casfs", command) else REST
        at = next(work for work, sign in WORKS if re.search(sign, calls)) or REST
        found.setdefault(known.get(int(thread), other), Counter())[at] += int(period)
    return {process: Counter({at: period / 1e9 for at, period in sums.items()}) for process, sums in found.items()}


def table(found: Spent, size: int) -> str:
    """Write seconds a GB, a column for each process, the most first."""
    columns = sorted(found, key=lambda process: (process in ("idle", REST), -found[process].total()))
    works = sorted({at for sums in found.values() for at in sums}, key=lambda at: (at == REST, -_over_all(found, at)))
    lines = [f"| CPU s/GB | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    lines += (_row(at, [found[process][at] for process in columns], size) for at in works)
    lines.append(_row("all", [found[process].total() for process in columns], size))
    return "\n".join(lines) + "\n"


def _over_all(found: Spent, at: str) -> float:
    return sum(sums[at] for sums in found.values())


def _row(words: str, seconds: Iterable[float], size: int) -> str:
    return f"| {words} | {' | '.join(f'{each / size * GB:.2f}' for each in seconds)} |"


def _cold(rig: Rig, name: str, shape: Shape, stacks: Path) -> dict[int, str]:
    """Read the big output under perf; give whose the threads are that are not the program's."""
    item = plan.big(PLAN)
    if name in LOOPS:
        with _recorded(stacks) as known:
            rig.fetched(LOOPS[name], shape, item)
        return known
    with rig.mounted(CASFS, shape, item.vault) as mount:
        path = CASFS.output(mount, item)
        path.stat()
        with _recorded(stacks) as known:
            reading.whole(path)
    return known


@contextmanager
def _recorded(stacks: Path) -> Iterator[dict[int, str]]:
    """Have perf look on, and note the threads of the service, which come and go, and of this process: the reader."""
    known: dict[int, str] = {}
    pids = {"service": processes.find(json.dumps(asdict(PLAN))), "reader": os.getpid()}
    over = threading.Event()
    noting = threading.Thread(target=partial(_note, pids, known, over))
    with subprocess.Popen(["perf", "record", "-q", "-a", "-g", "-F", HERTZ, "-o", stacks]) as perf:
        noting.start()
        over.wait(10 * POLL_S)  # perf says nothing when it has begun
        try:
            yield known
        finally:
            over.set()
            noting.join()
            perf.send_signal(signal.SIGINT)


def _note(pids: Mapping[str, int], known: dict[int, str], over: threading.Event) -> None:
    while not over.wait(POLL_S):
        for process, pid in pids.items():
            known.update({int(task.name): process for task in Path(f"/proc/{pid}/task").iterdir()})


if __name__ == "__main__":
    sys.exit(main())
