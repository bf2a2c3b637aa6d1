"""FUSE callbacks: translate kernel requests, decide nothing.

The signatures are those of fusepy and mfusepy with ``raw_fi``. What is not here does not exist for the kernel either,
which then does by itself what is right for a file that nobody writes: fsync, lock, lseek, ioctl, poll.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from casfs.attributes import NAMESPACE, listed
from casfs.errors import AccessDeniedError, NoAttributeError, ProtocolError, ReadOnlyError
from casfs.fs.attrs import View, entry_of, kind_of, stat_of, statvfs_of_mount
from casfs.fs.handles import Handles, Opened
from casfs.fs.needs import Outputs, Tree
from casfs.fs.xattrs import attributes_of, filled_up
from casfs.models import ACTIVITY_ATTRIBUTE, OPTIONS_ATTRIBUTE, STATS_ATTRIBUTE
from casfs.stats import Stats
from casfs.tree.nodes import OUTPUT_NAME, Node, OutputFile, ProbeFile

ROOT = "/"
Entry = tuple[str, dict[str, int], int]
STAT_TIMEOUT_S = 30.0
"""How long the service has to tell a size that is to be shown: what the promise gives a ``stat``."""


def _no_kernel(_path: str, _inode: int, _size: int) -> bool:
    """Say that the kernel, which is not there to be asked, takes nothing."""
    return False


class Operations:
    """What the mount answers.

    Args:
        tree: names.
        outputs: bytes.
        stats: counters of the mount.
        view: owners and modes.
        options: every option of the mount, as one line of JSON.
        handles: the files that are open; none at first.
        kernel_takes: has the kernel ask for path, inode and size, and returns whether it got them.
        activity: what the mount is at, as one line of JSON.

    Attributes:
        answered: grows with the reads of outputs that were answered with bytes.

    Threads: libfuse calls from many threads at once; whatever is shared is behind Tree, Outputs, Stats and Handles.

    Invariants: a read answers every byte that was asked for up to the end of the file, or fails.
    """

    use_ns = True
    """Tells the bindings that times are nanoseconds."""

    def __init__(  # noqa: PLR0913 - names, bytes and figures to answer with, and what a mount has beside them
        self,
        tree: Tree,
        outputs: Outputs,
        stats: Stats,
        view: View,
        options: str = "{}",
        *,
        handles: Handles | None = None,
        kernel_takes: Callable[[str, int, int], bool] = _no_kernel,
        activity: Callable[[], str] = str,
    ) -> None:
        self._tree = tree
        self._outputs = outputs
        self._view = view
        self._options = options.encode()
        self._handles = Handles() if handles is None else handles
        self._kernel_takes = kernel_takes
        self._of_mount: dict[str, Callable[[], bytes]] = {
            OPTIONS_ATTRIBUTE: lambda: self._options,
            STATS_ATTRIBUTE: lambda: filled_up(stats.line().encode()),
            ACTIVITY_ATTRIBUTE: lambda: activity().encode(),
        }
        self.answered = 0

    def init(self, _path: str) -> None:
        """Start the threads: libfuse may have forked before."""
        self._tree.start()
        self._outputs.start()

    def destroy(self, _path: str) -> None:
        """Stop the threads."""
        self._outputs.stop()
        self._tree.stop()

    def getattr(self, path: str, file_info: Any = None) -> dict[str, int]:
        """Return the struct stat of *path*, or of the open file, which need not have a path any more."""
        node = self._handles.get(file_info.fh).node if file_info else self._tree.resolve(path)
        return stat_of(node, self._view, self._size_of(node))

    def access(self, path: str, mode: int) -> None:
        """Say whether an output may be run; whatever else a program may want to do, it may try.

        The kernel asks where it does not check modes by itself, and then lets whoever is let in read everything. It
        does not ask on the way to a path: find, du and ls -lR of 2,500 jobs cost no such question, rsync one.

        Raises:
            AccessDeniedError: it is to be run, and nobody may.
        """
        may_be_run = self._view.file_mode & 0o111 or not mode & os.X_OK
        if not may_be_run and path.endswith(f"/{OUTPUT_NAME}") and isinstance(self._tree.resolve(path), OutputFile):
            raise AccessDeniedError(f"{path}: no program")

    def readdir(self, path: str, _fh: int) -> Iterator[Entry]:
        """Yield the directory whole; offset 0 lets libfuse keep it until the directory is closed.

        Only type and inode are given: the kernel takes no more from a plain readdir.
        """
        node = self._tree.resolve(path)
        here = {"st_mode": kind_of(node), "st_ino": node.inode}
        yield ".", here, 0
        yield "..", here, 0
        for name, child in self._tree.entries(node):
            yield name, entry_of(child), 0

    def open(self, path: str, file_info: Any) -> None:
        """Open an output, or what is read to see whether reads are, to read it.

        Raises:
            ReadOnlyError: it was to be written, or made empty.
        """
        if file_info.flags & (os.O_WRONLY | os.O_RDWR | os.O_TRUNC):
            raise ReadOnlyError(f"{path}: everything here is read-only")
        node = self._tree.resolve(path)
        match node:
            case OutputFile():
                reader = self._outputs.open(node.output)
            case ProbeFile():
                reader = self._outputs.probe.open()
            case _:
                raise ProtocolError(f"{path}: opened as a file, but no output")
        file_info.fh = self._handles.add(Opened(node, reader, path))
        file_info.keep_cache = reader.keep_pages
        file_info.direct_io = isinstance(node, ProbeFile) or not (reader.uses_pages and self._is_size_known(path, node))

    def read(self, fh: int, offset: int, buffer: memoryview) -> int:
        """Fill *buffer* from *offset* on, or up to the end of the file; see ``seam.Seam.read``."""
        opened = self._handles.get(fh)
        count = opened.reader.read_into(offset, buffer)
        if count != len(buffer) and offset + count < (self._known_size(opened.node) or 0):
            raise ProtocolError(f"{count} of {len(buffer)} bytes at {offset}, before the end of the output")
        self.answered += isinstance(opened.node, OutputFile)
        return count

    def flush(self, _path: str, file_info: Any) -> None:
        """Answer a close(2): the last thing that a program can be told by.

        Raises:
            CorruptDataError: what it was served has proved wrong since.
        """
        self._handles.get(file_info.fh).reader.check()

    def release(self, _path: str, file_info: Any) -> None:
        """Close the file."""
        self._handles.take(file_info.fh).reader.close()

    def statfs(self, _path: str) -> dict[str, int]:
        """Return the struct statvfs, without a look at the service."""
        return statvfs_of_mount()

    def getxattr(self, path: str, name: str, *_position: int) -> bytes:
        """Return the value of one attribute.

        Raises:
            NoAttributeError: *path* has none of that name.
        """
        if path == ROOT and name in self._of_mount:  # without the tree, which may ask for the vault that is the root
            return self._of_mount[name]()
        # ls -l asks for three names of security.* and system.* an entry: not worth a look at the tree.
        attributes = self._attributes_of(path) if name.startswith(NAMESPACE) else {}
        if name not in attributes:
            raise NoAttributeError(f"{path} has no attribute {name}")
        return attributes[name]

    def listxattr(self, path: str) -> list[str]:
        """Return the names of all attributes."""
        return listed(self._attributes_of(path))

    def retell(self, options: str) -> None:
        """Tell *options* from now on, as one line of JSON, as those of the mount."""
        self._options = options.encode()

    def refuse(self, *_arguments: Any) -> NoReturn:
        """Refuse to change anything. The mount is ``ro``, so that the kernel seldom asks."""
        raise ReadOnlyError("everything here is read-only")

    mknod = mkdir = unlink = rmdir = symlink = rename = link = refuse
    chmod = chown = truncate = utimens = setxattr = removexattr = refuse
    create = write = fallocate = refuse

    def _size_of(self, node: Node) -> int | None:
        """Return the size to show: one that nobody knows is asked for, since 0 would be a short copy for some."""
        if not isinstance(node, OutputFile | ProbeFile):
            return None
        size = self._known_size(node)
        if size is None and isinstance(node, OutputFile):
            size = self._outputs.learn_size(node.output, STAT_TIMEOUT_S)
        return size

    def _known_size(self, node: OutputFile | ProbeFile) -> int | None:
        return len(self._outputs.probe.text) if isinstance(node, ProbeFile) else self._outputs.size_of(node.output)

    def _is_size_known(self, path: str, node: OutputFile) -> bool:
        """Return whether the kernel knows the size of an output that was just opened.

        It may remember another one, of the document, and a program that does not ask for it is served by it: ``dd``
        of a document that says too much got zeros behind the end, and sendfile() of one that says too little ended
        early, both with exit status 0. Past the page cache (direct_io) the reads themselves tell the end.
        Source: measured, Linux 6.18: two reads ahead past the end, answered out of order, leave the old size standing.
        """
        size = self._outputs.size_of(node.output)
        return size is None or node.output.size in (None, size) or self._kernel_takes(path, node.inode, size)

    def _attributes_of(self, path: str) -> dict[str, bytes]:
        attributes = attributes_of(self._tree.resolve(path, fresh=True), self._outputs)
        if path == ROOT:
            attributes[STATS_ATTRIBUTE] = self._of_mount[STATS_ATTRIBUTE]()
        return attributes
