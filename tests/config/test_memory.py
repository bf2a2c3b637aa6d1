"""How much memory there is."""

import os
from pathlib import Path

import pytest

from casfs.config.memory import memory_bytes
from tests.config.conftest import Load

MIB = 1 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a machine with 4 GiB."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal:        4194304 kB\nMemFree:          100000 kB\n")
    return tmp_path


def limit(root: Path, name: str, text: str) -> None:
    path = root / "sys/fs/cgroup" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def test_memory_is_the_machine_s_where_no_group_bounds_it(root: Path) -> None:
    assert memory_bytes(root) == 4096 * MIB
    (root / "proc/self/cgroup").write_text("0::/user.slice/casfs.service\n")
    limit(root, "user.slice/casfs.service/memory.max", "max")
    assert memory_bytes(root) == 4096 * MIB


@pytest.mark.parametrize(
    ("groups", "name"),
    [
        ("0::/a/b\n", "a/b/memory.max"),
        ("0::/a/b\n", "a/memory.max"),
        ("0::/\n", "memory.max"),
        ("11:cpu:/x\n5:hugetlb,memory:/a:b\n", "memory/a:b/memory.limit_in_bytes"),
    ],
)
def test_memory_is_the_least_that_a_group_may_use(root: Path, groups: str, name: str) -> None:
    (root / "proc/self/cgroup").write_text(groups)
    limit(root, name, str(512 * MIB))
    assert memory_bytes(root) == 512 * MIB


def test_memory_of_a_machine_that_says_nothing_is_unknown(tmp_path: Path) -> None:
    assert memory_bytes(tmp_path) is None


def test_more_blocks_than_memory_are_warned_of(loaded: Load) -> None:
    there_is = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert there_is < 1 << 40, "the largest value of the option is more than this machine has"
    (warning,) = loaded(given={"block_cache_size": "1T"}).warnings
    assert warning.startswith("--block-cache-size is more than the memory that there is, ")
    assert loaded().warnings == ()
