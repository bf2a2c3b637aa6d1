"""The line that systemctl shows."""

import pytest

from casfs.operate.status import Names, status_line

MINUTE_NS = 60 * 10**9
NOW_NS = 1_700_000_000 * 10**9


@pytest.mark.parametrize(
    ("names", "opened", "figures", "line"),
    [
        (Names(0, None), 0, (0, 0, 0), "0 vaults, 0 outputs open, nothing read yet, 0 in flight, no expiry known"),
        (
            Names(1, NOW_NS + 61 * MINUTE_NS + 1),
            1,
            (97, 2, 4),
            "1 vault, 1 output open, 97 % of blocks from memory, 4 in flight, next expiry in 1 h 01 min",
        ),
        (
            Names(12, NOW_NS - 5),
            3,
            (0, 2, 0),
            "12 vaults, 3 outputs open, 0 % of blocks from memory, 0 in flight, next expiry in 0 h 00 min",
        ),
    ],
)
def test_line(names: Names, opened: int, figures: tuple[int, int, int], line: str) -> None:
    told = dict(zip(("cache_hits", "cache_misses", "in_flight"), figures, strict=True))
    assert status_line(names, opened, told, NOW_NS) == line
