"""The streams of a command: full, closed, or read by nobody any more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drain.vaults import serving, vault_of
from tests.mounting import COMMAND_LIMIT_S, environment

PLAIN = ("--help", "drain --help", "treehash {file}", "treehash --json {file}", "config show")


def run(arguments: str, home: Path, redirection: str, file: Path) -> tuple[int, str]:
    """Run a command by a shell; return its status and what it said on standard error."""
    command = f"{sys.executable} -m casfs {arguments.format(file=file)} {redirection}"
    env = {name: value for name, value in environment(home, "id", "key").items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        ["bash", "-c", command], env=env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
    )
    return done.returncode, done.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    return path


@pytest.mark.parametrize("arguments", PLAIN)
def test_results_that_do_not_fit_are_one_line_and_a_failure(arguments: str, tmp_path: Path, file: Path) -> None:
    status, said = run(arguments, tmp_path, "> /dev/full", file)
    assert (status, said) == (1, "casfs: standard output: No space left on device\n")


@pytest.mark.parametrize("arguments", PLAIN)
def test_results_for_nobody_are_a_failure(arguments: str, tmp_path: Path, file: Path) -> None:
    status, said = run(arguments, tmp_path, ">&-", file)
    assert (status, said) == (1, "casfs: standard output: Bad file descriptor\n")


def test_reader_that_has_enough_is_no_error_to_speak_of(tmp_path: Path, file: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    gone = f"> >(exec 0<&-; : > {fifo}) 3< {fifo}"  # the command begins once the reader has closed its end
    status, said = run("treehash {file}", tmp_path, gone, file)
    assert (status, said) == (1, "")


def test_standard_input_that_is_closed_is_a_line(tmp_path: Path, file: Path) -> None:
    assert run("treehash", tmp_path, "<&-", file) == (1, "casfs: -: Bad file descriptor\n")


def test_closed_standard_error_hinders_nothing(tmp_path: Path) -> None:
    state = vault_of("cas", ["one"])
    with serving(state, "cas", tmp_path) as vault:
        command = [*vault.command(), "2>&-", "<&-"]
        done = subprocess.run(
            ["bash", "-c", " ".join(command)], env=vault.env, capture_output=True, timeout=COMMAND_LIMIT_S, check=False
        )
        assert done.returncode == 0, done.stdout
        vault.check()


def test_drain_whose_results_nobody_takes_leaves_a_true_manifest(tmp_path: Path) -> None:
    state = vault_of("cas", ["one"])
    with serving(state, "cas", tmp_path) as vault:
        assert vault.drain().returncode == 0
        command = " ".join(vault.command("--json"))
        done = subprocess.run(
            ["bash", "-c", f"{command} > /dev/full"], env=vault.env, capture_output=True, text=True,
            timeout=COMMAND_LIMIT_S, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (1, "casfs: standard output: No space left on device\n")
        vault.check()
