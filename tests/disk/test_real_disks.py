"""Real file systems that are full, turn read-only, are taken away, or fail: right bytes or none, and one warning."""

import errno
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.errors import ConfigError
from tests.children import module_command
from tests.conftest import Announce
from tests.data.service import MIB
from tests.disk.contents import Archive, Time, open_store, rebuilt, served

ARCHIVE = Archive.of(3 * MIB + 7)
RETRY_S = 1000.0


def on_a_disk(scenario: str, mountpoint: Path) -> dict[str, object]:
    """Run a scenario on 20 MiB of memory as a disk; skip where no namespace can be had for it."""
    unshare = ["unshare", "-m", "sh", "-euc"]
    if os.geteuid() or subprocess.run([*unshare, "true"], check=False, timeout=120).returncode:
        pytest.skip("unshare -m is not allowed here")
    script = 'mount -t tmpfs -o size=20m,mode=700 none "$1" && shift && exec "$@"'
    scene = module_command("tests.disk.on_a_disk", scenario, str(mountpoint))
    command = [*unshare, script, "sh", str(mountpoint), *scene]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_disk_of_20_mib_keeps_what_fits_of_64_and_the_rest_once_there_is_room(tmp_path: Path) -> None:
    found = on_a_disk("too-small", tmp_path)
    kept = found.pop("kept")
    assert isinstance(kept, int)
    assert 12 <= kept <= 20
    assert found == {
        "messages": ["WARNING", "INFO"],
        "kept without a new trial": kept,
        "reason": os.strerror(errno.ENOSPC),
        "kept once there is room": 64,
    }


def test_a_disk_that_turns_read_only_is_read_on_and_written_to_once_it_can_be(tmp_path: Path) -> None:
    assert on_a_disk("read-only", tmp_path) == {
        "messages": ["WARNING", "INFO"],
        "kept": 4,
        "kept while it is read-only": 0,
        "served while it is read-only": 4,
        "reason": os.strerror(errno.EROFS),
        "kept after": 1,
    }


def test_a_disk_that_is_taken_away_leaves_nothing_on_the_one_below(tmp_path: Path) -> None:
    assert on_a_disk("unmounted", tmp_path) == {
        "messages": ["WARNING"],
        "kept": 4,
        "kept while it is gone": 0,
        "made below it": [],
        "reason": os.strerror(errno.ENOENT),
    }


CALLS = "getattr readdir mkdir unlink open create read write truncate fsync fsyncdir"
WRITING_CALLS = "mkdir unlink create write truncate fsync fsyncdir"
FAULTS = {
    "all fails": (errno.EIO, CALLS),
    "reads fail": (errno.EIO, "read"),
    "writes fail": (errno.EIO, "write fsync"),
    "sync fails": (errno.EIO, "fsync"),
    "quota": (errno.EDQUOT, "write create mkdir"),
    "stale": (errno.ESTALE, CALLS),
    "not permitted": (errno.EACCES, CALLS),
}


@pytest.mark.fuse
@pytest.mark.parametrize("name", FAULTS)
def test_a_file_system_that_fails_costs_misses_and_one_warning(
    name: str, faulty: Callable[[str], None], tmp_path: Path, announce: Announce, caplog: pytest.LogCaptureFixture
) -> None:
    announce("not used for now")
    number, calls = FAULTS[name]
    time = Time()
    store = open_store(tmp_path / "mountpoint" / "cache", 64 * MIB, time)
    content = store.content(ARCHIVE.key)
    assert content.write(ARCHIVE.new([0, 1])) == 2
    faulty(f"{number} {calls}")
    for _ in range(2):
        assert content.write(ARCHIVE.new([2])) == 0 or "fsync" not in calls
        assert served(content, ARCHIVE) <= {0, 1}
        store.shrink(64 * MIB)
        assert len(list(store.entries())) <= 1
        time.now_s += RETRY_S
    assert [record.levelname for record in caplog.records if "not used for now" in record.message] == ["WARNING"]
    faulty("")
    time.now_s += RETRY_S
    assert content.write(ARCHIVE.new([2, 3])) == 2
    assert served(content, ARCHIVE) >= {2, 3}
    assert store.outage is None
    assert rebuilt(store).used_bytes() <= 5 * MIB


@pytest.mark.fuse
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS], ids=errno.errorcode.get)
def test_a_folder_on_a_disk_that_fails_at_once_is_refused_by_name(
    number: int, faulty: Callable[[str], None], tmp_path: Path
) -> None:
    faulty(f"{number} write create mkdir")
    with pytest.raises(ConfigError, match=os.strerror(number)):
        open_store(tmp_path / "mountpoint" / "cache")
