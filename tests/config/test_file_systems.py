"""Whether a folder is in memory."""

from pathlib import Path

import pytest

from casfs.config.file_systems import is_in_memory
from tests.config.conftest import Load

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:20 / /tmp rw shared:2 master:1 - tmpfs none rw,size=1g
24 23 0:21 / /tmp/a\\040disk rw - xfs /dev/vdb rw
25 22 0:22 / /covered rw - tmpfs none rw
26 22 0:23 / /covered rw - ext4 /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("path", "is_so"),
    [
        ("/tmp/cache", True),
        ("/tmp", True),
        ("/tmpfiles/cache", False),
        ("/var/cache/casfs", False),
        ("/tmp/a disk/cache", False),
        ("/covered/cache", False),
    ],
)
def test_what_a_folder_is_on_says_whether_it_is_in_memory(path: str, *, is_so: bool, tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(MOUNTS)
    assert is_in_memory(path, tmp_path) is is_so


def test_where_nobody_knows_it_is_on_a_disk(tmp_path: Path) -> None:
    assert not is_in_memory("/tmp/cache", tmp_path)


@pytest.mark.skipif(not is_in_memory("/dev/shm"), reason="/dev/shm is no tmpfs here")
def test_a_cache_in_memory_is_warned_of(loaded: Load) -> None:
    (warning,) = loaded(given={"cache_dir": "/dev/shm/cache"}).warnings
    assert "/dev/shm/cache is in memory" in warning
