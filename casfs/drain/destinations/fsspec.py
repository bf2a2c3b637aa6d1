"""What fsspec speaks to: there is no renaming, so what is put there was whole and checked here before.

This is the one module of the package that needs fsspec; it is imported when a URL is the destination.
"""

import io
import itertools
import re
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import fsspec.core

from casfs.drain.destinations.destination import LONGEST_LINE, UNFINISHED, Found, Label
from casfs.drain.destinations.folders import failing
from casfs.drain.destinations.part_file import PartFile
from casfs.drain.destinations.paths import names_of
from casfs.errors import ConfigError, DestinationError
from casfs.tree_hash import PIECE_BYTES, hash_all

SPOOL = "the copy in the folder of temporary files (TMPDIR names another)"


FEW = 16
"""Objects that are asked for one by one: as many requests as list 16,000, and the manifest is one alone."""


class FsspecDestination:
    """A prefix in what fsspec speaks to; as ``Destination``.

    Args:
        url: of fsspec; options and keys are where fsspec, or the package that it needs for the URL, looks for them.

    Raises:
        ConfigError: nobody knows such URLs, or the package that does is not installed.
        DestinationError: that package does not get there.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            self._files, self._prefix = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"DESTINATION: {error}") from error
        except Exception as error:  # some connect at once, and each has errors of its own
            raise DestinationError(f"{self.where('')}: {said(error)}") from error

    def __reduce__(self) -> tuple[type["FsspecDestination"], tuple[str]]:
        """Pickle the URL: whoever gets it finds keys where it is."""
        return FsspecDestination, (self._url,)

    def where(self, path: str) -> str:
        """Return its URL, without what somebody may have written in front of the host."""
        return f"{re.sub('//[^/]*@', '//', self._url).rstrip('/')}/{path}"

    def is_folder(self) -> bool:
        """Say whether the URL is a bucket, or something is below it."""
        with _failing(self.where("")):
            return bool(self._files.isdir(self._prefix))

    def holds(self, path: str, size: int, tree_hash: str | None) -> bool:
        """Say whether *path* has this content; as ``Destination.holds``."""
        key = self._key(path)
        if tree_hash is None:
            return False
        with _failing(self.where(path)):
            self._files.invalidate_cache()
            try:
                return self._files.info(key)["size"] == size and tree_hash_of(self._files, key) == tree_hash
            except FileNotFoundError:
                return False

    def look(self, paths: Iterable[str]) -> Iterator[Found | None]:
        """Return objects, seen at once: few one by one, more by one listing; as ``Destination.look``."""
        rest = iter(paths)
        few = list(itertools.islice(rest, FEW + 1))
        with _failing(self.where("")):
            self._files.invalidate_cache()
            infos = self._listed() if len(few) > FEW else dict(filter(None, map(self._asked, map(self._key, few))))
            sizes = {key: info.get("size") for key, info in infos.items() if info.get("type") != "directory"}
        found = (sizes.get(self._key(path)) for path in itertools.chain(few, rest))
        return (None if size is None else Found(size) for size in found)

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of an object; as ``Destination.lines``."""
        with _failing(self.where(path)), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            file = self._files.open(self._key(path), "rb", block_size=PIECE_BYTES)
            with io.BufferedReader(file, PIECE_BYTES) as lines:  # the readline of fsspec's own files knows no limit
                yield from iter(lambda: lines.readline(LONGEST_LINE), b"")

    def part(self, path: str, attempt: str) -> "FsspecPart":  # noqa: ARG002 - nothing is there to go on with
        """Begin an object; as ``Destination.part``: a kill leaves nothing of it."""
        return FsspecPart(self._files, self._key(path), self.where(path))

    def sweep(self) -> None:
        """Do nothing: what is not whole is nowhere."""

    def claim(self, name: str, text: bytes) -> None:
        """Leave an object behind; as ``Destination.claim``."""
        self._leave(self._claim(name), text)

    def claimed(self, name: str) -> bytes:
        """Return what is in it; as ``Destination.claimed``."""
        with _failing(self.where("")), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            return bytes(self._files.cat_file(self._claim(name), end=LONGEST_LINE))
        return b""

    def disclaim(self, name: str) -> None:
        """Remove it; as ``Destination.disclaim``: it stays where none may be removed."""
        self._remove(self._claim(name))

    @contextmanager
    def mark(self, name: str) -> Iterator[None]:
        """Leave an object for the time of a block; as ``Destination.mark``: it stays where none may be removed."""
        key = self._mark(name)
        self._leave(key, name.encode())
        try:
            yield
        finally:
            self._remove(key)

    def check_mark(self, name: str) -> None:
        """Raise DestinationError unless it is here, and something can be written; as ``Destination.check_mark``."""
        with _failing(self.where("")):
            self._files.invalidate_cache()
            try:
                is_here = self._files.cat_file(self._mark(name)) == name.encode()
            except FileNotFoundError:
                is_here = False
        if not is_here:
            raise DestinationError(f"{self.where('')} is not that of the run: all workers must share it")
        with self.mark(secrets.token_hex(16)):
            pass

    def _leave(self, key: str, text: bytes) -> None:
        with FsspecPart(self._files, key, self.where(UNFINISHED)) as part:
            part.write(memoryview(bytearray(text)))
            part.commit(Label())

    def _remove(self, key: str) -> None:
        with suppress(Exception):
            self._files.rm_file(key)

    def _listed(self) -> dict[str, dict[str, Any]]:
        try:
            listed: dict[str, dict[str, Any]] = self._files.find(self._prefix, detail=True)
        except FileNotFoundError:
            return {}
        return listed

    def _asked(self, key: str) -> tuple[str, dict[str, Any]] | None:
        try:
            return key, self._files.info(key)
        except FileNotFoundError:
            return None

    def _mark(self, name: str) -> str:
        return "/".join([*filter(None, [self._prefix.rstrip("/")]), UNFINISHED, name])

    def _claim(self, name: str) -> str:
        """Return the key of a claim: in no folder, since some stores would have to be told to make one."""
        return "/".join([*filter(None, [self._prefix.rstrip("/")]), f"{UNFINISHED}.{name}"])

    def _key(self, path: str) -> str:
        return "/".join([*filter(None, [self._prefix.rstrip("/")]), *names_of(path)])


