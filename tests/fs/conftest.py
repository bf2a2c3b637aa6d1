"""The scene of stand-ins, mounted with each binding."""

import ctypes.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from casfs.mount.watcher import read_whole_blocks
from tests.fs import scene
from tests.mounting import wait_until

LIBRARIES = {"mfusepy": "fuse3", "fusepy": "fuse"}


@dataclass(frozen=True)
class Scene:
    """A mount of the scene."""

    binding: str
    path: Path
    log: Path

    def output(self, job: str) -> Path:
        """Return the path of a job's output."""
        return self.path / "vault" / job / "output"

    def counts(self) -> dict[str, int]:
        """Return how often each callback was called."""
        counted = json.loads(os.getxattr(self.path, "user.cas.stats"))
        return {name: counted.get(name, 0) for name in (*scene.CALLBACKS, scene.STATES)}


@pytest.fixture(scope="module", params=sorted(LIBRARIES))
def mounted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Mount the scene with one binding; its process must end with 0 when the mount is taken away."""
    if ctypes.util.find_library(LIBRARIES[request.param]) is None:
        pytest.skip(f"lib{LIBRARIES[request.param]} is not installed")
    home = tmp_path_factory.mktemp(request.param)
    mount = Scene(request.param, home / "mount", home / "log")
    mount.path.mkdir()
    environment = os.environ | {"CASFS_FUSE": request.param}
    with mount.log.open("wb") as log:
        process = subprocess.Popen([sys.executable, scene.__file__, mount.path], env=environment, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or os.path.ismount(mount.path), "the scene is mounted")
        read_whole_blocks(mount.path.stat().st_dev)
        yield mount
        subprocess.run(["umount", mount.path], check=True, timeout=120)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
