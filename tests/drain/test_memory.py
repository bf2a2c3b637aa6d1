"""A plan takes little memory, however many archives there are."""

from pathlib import Path

from tests.drain.figures import plan

LARGEST_MIB = 100
"""What seven million archives are to be planned in; the interpreter and its libraries are half of it."""


def test_a_plan_for_very_many_archives_takes_little_memory(tmp_path: Path) -> None:
    told, peak_mib, _ = plan(300_000, tmp_path)
    assert "to retrieve: 300000 archives" in told
    assert peak_mib < LARGEST_MIB
