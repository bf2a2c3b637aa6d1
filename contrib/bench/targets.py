"""What casfs must show, each with the figure that shows it."""

from collections.abc import Callable
from dataclasses import dataclass

import medians
from races import named
from results import Results

Figure = Callable[[Results], float | None]


@dataclass(frozen=True)
class Target:
    """One figure and its bound.

    Attributes:
        what: what is measured, for a reader.
        bound: the value it is held to.
        at_least: the bound is the least; else the most.
        unit: follows the numbers.
        figure: takes it out of the results; None if they have it not.
    """

    what: str
    bound: float
    at_least: bool
    unit: str
    figure: Figure

    def row(self, results: Results) -> str:
        """Give the target, what was measured and whether it was met, as a row of a table."""
        measured = self.figure(results)
        limit = f"{'≥' if self.at_least else '≤'} {self.bound:g}{self.unit}"
        if measured is None:
            return f"| {self.what} | {limit} | not measured | |"
        met = measured >= self.bound if self.at_least else measured <= self.bound
        return f"| {self.what} | {limit} | {measured:.3g}{self.unit} | {'yes' if met else '**no**'} |"


def _against(race: str, peer: str, figure: str) -> Figure:
    def ratio(results: Results) -> float | None:
        samples = results.get(race, {})
        return medians.ratio(samples.get("casfs", []), samples.get(peer, []), figure)

    return ratio


def _against_rclone(race: str, figure: str) -> Figure:
    """Take the version and the settings that are quickest in this race."""

    def ratio(results: Results) -> float | None:
        samples = results.get(race, {})
        best = named(race)[0].best(samples, [name for name in samples if name.startswith("rclone")])
        return medians.ratio(samples.get("casfs", []), samples[best], figure) if best else None

    return ratio


def _by_mount(program: str, figure: str) -> Figure:
    def ratio(results: Results) -> float | None:
        samples = results.get("python-near", {})
        return medians.ratio(samples.get(program, []), samples.get("casfs", []), figure)

    return ratio


def _peak(program: str) -> Figure:
    return lambda results: medians.of(results.get("python-near", {}).get(program, []), "peak MiB")


def _kept(race: str, figure: str) -> Figure:
    return lambda results: medians.of(results.get(race, {}).get(KEPT, []), figure)


def _fill(results: Results) -> float | None:
    samples = results.get("disk-fill", {})
    return medians.ratio(samples.get(KEPT, []), samples.get("casfs", []), "MB/s")


def _own(race: str, figure: str) -> Figure:
    return lambda results: medians.of(results.get(race, {}).get("casfs", []), figure)


BACK = "read back, verified, files in memory"
KEPT, ALONE = "casfs with a cache", "casfs without read-ahead"
FAST, TLS, NEAR, FAR = "sequential-unshaped", "sequential-tls", "sequential-near", "sequential-far"
LINKS = {FAST: "unshaped", TLS: "unshaped, TLS", NEAR: "30 ms, 60 MB/s", FAR: "100 ms, 10 MB/s"}


def _speed(race: str, peer: str, bound: float) -> Target:
    figure = _against_rclone(race, "MB/s") if peer == "rclone" else _against(race, peer, "MB/s")
    than = "the quickest rclone" if peer == "rclone" else peer
    return Target(f"cold, {LINKS[race]}: speed against {than}", bound, True, " x", figure)


def _processor_time(race: str) -> Target:
    what = f"cold, {LINKS[race]}: processor time against the quickest rclone"
    return Target(what, 1.0, False, " x", _against_rclone(race, "CPU s/GB"))


TARGETS = (
    _speed(FAST, "rclone", 1.3),
    _speed(NEAR, "rclone", 1.3),
    _speed(NEAR, "aria2c", 1.0),
    _speed(NEAR, "bare loop", 0.9),
    _speed(NEAR, "bare mount", 1.0),
    _speed(FAR, "rclone", 1.15),
    _speed(FAR, "aria2c", 1.2),
    _speed(TLS, "rclone", 1.3),
    _speed(TLS, "aria2c", 1.2),
    *map(_processor_time, LINKS),
    Target("second read, out of the page cache", 3000, True, " MB/s", _own(FAST, "again MB/s")),
    Target("random 4 KiB at 30 ms, 60 MB/s: median", 75, False, " ms", _own("random", "median ms")),
    Target("random 4 KiB: bytes fetched by what was needed", 1.35, False, " x", _own("random", "fetched / needed")),
    Target("first 4 KiB of a cold file at 30 ms, open included", 250, False, " ms", _own("first", "ms")),
    Target("six readers of one cold output: downloads", 1.01, False, "", _own("six", "fetched")),
    Target("six readers: most requests in flight", 64, False, "", _own("six", "most in flight")),
    Target("eight readers, 64M: peak resident over idle", 128, False, " MiB", _own("eight", "over idle MiB")),
    Target("many outputs: time of `cp -r` against one by one", 0.25, False, " x", _against("copies", ALONE, "cp -r s")),
    Target("cold, 30 ms, 60 MB/s: the library against the mount", 0.9, True, " x", _by_mount("library", "MB/s")),
    Target("cold, 30 ms, 60 MB/s: fsspec against the mount", 0.9, True, " x", _by_mount("fsspec", "MB/s")),
    Target("the library, `--block-cache-size` at 256M: peak resident", 512, False, " MiB", _peak("library")),
    Target("cold, 30 ms, 60 MB/s, kept on disk: speed against not kept", 0.85, True, " x", _fill),
    Target(f"{BACK}: the library", 1500, True, " MB/s", _kept("disk-readback", "library MB/s, in memory")),
    Target(f"{BACK}: the mount", 1500, True, " MB/s", _kept("disk-readback", "MB/s, in memory")),
    Target("fsspec, likewise", 512, False, " MiB", _peak("fsspec")),
)
