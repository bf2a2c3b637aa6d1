"""What is measured: each measure takes a program and a shape of the link, and gives its figures by name.

Every mount is fresh, so the program, its caches on disk and the kernel's page cache have nothing of what is read.
"""

import math
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import plan
import reading
from plan import MIB, Shape
from results import Sample
from rig import Rig, Used, scratch
from subjects import Fetcher, Mounter, kept_in_python

MB = 1_000_000
GB = 1_000_000_000
SIX, EIGHT = 6, 8
SETTLE_S = 60.0
STEP_S = 0.5


def _speed(used: Used, size: int) -> dict[str, float]:
    speed = {
        "MB/s": size / used.seconds / MB,
        "CPU s/GB": used.cpu_s / size * GB,
        "fetched": used.sent.sent_bytes / size,
    }
    return speed if used.peak_mib is None else speed | {"peak MiB": used.peak_mib}


def fetch(rig: Rig, fetcher: Fetcher, shape: Shape) -> Sample:
    """Fetch the big output from the service with no file system in between."""
    item = plan.big(rig.plan)
    return _speed(rig.fetched(fetcher, shape, item), item.size_bytes)


def sequential(rig: Rig, mounter: Mounter, shape: Shape) -> Sample:
    """Read the big output from end to end, cold; where the link is unshaped, once more."""
    item = plan.big(rig.plan)
    with rig.mounted(mounter, shape, item.vault) as mount:
        path = mounter.output(mount, item)
        figures = _speed(rig.watched(mount, lambda: reading.whole(path)), item.size_bytes)
        if shape.bytes_per_s == 0:
            again = rig.watched(mount, lambda: reading.whole(path))
            figures["again MB/s"] = item.size_bytes / again.seconds / MB
            figures["again fetched"] = again.sent.sent_bytes / item.size_bytes
    return figures


def read_back(rig: Rig, mounter: Mounter, shape: Shape) -> Sample:
    """Read the big output on fresh mounts, out of what another one has kept on disk, and the plain file beside it.

    Once from the disk, after the kernel has let go of every page of them; once out of its page cache, and so once more
    with the library of a program that has one.
    """
    item = plan.big(rig.plan)
    with scratch(on_disk=True) as place:
        with rig.mounted(mounter, shape, item.vault, place) as mount:
            path = mounter.output(mount, item)
            shutil.copyfile(path, place / "plain")
            _settle(path)
        figures = _again(rig, mounter, shape, place, reading.forget)
        warm = _again(rig, mounter, shape, place, reading.load)
        in_memory = {f"{name}, in memory": warm[name] for name in ("MB/s", "CPU s/GB", "plain MB/s")}
        if mounter.has_library:
            alone = rig.fetched(kept_in_python(place), shape, item)
            in_memory["library MB/s, in memory"] = item.size_bytes / alone.seconds / MB
    return {**figures, **in_memory}


def _again(rig: Rig, mounter: Mounter, shape: Shape, place: Path, prepare: Callable[[Path], object]) -> Sample:
    """Read on a fresh mount, and then the plain file, after *prepare* was called with each file that is kept."""
    item = plan.big(rig.plan)
    for file in sorted(file for file in place.rglob("*") if file.is_file()):
        prepare(file)
    with rig.mounted(mounter, shape, item.vault, place) as mount:
        path = mounter.output(mount, item)
        path.stat()  # its name, and what is said of it, come from the service
        figures = _speed(rig.watched(mount, lambda: reading.whole(path)), item.size_bytes)
    started = time.perf_counter()
    reading.whole(place / "plain")
    return figures | {"plain MB/s": item.size_bytes / (time.perf_counter() - started) / MB}


def _settle(path: Path) -> None:
    """Wait until what was read is kept, where a program says so; what it skipped, as a slow disk has it, is read again.

    Raises:
        RuntimeError: it never was.
    """
    ends_s = time.monotonic() + SETTLE_S
    while (kept := _kept(path)) != "whole":
        if time.monotonic() > ends_s:
            raise RuntimeError(f"{path}: {kept} blocks are kept after {SETTLE_S:.0f} s")
        time.sleep(STEP_S)
        if _kept(path) == kept:  # nothing more comes by itself
            reading.forget(path)
            reading.whole(path)


def _kept(path: Path) -> str:
    """Say how much of an output is kept, as the program has it; "whole" where it does not say."""
    try:
        return os.getxattr(path, "user.cas.cached").decode()
    except OSError:
        return "whole"