class FsspecPart(PartFile):
    """A file without a name on this machine, until it is put where it belongs; as ``Part``."""

    def __init__(self, files: Any, key: str, where: str) -> None:
        self._files, self._key, self._where = files, key, where
        with failing(SPOOL):
            self._spool = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with this
        super().__init__(self._spool.fileno(), None, SPOOL)

    def commit(self, label: Label) -> int:  # noqa: ARG002 - an object has neither mtime nor attributes of ours
        """Put it there, and read it back; as ``Part.commit``."""
        with _failing(self._where):
            self._files.put_file(f"/proc/self/fd/{self.fileno()}", self._key)
            self._files.invalidate_cache()
            if tree_hash_of(self._files, self._key) == self.tree_hash:
                return time.time_ns()
            self._files.rm_file(self._key)
        raise DestinationError(f"{self._where}: what was read back is not what was put there; it was removed")

    def discard(self) -> None:
        """Leave it to be closed; as ``Part.discard``."""

    def close(self) -> None:
        """Forget it; may be called more than once."""
        self._spool.close()


def tree_hash_of(files: Any, key: str) -> str:
    """Return the tree hash of an object, by reading it."""
    with files.open(key, "rb", block_size=PIECE_BYTES) as file:
        return hash_all(file).hexdigest()


@contextmanager
def _failing(where: str) -> Iterator[None]:
    try:
        yield
    except (DestinationError, KeyboardInterrupt):
        raise
    except Exception as error:  # each package has errors of its own
        raise DestinationError(f"{where}: {said(error)}") from error


def said(error: Exception) -> str:
    """Return what an error says, or is."""
    return str(error) or type(error).__name__
