"""How much memory there is for this process."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def memory_bytes(root: Path = Path("/")) -> int | None:
    """Return the machine's memory, or the least that a control group of this process may use; None if nobody says.

    Args:
        root: what ``/proc`` and ``/sys`` are in.

    Source: proc_meminfo(5); cgroups(7); Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
    """
    return min([*_of_machine(root), *_of_groups(root)], default=None)


def _of_machine(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/meminfo"):
        name, *value = line.split()
        if name == "MemTotal:":
            yield int(value[0]) * 1024


def _of_groups(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _limits(root / "sys/fs/cgroup", path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _limits(root / "sys/fs/cgroup/memory", path, "memory.limit_in_bytes")


def _limits(tree: Path, path: str, name: str) -> Iterator[int]:
    """Yield the limits of a group and of those that it is in."""
    group = PurePosixPath(path.lstrip("/"))
    for each in (group, *group.parents):
        yield from (int(line) for line in _lines(tree / each / name) if line.isdigit())


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
