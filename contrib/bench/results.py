"""The samples of a run, and the file that keeps them, so that a page can be written from several runs."""

import json
from collections.abc import Mapping
from pathlib import Path

Sample = Mapping[str, float]
"""Figures by name; empty where the program failed, so that rounds stay paired."""
Results = dict[str, dict[str, list[Sample]]]
"""The samples, one a round, by race and program."""


def load(path: Path) -> Results:
    """Read what an earlier run kept, nothing if there was none."""
    if not path.exists():
        return {}
    kept: Results = json.loads(path.read_text())
    return kept


def save(results: Results, path: Path) -> None:
    """Keep results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
