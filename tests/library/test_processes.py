"""Accounts in other processes: children of fork, pools, and one without any FUSE binding."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.server import Server
from tests.checkout import document
from tests.library.conftest import DATA

FORK = """
import os, sys, threading, time
import casfs

account = casfs.connect(sys.argv[1], block_cache_size="2M", read_ahead="1M")
shared = account.open("backups", "job-7")
expected = account.open("backups", "job").read()
over = threading.Event()

def busy(name):
    while not over.is_set():
        with account.open("backups", name) as file:
            file.read()
        shared.seek(0)
        shared.read(100_000)
        list(account.jobs("backups"))

def child():
    with account.open("backups", "job") as file:
        is_right = file.read() == expected
    shared.seek(0)
    is_right = is_right and shared.read() == expected[7:]
    account.close()
    return is_right

threads = [threading.Thread(target=busy, args=(f"job-{number}",)) for number in range(8)]
for thread in threads:
    thread.start()
for _ in range(12):
    made = os.fork()
    if not made:
        try:
            os._exit(not child())
        finally:
            os._exit(2)
    ends = time.monotonic() + 60
    while True:
        found, status = os.waitpid(made, os.WNOHANG)
        if found:
            break
        if time.monotonic() > ends:
            os.kill(made, 9)
            os.waitpid(made, 0)
            status = "hangs"
            break
        time.sleep(0.01)
    print(status)
over.set()
for thread in threads:
    thread.join()
account.close()
"""

POOL = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import casfs

def digest(account, name):
    with account.open("backups", name) as file:
        return len(file.read()), file.verification

if __name__ == "__main__":
    with casfs.connect(sys.argv[1]) as account:
        account.open("backups", "job").read()
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(sys.argv[2])) as pool:
            for each in pool.map(digest, [account] * 8, [f"job-{number}" for number in range(8)]):
                print(*each)
"""

FORGETFUL = """
import atexit, sys, threading

def last():
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("casfs-")]
    print(names, file.closed)

atexit.register(last)  # before casfs has its own: then it is called after that
import casfs
file = casfs.connect(sys.argv[1]).open("backups", "job")
print(len(file.read(1000)))
"""

ALONE = """
import sys
import casfs.errors
print(sorted(name for name in sys.modules if name.startswith("casfs")))
import casfs
casfs.NotFoundError
print([name for name in ("requests", "casfs.library") if name in sys.modules])
casfs.connect
print([name for name in sys.modules if name.startswith(("casfs.fs", "casfs.mount", "casfs.cli", "casfs.emulator"))])
print(all(hasattr(casfs, name) for name in casfs.__all__), hasattr(casfs, "no_such_name"), "connect" in dir(casfs))
"""


def run(script: str, *arguments: str, env: dict[str, str], directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, in which no FUSE binding can be imported."""
    (directory / "blocked").mkdir(exist_ok=True)
    for name in ("fuse", "mfusepy"):
        (directory / "blocked" / f"{name}.py").write_text("raise ImportError('there is no FUSE here')\n")
    (directory / "program.py").write_text(script)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(directory / "program.py"), *arguments]
    env = {**env, "PYTHONPATH": str(directory / "blocked")}
    env.pop("PYTHONSAFEPATH", None)
    return subprocess.run(command, env=env, check=False, capture_output=True, text=True, timeout=240)


def test_a_child_of_fork_begins_anew_whatever_the_other_threads_were_at(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    done = run(FORK, server.url, env=env, directory=tmp_path)
    assert (done.stdout.split(), done.stderr) == (["0"] * 12, "")


def test_what_a_program_leaves_open_is_closed_before_its_threads_are_stopped_anywhere(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    done = run(FORGETFUL, server.url, env=env, directory=tmp_path)
    assert (done.stdout.splitlines(), done.stderr) == (["1000", "[] True"], "")


@pytest.mark.parametrize("way", ["fork", "spawn", "forkserver"])
def test_a_pool_of_processes_reads_through_copies(
    server: Server, env: dict[str, str], tmp_path: Path, way: str
) -> None:
    done = run(POOL, server.url, way, env=env, directory=tmp_path)
    expected = [f"{4 * 2**20 + 77 - number} whole" for number in range(8)]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")


def test_what_is_imported_loads_nothing_else(env: dict[str, str], tmp_path: Path) -> None:
    done = run(ALONE, env=env, directory=tmp_path)
    expected = ["['casfs', 'casfs.errors']", "[]", "[]", "True False True"]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")


def test_the_programs_of_the_document_run_as_they_are_written(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    programs = re.findall(r"```python\n(.*?)```", document("docs/library.md"), re.DOTALL)
    assert programs
    settings = tmp_path / ".config" / "casfs"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text(f'[ap-chengdu]\nendpoint = "{server.url}"\n')
    archive = server.state.add_archive("backups", InMemory(DATA))
    names = {"ARCHIVE": archive.id, "JOB": "job", "TAR_JOB": "tar", "INVENTORY_JOB": "inventory", "TEXT_JOB": "text"}
    before = "".join(f"{name} = {job!r}\n" for name, job in names.items())
    done = run(before + "\n".join(programs) + "\nprint(names, archives, lines)\n", env=env, directory=tmp_path)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == r"['a', 'b'] [] ['one\n', 'two\n']"
