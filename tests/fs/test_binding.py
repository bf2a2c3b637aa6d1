"""Which binding is taken, and what a mount that cannot be made says."""

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.errors import ConfigError
from casfs.fs.binding import load_binding

needs_libfuse = pytest.mark.skipif(
    not (ctypes.util.find_library("fuse") and ctypes.util.find_library("fuse3")), reason="libfuse 2 or 3 is missing"
)


def python(code: str, *arguments: object, **environment: str) -> str:
    """Return what *code* prints in a fresh process: a binding is chosen once in a process."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("FUSE_", "CASFS_"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=variables | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.strip()


LOAD = """
import sys
from casfs.errors import MountError
from casfs.fs.binding import load_binding
try:
    print(load_binding(sys.argv[1] or None).name)
except MountError as error:
    print(f"MountError {error}")
"""


@needs_libfuse
@pytest.mark.parametrize(
    ("choice", "name"),
    [
        ("", "mfusepy on libfuse 3."),
        ("3", "mfusepy on libfuse 3."),
        ("mfusepy", "mfusepy on libfuse 3."),
        ("MFUSEPY", "mfusepy on libfuse 3."),
        ("2", "fusepy on libfuse 2."),
        ("fusepy", "fusepy on libfuse 2."),
    ],
)
def test_a_binding_is_chosen_by_its_name_or_that_of_its_library(choice: str, name: str) -> None:
    assert python(LOAD, choice).startswith(name)


def test_an_unknown_choice_names_the_ones_that_are_known() -> None:
    with pytest.raises(ConfigError, match="CASFS_FUSE=4: it is one of 3, mfusepy, 2, fusepy"):
        load_binding("4")


@pytest.mark.parametrize(("choice", "package"), [("", "fuse3"), ("3", "fuse3"), ("2", "libfuse2")])
def test_a_library_that_is_missing_is_named_by_its_package(choice: str, package: str, tmp_path: Path) -> None:
    said = python(LOAD, choice, FUSE_LIBRARY_PATH=str(tmp_path / "libfuse.so"))
    assert said.startswith("MountError ")
    assert f"install the package {package}" in said
    assert "\n" not in said


@needs_libfuse
def test_without_libfuse_3_its_predecessor_is_taken() -> None:
    assert python(LOAD, "", FUSE_LIBRARY_NAME="there-is-none").startswith("fusepy on libfuse 2.")


@needs_libfuse
def test_fusepy_is_not_put_on_a_library_that_it_does_not_know() -> None:
    path = ctypes.util.find_library("fuse3")
    assert python(LOAD, "2", FUSE_LIBRARY_PATH=str(path)).startswith("MountError ")


def test_no_binding_is_imported_before_one_is_needed() -> None:
    code = "import sys, casfs.fs.binding, casfs.fs.session; print({'fuse', 'mfusepy'} & set(sys.modules))"
    assert python(code) == "set()"


SERVE = """
import sys
from casfs.errors import CasfsError
from casfs.fs.attrs import View
from casfs.fs.binding import load_binding
from casfs.fs.operations import Operations
from casfs.fs.options import libfuse_options
from casfs.mount.own_mount import OwnMount
from casfs.stats import Stats
from pathlib import Path

class Broken:
    def start(self): raise CasfsError("the tree cannot start")
    def stop(self): pass

view = View(0, 0, 0o400, 0o700)
binding = load_binding(sys.argv[1])
options = libfuse_options("s", view, allow_other=False, libfuse=binding.libfuse)
try:
    binding.serve(Operations(Broken(), Broken(), Stats(), view), sys.argv[2], options, OwnMount(Path(sys.argv[2])))
except CasfsError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.fuse
@needs_libfuse
@pytest.mark.parametrize("choice", ["2", "3"])
def test_a_mount_whose_stages_do_not_start_is_taken_away_and_says_why(choice: str, tmp_path: Path) -> None:
    assert python(SERVE, choice, tmp_path) == "CasfsError the tree cannot start"
    assert not os.path.ismount(tmp_path)


@pytest.mark.fuse
@needs_libfuse
@pytest.mark.parametrize("choice", ["2", "3"])
def test_a_mountpoint_that_libfuse_refuses_is_a_mount_error(choice: str, tmp_path: Path) -> None:
    assert python(SERVE, choice, tmp_path / "nothing").startswith("MountError libfuse could not mount on ")
