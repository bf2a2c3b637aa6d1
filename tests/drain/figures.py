"""Figures of a drain: memory and time of a plan for many archives; speed beside the mount's.

python -m tests.drain.figures plan [ARCHIVES]      7,000,000 takes a quarter of an hour and 8 GB in the temporary folder
python -m tests.drain.figures speed                20 archives of 64 MiB, at 30 ms and 60 MB/s a connection
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import casfs
from casfs.emulator.content import Generated
from casfs.emulator.generated_archives import GeneratedArchives
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from tests.drain.vaults import SECRET, VAULT, serving
from tests.mounting import environment, is_mounted
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


def speed(folder: Path, archives: int = 20, size: int = 64 * MIB) -> tuple[float, float]:
    """Return MB/s of a drain, and of ``cp -r`` out of a mount, of the same archives over the same link."""
    state = state_of("cas")
    state.job_takes_s = 0.0
    state.add_vault(VAULT, inventory_s=state.clock())
    for number in range(archives):
        archive = state.add_archive(VAULT, Generated(size, number), f"a/{number}")
        state.add_job(VAULT, ARCHIVE_RETRIEVAL, part(archive))
    with Server(state, credentials={"id": SECRET}, shaping=Shaping(0.03, 60e6)) as server:
        env = environment(folder, "id", SECRET)
        with casfs.connect(server.url, provider="cas") as account:
            account.wait(VAULT, account.retrieve_inventory(VAULT), poll=0.1)
        run = [sys.executable, "-m", "casfs"]
        place = f"{server.url}/-/{VAULT}"
        out, ledger, mount = folder / "out", folder / "ledger", folder / "mount"
        subprocess.run([*run, "drain", "--dry-run", "--ledger", ledger, place, out], env=env, check=True)
        drained_s = timed([*run, "drain", "--yes", "--poll", "1", "--ledger", ledger, place, out], env)
        shutil.rmtree(out)
        mount.mkdir()
        subprocess.run([*run, "mount", place, mount], env=env, check=True)
        try:
            copied_s = timed(["cp", "-r", *map(str, mount.iterdir()), str(folder / "copy")], env)
        finally:
            if is_mounted(mount):
                subprocess.run(["umount", "-l", mount], check=False)
    return archives * size / drained_s / 1e6, archives * size / copied_s / 1e6


def timed(command: list[object], env: dict[str, str]) -> float:
    """Return how long a command takes, in seconds."""
    with suppress(IndexError):
        Path(str(command[-1])).mkdir(exist_ok=True)
    began_s = time.monotonic()
    subprocess.run(list(map(str, command)), env=env, check=True)
    return time.monotonic() - began_s


def main() -> None:
    """Print what was asked for."""
    what, *more = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        if what == "plan":
            count = int(more[0]) if more else 7_000_000
            _, peak_mib, took_s = plan(count, Path(folder))
            sys.stdout.write(f"{count} archives: {peak_mib:.0f} MiB, {took_s:.0f} s\n")
        else:
            drained, copied = speed(Path(folder))
            sys.stdout.write(f"drain {drained:.0f} MB/s, cp out of the mount {copied:.0f} MB/s\n")


if __name__ == "__main__":
    main()
