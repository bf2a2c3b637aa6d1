"""What the command line says of itself, and of one that cannot be read."""

from pathlib import Path

import pytest

from tests.mounting import casfs, environment


def test_help_of_every_command_is_there(tmp_path: Path) -> None:
    for command in ("mount", "demo", "emulate"):
        assert command in casfs("--help", env=environment(tmp_path)).stdout
        assert casfs(command, "--help", env=environment(tmp_path)).returncode == 0


def test_help_of_mount_shows_the_forms_of_source_and_nothing_that_cannot_be_had(tmp_path: Path) -> None:
    shown = casfs("mount", "--help", env=environment(tmp_path)).stdout
    assert "\n  REGION:[VAULT]    a region like ap-chengdu\n" in "\n".join(line[2:] for line in shown.splitlines())
    assert "--list-ttl SECONDS" in shown
    assert "--metrics" not in shown


def test_version_is_one_line(tmp_path: Path) -> None:
    done = casfs("--version", env=environment(tmp_path))
    assert (done.returncode, done.stdout.startswith("casfs "), done.stdout.count("\n")) == (0, True, 1)


def test_no_command_at_all_shows_the_help(tmp_path: Path) -> None:
    done = casfs(env=environment(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "\nCommands:\n" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["doctor"], ["--nonsense"], ["mount", "--connections"], ["emulate", "--port", "65536"]], ids=" ".join
)
def test_command_line_that_cannot_be_read_is_one_line_and_status_2(arguments: list[str], tmp_path: Path) -> None:
    done = casfs(*arguments, env=environment(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("casfs: ")


def test_what_cannot_be_read_says_where_the_help_is(tmp_path: Path) -> None:
    done = casfs("mount", "--nonsense", "a:", "b", env=environment(tmp_path))
    assert done.stderr == "casfs: No such option '--nonsense'; see casfs mount --help\n"
