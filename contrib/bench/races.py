"""Which programs meet in which measure, and the rounds in which they take turns."""

import random
import sys
import traceback
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import measures
import medians
from plan import SHAPES, Shape
from results import Results, Sample
from rig import Rig
from subjects import (
    ARIA2C,
    BARE_LOOP,
    BARE_MOUNT,
    CASFS,
    CASFS_64M,
    CASFS_ALONE,
    CASFS_KEPT,
    FSSPEC,
    HTTPDIRFS,
    LIBRARY,
    PYTHON_S3FS,
    RAW_SOCKETS,
    RCLONE,
    RCLONE_KEPT,
    RCLONES_OF_TODAY,
    S3FS,
    S3FS_KEPT,
    SLOW_BARE_LOOP,
    SLOW_RAW_SOCKETS,
    Fetcher,
    Mounter,
)


@dataclass(frozen=True)
class Race:
    """One measure of several programs.

    Attributes:
        key: what `--only` and the results call it.
        title: what it is, for a reader.
        measure: takes a mount's figures.
        shape: of the link.
        mounters: the programs; the first is casfs.
        headline: the figure that ratios are made of.
        larger_is_better: of the headline.
        fetchers: programs that fetch the same without mounting.
    """

    key: str
    title: str
    measure: Callable[[Rig, Mounter, Shape], Sample]
    shape: Shape
    mounters: Sequence[Mounter]
    headline: str
    larger_is_better: bool = False
    fetchers: Sequence[Fetcher] = ()

    def runners(self, without: Container[str]) -> Mapping[str, Callable[[Rig], Sample]]:
        """Give what measures each program, by its name, but for those that are not installed or named *without*."""
        mounts = {each.name: partial(self._mount, each) for each in self.mounters if each.is_wanted(without)}
        return mounts | {each.name: partial(self._fetch, each) for each in self.fetchers if each.is_wanted(without)}

    def shown(self, by_program: Mapping[str, medians.Samples]) -> dict[str, medians.Samples]:
        """Give what stands on the page: of a program that ran with several settings only the best."""
        shown = dict(by_program)
        for family in {each.family for each in self.mounters if each.family}:
            names = [each.name for each in self.mounters if each.family == family and each.name in by_program]
            best = self.best(by_program, names)
            for name in names:
                if name != best:
                    del shown[name]
        return shown

    def best(self, by_program: Mapping[str, medians.Samples], names: Iterable[str]) -> str | None:
        """Give the program with the best headline among *names*; None if none of them has one."""
        found = {name: medians.of(by_program.get(name, []), self.headline) for name in names}
        measured = {name: value for name, value in found.items() if value is not None}
        return (max if self.larger_is_better else min)(measured, key=measured.__getitem__, default=None)

    def _mount(self, mounter: Mounter, rig: Rig) -> Sample:
        return self.measure(rig, mounter, self.shape)

    def _fetch(self, fetcher: Fetcher, rig: Rig) -> Sample:
        return measures.fetch(rig, fetcher, self.shape)


RCLONES = (RCLONE, *RCLONES_OF_TODAY)
MOST = (CASFS, *RCLONES, S3FS)
ALL = (*MOST, HTTPDIRFS)
# where chunks and streams change nothing
WITH_ONE_RCLONE = (CASFS, RCLONE, RCLONES_OF_TODAY[0])
LOADERS = (ARIA2C, BARE_LOOP, RAW_SOCKETS)
IN_PYTHON = (LIBRARY, FSSPEC, PYTHON_S3FS)
UNSHAPED, TLS, NEAR, FAR = (SHAPES[name] for name in ("unshaped", "tls", "near", "far"))
TLS_NEAR, TLS_FAR = SHAPES["tls-near"], SHAPES["tls-far"]


def _sequential(shape: Shape, mounters: Sequence[Mounter] = ALL, fetchers: Sequence[Fetcher] = LOADERS) -> Race:
    title = "Cold sequential read"
    return Race(f"sequential-{shape.name}", title, measures.sequential, shape, mounters, "MB/s", True, fetchers)


