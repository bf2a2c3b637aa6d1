"""The scripts that set casfs up: what they install where, and what they say where they cannot."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.checkout import ROOT


def test_ci_runs_the_command_that_the_readme_gives() -> None:
    assert "sh contrib/test.sh" in (ROOT / ".ci" / "run").read_text()
    assert "sh contrib/test.sh" in (ROOT / "README.md").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


class Machine:
    """A PATH on which only some programs are, and an os-release of another system."""

    def __init__(self, directory: Path, *programs: str) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.release = directory / "os-release"
        for program in ("sh", "cat", "cksum", "grep", "tr", *programs):
            found = shutil.which(program)
            assert found is not None
            (self.bin / program).symlink_to(found)
        self.put("ldconfig", "true")
        self.put("sudo", '"$@"')
        self.put("id", "echo 1000")

    def put(self, program: str, script: str) -> None:
        """Add a program."""
        (self.bin / program).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / program).chmod(0o755)

    def set_up(self, *groups: str) -> subprocess.CompletedProcess[str]:
        """Source setup.sh and run it as far as the system's packages."""
        script = f"fetch_tools() {{ die 'reached pip'; }}; set_up {' '.join(groups)}"
        return subprocess.run(
            ["/bin/sh", "-euc", f". {ROOT}/contrib/setup.sh; {script}", "test.sh"],
            env={"PATH": str(self.bin), "OS_RELEASE": str(self.release)},
            cwd=self.bin.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.mark.parametrize(
    ("system", "packages"),
    [
        ("debian 12", "python3 python3-venv libfuse2 libfuse3-3 fuse3 attr rsync gcc libc6-dev"),
        ("debian 13", "python3 python3-venv libfuse2t64 libfuse3-4 fuse3 attr rsync gcc libc6-dev"),
        ("ubuntu 22.04", "python3.11 python3.11-venv libfuse2 libfuse3-3 fuse3 attr rsync gcc libc6-dev"),
        ("ubuntu 24.04", "python3 python3-venv libfuse2t64 libfuse3-3 fuse3 attr rsync gcc libc6-dev"),
    ],
)
def test_packages_have_the_names_of_the_system(tmp_path: Path, system: str, packages: str) -> None:
    machine = Machine(tmp_path, "env")
    name, version = system.split()
    machine.release.write_text(f'ID={name}\nVERSION_ID="{version}"\n')
    machine.put("apt-get", 'echo "$@" >> apt.log')
    machine.set_up()
    assert (tmp_path / "apt.log").read_text().splitlines() == [
        "update -qq",
        f"install -qq -y --no-install-recommends {packages}",
    ]


@pytest.mark.parametrize(
    ("user", "groups", "more"),
    [(0, ["lint", "test"], " iproute2 nftables"), (0, ["lint"], ""), (0, [], ""), (1000, ["test"], "")],
)
def test_what_makes_a_network_is_for_roots_tests_alone(tmp_path: Path, user: int, groups: list[str], more: str) -> None:
    machine = Machine(tmp_path)
    machine.release.write_text('ID=debian\nVERSION_ID="12"\n')
    machine.put("id", f"echo {user}")
    (machine.bin / "sudo").unlink()
    assert machine.set_up(*groups).stderr.endswith(f" gcc libc6-dev{more}\n")


def test_packages_are_named_in_one_line_where_they_cannot_be_installed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.release.write_text('ID=debian\nVERSION_ID="12"\n')
    (machine.bin / "sudo").unlink()
    done = machine.set_up()
    assert done.returncode != 0
    wanted = "python3 python3-venv libfuse2 libfuse3-3 fuse3 attr rsync gcc libc6-dev"
    assert done.stderr == f"test.sh: install these first, then run this again: {wanted}\n"


def test_unknown_system_is_told_what_is_needed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.release.write_text("ID=plan9\n")
    machine.put("apt-get", 'echo "$@" >> apt.log')
    done = machine.set_up()
    assert (done.returncode != 0, done.stderr.count("\n")) == (True, 1)
    assert "Python 3.11 or newer" in done.stderr
    assert not (tmp_path / "apt.log").exists()


def test_nothing_is_installed_where_nothing_is_missing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.release.write_text('ID=debian\nVERSION_ID="12"\n')
    for program in ("fusermount3", "getfattr", "rsync", "cc"):
        machine.put(program, "true")
    machine.put("python3", "true")
    machine.put("ldconfig", "echo libfuse.so.2; echo libfuse3.so.3")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "pip").touch(mode=0o755)
    assert machine.set_up().stderr == "test.sh: reached pip\n"
