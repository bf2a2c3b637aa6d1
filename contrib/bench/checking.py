"""Whether every program reads the right bytes: what reads wrong ones has no speed."""

import hashlib
import subprocess
from collections.abc import Callable, Container
from functools import partial

import plan
import reading
from casfs.emulator.content import read
from plan import SHAPES, Item
from rig import Rig, scratch
from service import environment
from subjects import (
    ARIA2C,
    BARE_MOUNT,
    CASFS,
    FSSPEC,
    HTTPDIRFS,
    LIBRARY,
    PYTHON_S3FS,
    RCLONE,
    RCLONES_OF_TODAY,
    S3FS,
    Fetcher,
    Mounter,
)


def check(rig: Rig, without: Container[str]) -> dict[str, str]:
    """Read one output through each program that is installed and not left out.

    Returns:
        The programs that failed or read wrong bytes, and what they said or the hash of what they read.
    """
    item = plan.shared(rig.plan)
    right = hashlib.sha256(read(plan.content(item))).hexdigest()
    mounters = (CASFS, RCLONE, *RCLONES_OF_TODAY, S3FS, HTTPDIRFS, BARE_MOUNT)
    readers: dict[str, Callable[[], str]] = {
        each.name: partial(_mounted, rig, each, item) for each in mounters if each.is_wanted(without)
    }
    if ARIA2C.is_wanted(without):
        readers[ARIA2C.name] = partial(_fetched, rig, ARIA2C, item)
    for each in (LIBRARY, FSSPEC, PYTHON_S3FS):
        if each.is_wanted(without):
            readers[each.name] = partial(_hashed, rig, each, item)
    return {name: said for name, reader in readers.items() if (said := _said(reader)) != right}


def _said(reader: Callable[[], str]) -> str:
    try:
        return reader()
    except (OSError, RuntimeError, subprocess.SubprocessError) as failure:
        return str(failure)


def _mounted(rig: Rig, mounter: Mounter, item: Item) -> str:
    with rig.mounted(mounter, SHAPES["unshaped"], item.vault) as mount:
        return reading.digest(mounter.output(mount, item))


def _hashed(rig: Rig, fetcher: Fetcher, item: Item) -> str:
    faces = rig.service.faces(SHAPES["unshaped"])
    with scratch() as place:
        command = [*fetcher.command(faces, f"{item.vault}/{item.job}", place), "digest"]
        return subprocess.run(command, check=True, env=environment(), stdout=subprocess.PIPE, text=True).stdout


def _fetched(rig: Rig, fetcher: Fetcher, item: Item) -> str:
    faces = rig.service.faces(SHAPES["unshaped"])
    with scratch() as place:
        subprocess.run(fetcher.command(faces, f"{item.vault}/{item.job}", place), check=True, env=environment())
        return reading.digest(place / "fetched")
