"""A node as a struct stat, and the mount as a struct statvfs."""

import stat
import time
from dataclasses import dataclass, field
from typing import assert_never

from casfs.tree.nodes import JobDir, Node, OutputFile, ProbeFile, Root, VaultDir

BLOCK_BYTES = 1 << 20
"""st_blksize: what one read() should ask for. One block of the service's tree hash, and the most that the kernel
asks of libfuse 3 at once."""

SECTOR_BYTES = 512
"""What st_blocks counts. Source: POSIX, sys/stat.h, as Linux has it."""

SIZE_MAX = (1 << 63) - 1
"""The largest off_t. A document may claim more; a size that wraps to a negative one must not reach the kernel."""

NAMED_SIZE_BYTES = 1 << 50
"""What ``df`` shows as the size of the mount, all of it free: 1 PiB, as other mounts of remote stores show. The true
figure would cost a request a vault, and a mount with 0 free blocks sets off every monitor of full disks."""

NAME_MAX_BYTES = 255
"""The longest name. Source: Linux, NAME_MAX."""


@dataclass(frozen=True, slots=True)
class View:
    """How the mount looks to its users.

    Attributes:
        uid: owner of everything.
        gid: group of everything.
        file_mode: permission bits of outputs.
        dir_mode: permission bits of directories.
        began_ns: the root's times as far as the service says none.
    """

    uid: int
    gid: int
    file_mode: int
    dir_mode: int
    began_ns: int = field(default_factory=time.time_ns)


def kind_of(node: Node) -> int:
    """Return the file type bits of *node*."""
    return stat.S_IFREG if isinstance(node, OutputFile | ProbeFile) else stat.S_IFDIR


def entry_of(node: Node) -> dict[str, int]:
    """Return what a directory entry of *node* says: its type and its inode number."""
    return {"st_mode": kind_of(node), "st_ino": node.inode}


def stat_of(node: Node, view: View, size: int | None) -> dict[str, int]:
    """Return the struct stat of *node*, times in nanoseconds.

    Args:
        node: what it is.
        view: owner and modes.
        size: bytes of a file, None where nobody knows them yet; not used for directories.
    """
    modified_ns, created_ns = _times_ns(node, view)
    is_file = isinstance(node, OutputFile | ProbeFile)
    length = min(size or 0, SIZE_MAX) if is_file else 0
    return {
        "st_mode": kind_of(node) | (view.file_mode if is_file else view.dir_mode),
        "st_ino": node.inode,
        "st_nlink": _links(node),
        "st_uid": view.uid,
        "st_gid": view.gid,
        "st_size": length,
        "st_blksize": BLOCK_BYTES,
        "st_blocks": -(-length // SECTOR_BYTES),
        "st_atime": modified_ns,
        "st_mtime": modified_ns,
        "st_ctime": created_ns,
    }


def statvfs_of_mount() -> dict[str, int]:
    """Return the struct statvfs of the mount, from no request."""
    blocks = NAMED_SIZE_BYTES // BLOCK_BYTES
    return {
        "f_bsize": BLOCK_BYTES,
        "f_frsize": BLOCK_BYTES,
        "f_blocks": blocks,
        "f_bfree": blocks,
        "f_bavail": blocks,
        "f_namemax": NAME_MAX_BYTES,
    }


def _times_ns(node: Node, view: View) -> tuple[int, int]:
    """Return mtime and ctime; a time that the service does not give is 0, or the one that it does give."""
    match node:
        case Root(changed_ns):
            created_ns: int | None = view.began_ns
        case VaultDir(vault, changed_ns):
            created_ns = vault.created_ns
        case JobDir(job) | OutputFile(job):
            changed_ns, created_ns = job.changed_ns, job.created_ns
        case ProbeFile():
            changed_ns, created_ns = None, view.began_ns
        case _:
            assert_never(node)
    created_ns = created_ns or 0
    return created_ns if changed_ns is None else changed_ns, created_ns


def _links(node: Node) -> int:
    """Return st_nlink: 2 tells ``find`` that a directory has no directories, 1 that nobody counted them."""
    return 2 if isinstance(node, JobDir) else 1
