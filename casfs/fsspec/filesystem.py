"""The account as a file system of fsspec: ``VAULT/JOB/output``, read-only.

Where fsspec's own methods take a failure for something that is not there, these raise it.
"""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from glob import has_magic
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.implementations.local import make_path_posix
from fsspec.utils import common_prefix, isfilelike

from casfs.config.library import texts_of
from casfs.fsspec import directories, entries
from casfs.fsspec.accounts import SharedAccounts
from casfs.fsspec.directories import Level, OnError, Walk
from casfs.fsspec.downloads import copy_bytes, local_file, local_paths
from casfs.fsspec.entries import Entry
from casfs.fsspec.errors import as_python
from casfs.fsspec.files import OutputFile
from casfs.library import Account, connect

RANGES_AT_ONCE = 16
"""Threads of one ``cat_ranges``: as many as keep half of the connections busy with single blocks."""

_ACCOUNTS = SharedAccounts()


def _refuse(*_arguments: object, **_options: object) -> NoReturn:
    """Raise OSError EROFS: everything is read-only."""
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


class CasFileSystem(AbstractFileSystem):
    """Vaults and jobs as directories, outputs as files.

    Nothing is sent, and no key looked for, before the first question: an instance that was pickled finds its keys where
    it is used. Errors are OSError with the errno of a mount, and ValueError for options.

    Args:
        source: a SOURCE without a vault; the profile ``default`` if it is left out.
        options: those of ``casfs.connect``.

    Threads: any. Instances of the same options share one account, with its memory and connections.
    """

    protocol = "cas"
    implied: ClassVar[Mapping[str, object]] = {}
    """Options that the protocol stands for."""

    def __init__(self, source: str | None = None, **options: object) -> None:
        super().__init__()
        with as_python():
            texts = texts_of({**self.implied, **options})
        self._shared = _ACCOUNTS.of({"": source, **texts}, lambda: connect(source, **texts))

    @property
    def account(self) -> Account:
        """The account that is asked.

        Raises:
            ValueError, PermissionError: it cannot be made of the options, or has no keys.
        """
        with as_python():
            return self._shared.get()

    def close(self) -> None:
        """End the threads and give back the memory of all instances with these options; files open then are closed.

        Whatever is asked afterwards begins anew.

        Raises:
            OSError: bytes that were read of a file that is still open have proved wrong since.
        """
        with as_python():
            self._shared.close()

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        stripped = super()._strip_protocol(path)
        return stripped if isinstance(stripped, list) else "/".join(filter(None, stripped.split("/")))

    # names

    def ls(self, path: str, detail: bool = True, refresh: bool = False, **_more: object) -> list[Any]:
        """Return what is in a directory, or the file itself; ``refresh`` asks the service, whatever is remembered."""
        self._refresh(path, wanted=refresh)
        listed = [entry for entry, _ in directories.listed(self.account, self._strip_protocol(path))]
        return listed if detail else [entry["name"] for entry in listed]

    def info(self, path: str, refresh: bool = False, **_more: object) -> Entry:
        """Return the entry of *path*; a size that no document tells is asked for, which ``ls`` does not."""
        self._refresh(path, wanted=refresh)
        path = self._strip_protocol(path)
        if found := directories.directory(self.account, path):
            return found
        job = directories.job_of(self.account, path)
        if job.size is not None:
            return entries.of_output(job, job.size)
        with self._open(path) as file:
            return entries.of_output(job, file.size)

    def exists(self, path: str, refresh: bool = False, **_more: object) -> bool:
        """Whether there is anything at *path*; that it could not be asked for is an error."""
        return self._type(path, refresh=refresh) is not None

    def isdir(self, path: str) -> bool:
        """Whether *path* is a directory; that it could not be asked for is an error."""
        return self._type(path) == "directory"

    def isfile(self, path: str) -> bool:
        """Whether *path* is an output; that it could not be asked for is an error."""
        return self._type(path) == "file"

    def walk(
        self,
        path: str,
        maxdepth: int | None = None,
        topdown: bool = True,
        on_error: OnError = directories.raise_unless_missing,
        detail: bool = False,
        refresh: bool = False,
        **_more: object,
    ) -> Iterator[Level]:
        """Yield each directory with the directories and files in it, as ``os.walk`` does.

        Args:
            path: where to begin; nothing there yields nothing.
            maxdepth: levels to go down, at least 1; None for all.
            topdown: as ``Walk`` has it.
            on_error: likewise; unless told otherwise, what fails is raised.
            detail: likewise.
            refresh: whether the service is asked, whatever is remembered.
        """
        if maxdepth is not None and maxdepth < 1:
            raise ValueError("maxdepth must be at least 1")
        self._refresh(path, wanted=refresh)
        yield from Walk(self.account, topdown, on_error, detail).levels(self._strip_protocol(path), maxdepth)

    def invalidate_cache(self, path: str | None = None) -> None:
        """Ask the service anew about every name that is asked for next, whatever *path* is."""
        super().invalidate_cache(path)
        self.account.forget()

    def created(self, path: str) -> Any:
        """Return when a vault or job was made, as an aware datetime; None where the service does not say."""
        return self.info(path).get("created")

    def modified(self, path: str) -> Any:
        """Return when a job ended, or began while it runs, as an aware datetime; None where the service is silent."""
        return self.info(path).get("mtime")

    def ukey(self, path: str) -> str:
        """Return 64 hex digits that are the same as long as the bytes are: of the tree hash, where there is one."""
        entry = self.info(path)
        where = f"{self.account.endpoint_url or self.account.source} {self.account.account_id} {entry['name']}"
        return sha256(f"{entry.get('tree_hash') or where} {entry['size']}".encode()).hexdigest()

    def checksum(self, path: str) -> int:
        """Return ``ukey`` as a number."""
        return int(self.ukey(path), 16)

    # bytes

    def _open(self, path: str, mode: str = "rb", *_arguments: object, **_options: object) -> OutputFile:
        """Open an output; fsspec's block sizes and caches are passed over, since both are below."""
        if mode != "rb":
            _refuse()
        job = directories.job_of(self.account, path)
        with as_python(path):
            return OutputFile(path, self.account.open(job.vault, job.id))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_more: object) -> bytes:
        """Return the bytes of an output from *start* up to *end*, as slices have it."""
        with self._open(self._strip_protocol(path)) as file:
            first, stop, _ = slice(start, end).indices(file.size)
            file.seek(first)
            return file.read(max(0, stop - first))

    def cat_ranges(
        self,
        paths: Sequence[str],
        starts: int | Sequence[int | None] | None,
        ends: int | Sequence[int | None] | None,
        max_gap: int | None = None,  # noqa: ARG002 - fsspec's own signature
        on_error: str = "return",
        **_more: object,
    ) -> list[Any]:
        """Return the bytes of ranges of outputs, in order, fetched side by side.

        Args:
            paths: one a range; several may be the same.
            starts: one a range, or one for all.
            ends: likewise.
            max_gap: passed over: what lies close together is in one block, which is fetched once.
            on_error: ``return`` puts an error in the place of its bytes, ``raise`` raises it.
        """
        firsts, stops = (list(each) if isinstance(each, Sequence) else [each] * len(paths) for each in (starts, ends))
        if not len(paths) == len(firsts) == len(stops):
            raise ValueError("there must be as many starts and ends as paths")
        threads = ThreadPoolExecutor(max(1, min(RANGES_AT_ONCE, len(paths))), "casfs-range")
        try:
            asked = [threads.submit(self.cat_file, *each) for each in zip(paths, firsts, stops, strict=True)]
            wait(asked)
        except BaseException:  # Ctrl-C: nobody wants the others any more
            threads.shutdown(wait=False, cancel_futures=True)
            raise
        threads.shutdown()
        return [(on_error == "return" and future.exception()) or future.result() for future in asked]

    def get(
        self,
        rpath: Any,
        lpath: Any,
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **_more: object,
    ) -> None:
        """Copy outputs, or directories with all that is in them, to local paths, by fsspec's rules.

        Raises:
            ValueError: a list of outputs is to go into one directory, where by those rules all have the same name.
        """
        if not isinstance(lpath, list):
            rpath, lpath = self._pairs(rpath, make_path_posix(lpath), recursive, maxdepth)
        super().get(rpath, lpath, callback=callback)

    def get_file(
        self, rpath: str, lpath: Any = None, callback: Callback = DEFAULT_CALLBACK, outfile: Any = None, **_more: object
    ) -> None:
        """Copy an output to a local path, which has it whole and checked or stays as it was; or into an open file."""
        outfile = lpath if outfile is None and isfilelike(lpath) else outfile
        if outfile is not None:
            self._copy(rpath, outfile, callback)
        elif self.isdir(rpath):
            Path(lpath).mkdir(parents=True, exist_ok=True)
        else:
            Path(lpath).parent.mkdir(parents=True, exist_ok=True)
            with local_file(Path(lpath)) as target:
                self._copy(rpath, target, callback)

    mkdir = makedirs = mkdirs = makedir = rmdir = touch = _refuse
    rm = rm_file = _rm = delete = mv = move = rename = _refuse
    cp = cp_file = copy = put = put_file = upload = pipe = pipe_file = write_text = write_bytes = _refuse

    def _copy(self, path: str, target: Any, callback: Callback) -> None:
        with self._open(self._strip_protocol(path)) as source:
            callback.set_size(source.size)
            copy_bytes(source, target, callback.relative_update)

    def _pairs(self, asked: Any, target: str, recursive: bool, depth: int | None) -> tuple[list[str], list[str]]:
        """Return what is to be copied, and the local path of each."""
        found: list[str] = self.expand_path(asked, recursive=recursive, maxdepth=depth)
        if not isinstance(asked, str | os.PathLike):
            if sum(map(self.isfile, found)) > 1:
                raise ValueError(f"each of them would be {target}/output: give a list of local paths, or one pattern")
            return found, local_paths(found, None, target, is_inside=True)
        if not recursive or depth is not None:
            found = [path for path in found if not self.isdir(path)]
        source = os.fspath(asked)
        if has_magic(source):
            base = common_prefix(found) if found else ""
            return found, local_paths(found, base, target, is_inside=len(found) == 1)
        is_inside = not source.endswith("/") and (target.endswith("/") or Path(target).is_dir())
        return found, local_paths(found, self._strip_protocol(source), target, is_inside=is_inside)

    def _refresh(self, path: str, *, wanted: bool) -> None:
        if wanted:
            self.invalidate_cache(path)

    def _type(self, path: str, *, refresh: bool = False) -> str | None:
        """Return what is at *path*, which takes no size; None where nothing is."""
        self._refresh(path, wanted=refresh)
        path = self._strip_protocol(path)
        try:
            if directories.directory(self.account, path):
                return "directory"
            directories.job_of(self.account, path)
        except FileNotFoundError:
            return None
        return "file"


class GlacierFileSystem(CasFileSystem):
    """The same of Amazon Glacier."""

    protocol = "glacier"
    implied: ClassVar[Mapping[str, object]] = {"provider": "glacier"}
