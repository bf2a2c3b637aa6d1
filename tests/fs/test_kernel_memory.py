"""The kernel is told of a size that was learnt at open, or is not relied on for it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from casfs.fs.attrs import View
from casfs.fs.handles import Handles
from casfs.fs.kernel import Kernel
from casfs.fs.operations import Operations
from casfs.mount.own_mount import OwnMount
from casfs.stats import Stats
from tests.fs.stands import Behaviour, StandInOutputs, StandInTree, job


def test_kernel_takes_what_a_stat_finds(tmp_path: Path) -> None:
    file = tmp_path / "\u00fc"
    file.write_bytes(b"four")
    mount, inode = OwnMount(tmp_path), file.stat().st_ino
    kernel = Kernel(str(tmp_path), mount, Handles())
    mount.device = file.stat().st_dev
    assert kernel.takes("/\u00fc", inode, 4)
    assert not kernel.takes("/\u00fc", inode, 5)
    assert not kernel.takes("/\u00fc", inode + 1, 4)
    assert not kernel.takes("/another", inode, 4)
    mount.device += 1
    assert not kernel.takes("/\u00fc", inode, 4), "it is a file of another mount"


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(("told", "contradicted"), [(4, True), (5, False), (None, False)])
def test_size_of_the_kernel_is_used_where_it_is_right(*, told: int | None, contradicted: bool, takes: bool) -> None:
    outputs = StandInOutputs()
    outputs.behaviours["plain"] = Behaviour(size=5)
    asked = []

    def kernel_takes(path: str, _inode: int, size: int) -> bool:
        asked.append((path, size))
        return takes

    tree, view = StandInTree([job("plain", told)]), View(0, 0, 0o400, 0o700)
    operations = Operations(tree, outputs, Stats(), view, kernel_takes=kernel_takes)
    file_info = SimpleNamespace(flags=0, fh=0, keep_cache=0, direct_io=0)
    operations.open("/vault/plain/output", file_info)
    assert asked == [("/vault/plain/output", 5)] * contradicted
    assert bool(file_info.direct_io) == (contradicted and not takes)
