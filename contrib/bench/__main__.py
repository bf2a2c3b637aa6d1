"""Measure casfs beside what one would run instead, and write docs/benchmarks.md.

    python contrib/bench                     everything: half an hour, on a machine that does nothing else
    python contrib/bench --only random,six   these races anew, the others as they were
    python contrib/bench --short             half a minute, to see that it works; docs stay as they are
    python contrib/bench --beside ../before  with the casfs of another checkout in the same rounds; docs stay so too

Measures the casfs that Python finds (`PYTHONPATH=.` for the checkout, once `pip install --no-deps -e .` has
compiled its library), and of rclone, s3fs, httpdirfs and aria2c those that are installed. Beside this,
requirements.txt brings the rclone of today.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import machine
import races
import report
import results
import subjects
from checking import check
from plan import FULL, MIB, SHORT, TAIL, Plan
from rig import Rig
from service import serving

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the races that were asked for; status 1 if a program failed or read a wrong byte."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that mounts are undone
    name = "bench-short" if options.short else "bench-beside" if options.beside else "bench"
    build: Path = options.out or ROOT / "build" / name
    kept = build / "results.json"
    found = results.load(kept)
    plan = _plan(options)
    with serving(plan) as service:
        rig = Rig(service, plan)
        wrong = check(rig, options.without)
        without = options.without | wrong.keys()
        failures = [f"check: {name}: {said}" for name, said in wrong.items()]
        failures += races.run(rig, _joined(options), without, found, partial(results.save, found, kept))
    is_for_docs = not (options.short or options.out or options.beside)
    report.write(found, machine.described(), ROOT / "docs" if is_for_docs else build)
    sys.stderr.write("".join(f"FAILED {failure}\n" for failure in failures))
    return 1 if failures else 0


def _joined(options: argparse.Namespace) -> list[races.Race]:
    """Give the races with the other checkouts in them."""
    return [replace(race, mounters=(*race.mounters, *_others(race, options.beside))) for race in options.only]


def _others(race: races.Race, checkouts: Sequence[Path]) -> list[subjects.Mounter]:
    return [subjects.beside(race.mounters[0], checkout) for checkout in checkouts]


def _plan(options: argparse.Namespace) -> Plan:
    plan = SHORT if options.short else FULL
    size = options.mib * MIB + TAIL if options.mib else plan.big_bytes
    small = options.outputs or plan.small_outputs
    return replace(plan, rounds=options.rounds or plan.rounds, big_bytes=size, small_outputs=small)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split(","))


def _options() -> argparse.Namespace:
    keys = ", ".join(race.key for race in races.RACES)
    parser = argparse.ArgumentParser(prog="python contrib/bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="small outputs and one round, to see that it works")
    parser.add_argument("--only", type=races.named, default=races.RACES, help=f"some of {keys}, joined by commas")
    parser.add_argument("--without", type=_names, default=frozenset(), help="programs to leave out, joined by commas")
    parser.add_argument("--beside", type=Path, action="append", default=[], help="another checkout to race with")
    parser.add_argument("--rounds", type=int, help="how often each program is measured")
    parser.add_argument("--mib", type=int, help="size of the big output")
    parser.add_argument("--outputs", type=int, help="how many small outputs")
    parser.add_argument("--out", type=Path, help="directory for the page and the samples, instead of docs and build")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
