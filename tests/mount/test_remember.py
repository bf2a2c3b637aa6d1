"""Through the kernel: handles of files that it has forgotten, as an NFS server has them."""

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from tests.fs.conftest import LIBRARIES
from tests.mounting import Mounting, wait_until

pytestmark = pytest.mark.fuse

HANDLE_BYTES = 128
"""Source: Linux, MAX_HANDLE_SZ in include/linux/exportfs.h."""
AT_FDCWD = -100
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT = 1, 2, 4, 32
"""Source: mount(2), linux/mount.h."""
LIBC = ctypes.CDLL(None, use_errno=True)
LETTER = "ledger/0lRf6v3hFXVFEZfUCtWQcTGXzOkWCJYnzOAPOuP8N-KVxwrXkiwpgFNrFTmRRTRF/output"


class Handle(ctypes.Structure):
    """A file of a file system, whatever its name. Source: open_by_handle_at(2)."""

    _fields_ = (
        ("handle_bytes", ctypes.c_uint),
        ("handle_type", ctypes.c_int),
        ("f_handle", ctypes.c_ubyte * HANDLE_BYTES),
    )


def handle_of(path: Path) -> Handle:
    handle = Handle(handle_bytes=HANDLE_BYTES)
    if LIBC.name_to_handle_at(AT_FDCWD, os.fsencode(path), ctypes.byref(handle), ctypes.byref(ctypes.c_int()), 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    return handle


@contextmanager
def opened(mount: Path, handle: Handle) -> Iterator[int]:
    at = os.open(mount, os.O_RDONLY)
    try:
        fd = LIBC.open_by_handle_at(at, ctypes.byref(handle), os.O_RDONLY)
        if fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(at)
    try:
        yield fd
    finally:
        os.close(fd)


def is_stale(mount: Path, handle: Handle) -> bool:
    """Have the kernel forget every name of the mount that nobody uses, and return whether it can still open *handle*.

    A remount does so, for this mount alone: /proc/sys/vm/drop_caches does it for those of other tests, too.
    """
    flags = MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV
    if LIBC.mount(b"casfs", os.fsencode(mount), None, flags, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(mount))
    try:
        with opened(mount, handle):
            return False
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
        return True


@pytest.fixture(params=sorted(LIBRARIES))
def mounted(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, mounting: Mounting, server: Server
) -> Callable[..., object]:
    if ctypes.util.find_library(LIBRARIES[request.param]) is None:
        pytest.skip(f"lib{LIBRARIES[request.param]} is not installed")
    if os.geteuid():
        pytest.skip("only root has the kernel forget")
    monkeypatch.setenv("CASFS_FUSE", request.param)
    return lambda *options: mounting(server, *options)


def test_a_handle_is_stale_once_the_kernel_has_forgotten_the_name(mounted: Mounting) -> None:
    with mounted() as root:
        handle = handle_of(root / LETTER)
        with opened(root, handle) as fd:
            assert os.read(fd, 4) == b"Line"
        wait_until(lambda: is_stale(root, handle), "libfuse has forgotten the name")


def test_with_remember_a_handle_is_good_for_the_life_of_the_mount(mounted: Mounting) -> None:
    with mounted("--remember") as root:
        handles = {path: handle_of(path) for path in (root / LETTER, *(root / LETTER).parents[:2])}
        for _ in range(20):
            for path, handle in handles.items():
                assert not is_stale(root, handle)
                with opened(root, handle) as fd:
                    assert os.fstat(fd).st_ino == path.stat().st_ino
        with opened(root, handles[root / LETTER]) as fd:
            assert os.read(fd, 4) == b"Line"