RACES = (
    _sequential(UNSHAPED),
    # without those that take no certificate of ours
    _sequential(TLS, (CASFS, *RCLONES), (ARIA2C, BARE_LOOP)),
    _sequential(TLS_NEAR, (CASFS,), (ARIA2C,)),
    _sequential(TLS_FAR, (CASFS,), (ARIA2C,)),
    _sequential(NEAR, (*ALL, BARE_MOUNT)),
    # a race of its own: the mount beside what a program of Python needs no mount for
    Race(
        "python-near",
        "Cold sequential read inside of Python",
        measures.sequential,
        NEAR,
        (CASFS,),
        "MB/s",
        True,
        IN_PYTHON,
    ),
    _sequential(FAR, fetchers=(ARIA2C, SLOW_BARE_LOOP, SLOW_RAW_SOCKETS)),
    # without httpdirfs: 1.2.5 ends when a file is closed while it still downloads
    Race("random", "Random reads of 4 KiB", measures.scattered, NEAR, MOST, "median ms"),
    Race("first", "First 4 KiB of a cold file", measures.first, NEAR, ALL, "ms"),
    Race("six", "Six readers of one cold output", measures.six, NEAR, ALL, "s"),
    Race(
        "eight",
        "Eight readers of one output, casfs with 64M",
        measures.eight,
        NEAR,
        (CASFS_64M, *RCLONES),
        "s",
    ),
    # without read-ahead: one by one
    Race("copies", "Many outputs of 1 MiB", measures.copies, NEAR, (*WITH_ONE_RCLONE, CASFS_ALONE), "cp -r s"),
    Race(
        "disk-fill",
        "Cold sequential read, kept on disk",
        measures.sequential,
        NEAR,
        (CASFS_KEPT, CASFS, RCLONE_KEPT, S3FS_KEPT),
        "MB/s",
        True,
    ),
    Race(
        "disk-readback",
        "Read by a fresh mount, out of what another has kept: from the disk, and with its files in memory",
        measures.read_back,
        NEAR,
        (CASFS_KEPT, RCLONE_KEPT, S3FS_KEPT),
        "MB/s",
        True,
    ),
    Race("listing", "Listing", measures.listing, NEAR, (*WITH_ONE_RCLONE, S3FS, HTTPDIRFS), "ls -l s"),
)


def named(keys: str) -> list[Race]:
    """Give the races of these keys, joined by commas.

    Raises:
        ValueError: there is none of a key.
    """
    by_key = {race.key: race for race in RACES}
    if unknown := [key for key in keys.split(",") if key not in by_key]:
        raise ValueError(f"no race is called {', '.join(unknown)}")
    return [by_key[key] for key in keys.split(",")]


def run(
    rig: Rig, races: Iterable[Race], without: Container[str], results: Results, keep: Callable[[], None]
) -> list[str]:
    """Measure every program of every race, taking turns in each round.

    Args:
        rig: where.
        races: those to run; what *results* had of them is replaced.
        without: programs that are left out.
        results: receives the samples.
        keep: called after each race, so that a run that is broken off keeps what it has.

    Returns:
        What failed; those samples are empty.
    """
    failures = []
    for race in races:
        runners = race.runners(without)
        results[race.key] = {name: [] for name in runners}
        for turn in range(rig.plan.rounds):
            for name in _shuffled(list(runners), turn):
                sample: Sample = {}
                try:
                    sample = runners[name](rig)
                except Exception as failure:  # noqa: BLE001 - one program's failure must not cost the others' figures
                    traceback.print_exc()
                    failures.append(f"{race.key}: {name}: {failure}".splitlines()[0])
                results[race.key][name].append(sample)
                sys.stderr.write(f"{race.key} {turn + 1}/{rig.plan.rounds} {name}: {told(sample)}\n")
        keep()
    return failures


def _shuffled(names: list[str], turn: int) -> list[str]:
    """Let them go in another order in each round, the same in every run, so that none always has the same neighbour."""
    return random.Random(turn).sample(names, len(names))  # noqa: S311 - reproducible, not secret


def told(sample: Mapping[str, float]) -> str:
    """Write a sample on one line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in sample.items())
