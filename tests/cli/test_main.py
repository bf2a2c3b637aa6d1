"""What the command line says of itself, and of one that cannot be read."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from casfs.cli.commands import COMMANDS, Commands
from tests.mounting import COMMAND_LIMIT_S, casfs, environment
from tests.test_layering import PACKAGE, TABLE


def test_help_of_every_command_is_there(tmp_path: Path) -> None:
    shown = casfs("--help", env=environment(tmp_path)).stdout
    for command in COMMANDS:
        assert command in shown
        assert casfs(command, "--help", env=environment(tmp_path)).returncode == 0


def test_help_of_mount_shows_the_forms_of_source_and_of_values(tmp_path: Path) -> None:
    shown = casfs("mount", "--help", env=environment(tmp_path)).stdout
    assert "\n  REGION:[VAULT]    a region like ap-chengdu\n" in "\n".join(line[2:] for line in shown.splitlines())
    assert "--list-ttl SECONDS" in shown
    assert "--metrics HOST:PORT" in shown
    assert "--cache-dir DIR" in shown
    assert "--log-file FILE" in shown


def test_version_is_one_line(tmp_path: Path) -> None:
    done = casfs("--version", env=environment(tmp_path))
    assert (done.returncode, done.stdout.startswith("casfs "), done.stdout.count("\n")) == (0, True, 1)


def test_no_command_at_all_shows_the_help(tmp_path: Path) -> None:
    done = casfs(env=environment(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "\nCommands:\n" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["surgeon"], ["--nonsense"], ["mount", "--connections"], ["emulate", "--port", "65536"]], ids=" ".join
)
def test_command_line_that_cannot_be_read_is_one_line_and_status_2(arguments: list[str], tmp_path: Path) -> None:
    done = casfs(*arguments, env=environment(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("casfs: ")


def test_what_cannot_be_read_says_where_the_help_is(tmp_path: Path) -> None:
    done = casfs("mount", "--nonsense", "a:", "b", env=environment(tmp_path))
    assert done.stderr == "casfs: No such option '--nonsense'; see casfs mount --help\n"


IMPORTED = """
import runpy, sys
try:
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=False)
finally:
    print("\\nimported", *sys.modules)
"""


def imported(tmp_path: Path, module: str, *arguments: str) -> set[str]:
    """Return what a process has imported by the end of a command."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, module, *arguments],
        env=environment(tmp_path), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return set(done.stdout.rpartition("\nimported")[2].split())


def of(modules: set[str], *packages: str) -> set[str]:
    return {module for module in modules if module.startswith(packages)}


BINDINGS = ("fuse", "mfusepy")


def test_mounting_imports_nothing_of_the_emulator(tmp_path: Path) -> None:
    words = ("http://127.0.0.1:9", str(tmp_path / "missing"))
    for command in (("casfs", "mount", *words), ("casfs", *words)):
        modules = imported(tmp_path, *command)
        assert "casfs.mount.serve" in modules
        assert of(modules, "casfs.emulator") == set()


def test_emulating_imports_neither_the_bindings_of_fuse_nor_the_mount(tmp_path: Path) -> None:
    modules = imported(tmp_path, "casfs", "emulate", "--host", "256.256.256.256")
    assert "casfs.emulator.server" in modules
    assert of(modules, *BINDINGS, "casfs.fs", "casfs.tree", "casfs.data", "requests", "botocore") == set()
    table = ("casfs.api.operations", "casfs.api.providers")
    assert of(modules, "casfs.api.") - of(modules, *table) == set(), "of api the table of providers alone"


def test_help_imports_no_command(tmp_path: Path) -> None:
    modules = imported(tmp_path, "casfs", "--help")
    assert "casfs.cli.main" in modules
    assert of(modules, *BINDINGS, *(f"casfs.{part}" for part in TABLE.keys() - {"cli"}), "requests") == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_tells_of_a_command_what_the_command_tells_itself(name: str) -> None:
    command = Commands().get_command(click.Context(Commands()), name)
    assert command is not None
    assert (command.help or "").partition("\n")[0] == COMMANDS[name]


def test_every_module_of_a_command_is_one() -> None:
    made = re.compile(r"^@click\.(command|group)\(", re.MULTILINE)
    found = {path.stem for path in (PACKAGE / "cli").glob("*.py") if made.search(path.read_text())}
    assert found == {*COMMANDS, "mount_helper", "main"}


WITHOUT = """
import os, sys, threading
from casfs.cli.entry import main

def fork():
    raise BlockingIOError(11, os.strerror(11))

os.fork = fork
threading.stack_size(1 << 46)  # which no system has
sys.argv[0] = "casfs"
main()
"""
"""A casfs to whom the system gives neither a process nor a thread, as at the bounds of ulimit -u."""


def _said_without(without: str, arguments: list[str], home: Path) -> tuple[int, str]:
    """Return the status of casfs, and the last line of what it says on standard error."""
    command, env = [sys.executable, "-c", without, *arguments], environment(home)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", ["umount", "top", "cache ls --cache-dir", "warm", "mount http://127.0.0.1:1"])
def test_command_that_gets_no_process_says_so_in_a_line(command: str, path: Path, tmp_path: Path) -> None:
    said = _said_without(WITHOUT, [*command.split(), str(path)], tmp_path)
    assert said == (1, "casfs: the system gives no more processes: see ulimit -u")


def test_command_that_gets_no_thread_says_so_in_a_line(tmp_path: Path) -> None:
    said = _said_without(WITHOUT.replace("os.fork = fork\n", ""), ["warm", str(tmp_path)], tmp_path)
    assert said == (1, "casfs: the system gives no more threads: see ulimit -u and ulimit -v")