def scattered(rig: Rig, mounter: Mounter, shape: Shape) -> Sample:
    """Read 4 KiB at random places of the big output; what was fetched is counted in the blocks they lie in."""
    item = plan.big(rig.plan)
    offsets = reading.random_offsets(item.size_bytes, rig.plan.random_reads)
    times: list[float] = []
    with rig.mounted(mounter, shape, item.vault) as mount:
        path = mounter.output(mount, item)
        used = rig.watched(mount, lambda: times.extend(reading.at_random(path, offsets)))
    needed = len({offset // MIB for offset in offsets}) * MIB
    return {
        "median ms": statistics.median(times) * 1000,
        "slowest ms": max(times) * 1000,
        "fetched / needed": used.sent.sent_bytes / needed,
    }


def first(rig: Rig, mounter: Mounter, shape: Shape) -> Sample:
    """Open a file nobody has looked at, read its first 4 KiB, and close it."""
    item = plan.big(rig.plan)
    with rig.mounted(mounter, shape, item.vault) as mount:
        path = mounter.output(mount, item)
        used = rig.watched(mount, lambda: reading.at_random(path, [0]))
    return {"ms": used.seconds * 1000, "requests": used.sent.requests}


def six(rig: Rig, mounter: Mounter, shape: Shape) -> Sample:
    """Let six readers read one cold output from end to end at the same time."""
    item = plan.shared(rig.plan)
    with rig.mounted(mounter, shape, item.vault) as mount:
        path = mounter.output(mount, item)
        used = rig.watched(mount, lambda: reading.together([partial(reading.whole, path)] * SIX))
    return {
        "s": used.seconds,
        "fetched": used.sent.sent_bytes / item.size_bytes,
        "most in flight": used.sent.most_in_flight,
    }


def eight(rig: Rig, mounter: Mounter, shape: Shape) -> Sample:
    """Let eight readers read all of the big output at the same time, each from a place of its own."""
    item = plan.big(rig.plan)
    with rig.mounted(mounter, shape, item.vault) as mount:
        path = mounter.output(mount, item)
        starts = [item.size_bytes * reader // EIGHT // MIB * MIB for reader in range(EIGHT)]
        used = rig.watched(mount, lambda: reading.together([partial(reading.whole, path, at) for at in starts]))
        grown = (used.peak_mib or math.nan) - mount.idle_mib
    return {"s": used.seconds, "over idle MiB": grown, "fetched": used.sent.sent_bytes / item.size_bytes}


def copies(rig: Rig, mounter: Mounter, shape: Shape) -> Sample:
    """Copy the many small outputs with `cp -r`, and on a fresh mount with eight `cp` at a time."""
    one = _copied(rig, mounter, shape, 'cp -r . "$0"')
    eightfold = _copied(rig, mounter, shape, 'ls | xargs -P8 -n5 cp -r -t "$0"')
    return {
        "cp -r s": one.seconds,
        "its CPU s": one.cpu_s,
        "xargs -P8 cp s": eightfold.seconds,
        "times faster": one.seconds / eightfold.seconds,
    }


def _copied(rig: Rig, mounter: Mounter, shape: Shape, command: str) -> Used:
    """Run a command of the shell among the small outputs; it copies them to `$0`."""
    items = plan.small(rig.plan)
    with rig.mounted(mounter, shape, items[0].vault) as mount, scratch() as target:
        source = mounter.directory(mount, items[0].vault)
        used = rig.watched(mount, lambda: subprocess.run(["sh", "-c", command, target], cwd=source, check=True))
        copied = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    if copied != sum(item.size_bytes for item in items):
        raise RuntimeError(f"{mounter.name}: {copied} bytes were copied")
    return used


def listing(rig: Rig, mounter: Mounter, shape: Shape) -> Sample:
    """List the many outputs that nobody has listed before, and then with what is below them: in casfs, the outputs."""
    vault = plan.listed(rig.plan)[0].vault
    with rig.mounted(mounter, shape, vault) as mount:
        flat = rig.watched(mount, lambda: _ls("-l", mounter.directory(mount, vault)))
        deep = rig.watched(mount, lambda: _ls("-lR", mounter.directory(mount, vault)))
    requests = flat.sent.requests + deep.sent.requests
    cpu_s = flat.cpu_s + deep.cpu_s
    return {"ls -l s": flat.seconds, "then ls -lR s": deep.seconds, "requests": requests, "CPU s": cpu_s}


def _ls(option: str, directory: Path) -> None:
    subprocess.run(["ls", option, directory], check=True, stdout=subprocess.DEVNULL)
