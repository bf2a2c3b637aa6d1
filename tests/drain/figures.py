"""Figures of a drain: memory and time of a plan for many archives; speed beside the mount's and aria2c's.

python -m tests.drain.figures plan [ARCHIVES]      7,000,000 takes a quarter of an hour and 8 GB in the temporary folder
python -m tests.drain.figures speed [ROUNDS]       20 archives of 64 MiB, at 30 ms and 60 MB/s a connection; 5 rounds
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from casfs.emulator.generated_archives import GeneratedArchives
from tests.drain import race
from tests.drain.vaults import VAULT, serving
from tests.providers import DIALECTS, state_of

MIB = 1 << 20
MEASURED = """
import sys
from casfs.cli.main import main
try:
    main()
finally:
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            sys.stderr.write(line)
"""
"""Not by getrusage, which counts what this process had when it made the other one."""


def plan(archives: int, folder: Path) -> tuple[str, float, float]:
    """Plan a vault of so many archives, all in one inventory of Glacier's.

    Returns:
        What the command printed, its peak of memory in MiB, and how long it took in seconds.
    """
    state = state_of("glacier")
    made = GeneratedArchives(archives, id_length=DIALECTS["glacier"].archive_id_length)
    state.add_vault(VAULT, inventory_s=state.clock(), generated=made)
    state.job_takes_s = 0.0
    with serving(state, "glacier", folder) as vault:
        began = [*vault.command("--dry-run")[3:]]
        listing = [sys.executable, "-m", "casfs", "retrieve", "--provider", "glacier", vault.place, "--inventory"]
        subprocess.run(listing, env=vault.env, check=True, capture_output=True)
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *began], env=vault.env, capture_output=True, text=True, check=False
        )
        took_s = time.monotonic() - began_s
    found = re.search(r"VmHWM:\s*(\d+) kB", done.stderr)
    assert done.returncode == 0, done.stderr
    assert found is not None
    return done.stdout, int(found[1]) / 1024, took_s


def main() -> None:
    """Print what was asked for."""
    what, *more = sys.argv[1:]
    if what == "speed":
        race.run(int(more[0]) if more else race.ROUNDS)
        return
    count = int(more[0]) if more else 7_000_000
    with tempfile.TemporaryDirectory() as folder:
        _, peak_mib, took_s = plan(count, Path(folder))
    sys.stdout.write(f"{count} archives: {peak_mib:.0f} MiB, {took_s:.0f} s\n")


if __name__ == "__main__":
    main()
