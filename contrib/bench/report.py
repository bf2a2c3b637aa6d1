"""The results as docs/benchmarks.md: the block between two marks is written anew, what is around it is for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import medians
import picture
from races import RACES, Race
from results import Results
from targets import TARGETS

BEGIN = "<!-- Written by contrib/bench: what is changed here is lost. -->"
END = "<!-- End of what contrib/bench wrote. -->"
ADVICE = """
`casfs x` is how much faster casfs was: the ratio of the first figure inside each round, and then the median of the
rounds. `CPU s/GB` and `peak MiB` are of the process that serves the mount, or that fetches. `fetched` is what the
service sent by what was needed. MB and GB are powers of ten.
"""


def write(results: Results, machine: str, directory: Path) -> None:
    """Write benchmarks.md and benchmarks.svg into *directory*; of an existing page only the block between the marks."""
    directory.mkdir(parents=True, exist_ok=True)
    page = directory / "benchmarks.md"
    before, after = _around(page.read_text() if page.exists() else "# Benchmarks\n\n")
    page.write_text(f"{before}{BEGIN}\n\n{body(results, machine)}\n{END}{after}")
    (directory / "benchmarks.svg").write_text(picture.bars(results))


def body(results: Results, machine: str) -> str:
    """Give the block: how to repeat it, the targets, the picture, and a table a race."""
    targets = ["| what | target | measured | met |", "|---|---|---|---|", *(each.row(results) for each in TARGETS)]
    tables = "\n".join(_table(race, race.shown(results[race.key])) for race in RACES if race.key in results)
    return "\n".join(
        [
            f"Measured with `python contrib/bench` on: {machine}.\n",
            "## Targets\n",
            *targets,
            "\n![Cold sequential reads](benchmarks.svg)",
            ADVICE,
            tables,
        ]
    )


def _around(page: str) -> tuple[str, str]:
    before, begin, rest = page.partition(BEGIN)
    return (before, rest.partition(END)[2]) if begin else (page.rstrip() + "\n\n", "\n")


def _table(race: Race, by_program: Mapping[str, medians.Samples]) -> str:
    own = race.mounters[0].name
    ours = by_program.get(own, [])
    figures = list(dict.fromkeys(name for samples in by_program.values() for each in samples for name in each))
    figures = [race.headline, *(name for name in figures if name != race.headline)]
    head = f"| | {' | '.join(figures)} | casfs x |\n|---|{'--:|' * (len(figures) + 1)}"
    rows = [
        _row(name, samples, figures, "" if name == own else _number(_faster(race, ours, samples)))
        for name, samples in by_program.items()
    ]
    rounds = max(map(len, by_program.values()), default=0)
    return "\n".join([f"### {race.title}: {race.shape.words} (rounds: {rounds})\n", head, *rows, ""])


def _faster(race: Race, ours: medians.Samples, theirs: medians.Samples) -> float | None:
    pair = (ours, theirs) if race.larger_is_better else (theirs, ours)
    return medians.ratio(*pair, race.headline)


def _row(name: str, samples: medians.Samples, figures: Sequence[str], faster: str) -> str:
    values = [_number(medians.of(samples, figure)) for figure in figures]
    return f"| {name} | {' | '.join(values)} | {faster} |"


def _number(value: float | None) -> str:
    """Write three digits, and a dash for what there is not."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
