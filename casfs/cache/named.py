"""What a command line names: paths in mounts, and PLACEs without one; each to the shelf that has it."""

from collections.abc import Iterator, Mapping

from casfs.cache.mounted import MountedOutputs
from casfs.cache.placed import PlacedOutputs
from casfs.cache.target import NOTHING, Cache, Holding, Outcome, Shelf, Target
from casfs.config import library as settings
from casfs.config.place import parse
from casfs.config.values import PATH
from casfs.errors import CasfsError, ConfigError
from casfs.library import connect


class Shelves:
    """The shelves that some names need, each made once.

    Threads: one; made before there are any others, where a path is among the names.

    Args:
        names: what was named.
        options: of ``connect``, as they were written.
    """

    def __init__(self, names: tuple[str, ...], options: Mapping[str, str]) -> None:
        self._options = options
        self._mounted = MountedOutputs() if any(map(is_path, names)) else None
        self._placed: dict[str, PlacedOutputs] = {}

    def survey(self, names: tuple[str, ...]) -> Iterator[Target | Outcome]:
        """Yield what the names lead to, each output once; an Outcome with an error for a name that leads nowhere."""
        seen: set[str] = set()
        for name in names:
            try:
                found = self._shelf(name).survey(name)
            except CasfsError as error:
                yield Outcome(name, None, Holding(NOTHING, NOTHING), str(error))
                continue
            yield from (target for target in found if target.name not in seen)
            seen.update(target.name for target in found)

    def close(self) -> None:
        """End every call of every shelf."""
        shelves: list[Shelf] = [*self._placed.values(), *([self._mounted] if self._mounted is not None else [])]
        for shelf in shelves:
            shelf.close()

    def _shelf(self, name: str) -> Shelf:
        if self._mounted is not None and is_path(name):
            return self._mounted
        source = parse(name).source
        if source not in self._placed:
            config = settings.load(source, self._options)
            if config.cache_dir is None:
                raise ConfigError("no folder of a cache is named: --cache-dir, CASFS_CACHE_DIR or the profile can")
            if config.verify == "off":
                raise ConfigError("nothing is kept on disk, since --verify off checks nothing")
            account = connect(source, **self._options)
            self._placed[source] = PlacedOutputs(account, Cache(config.cache_dir, config.cache_size))
        return self._placed[source]


def is_path(name: str) -> bool:
    """Say whether a name is a path, and no PLACE: a PLACE has a colon before any slash."""
    return ":" not in name.partition("/")[0]


def located(name: str) -> str:
    """Return a path as it is from everywhere, and a PLACE as it is.

    Raises:
        ConfigError: the path begins where nothing is any more.
    """
    if not is_path(name):
        return name
    try:
        return str(PATH.read(name))
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None
