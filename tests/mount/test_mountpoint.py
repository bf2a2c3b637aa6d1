"""Which directories can become a mount, and what is said of the others."""

import os
from pathlib import Path

import pytest

from casfs.errors import MountError
from casfs.mount import mountpoint
from casfs.mount.dead import is_over_automount

LINES = r"""
22 1 0:20 / / rw,relatime - ext4 /dev/sda1 rw
23 22 0:45 / /mnt/a\040b\134\0111 ro,nosuid shared:7 master:2 - fuse.casfs https://host/-\040x ro,user_id=0
""".lstrip()


def test_mounts_are_read_whatever_their_names_hold(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(LINES)
    assert list(mountpoint.mounts(table)) == [
        mountpoint.Mounted("/", "ext4", "/dev/sda1", 22, os.makedev(0, 20), frozenset({"rw", "relatime"})),
        mountpoint.Mounted(
            "/mnt/a b\\\t1",
            "fuse.casfs",
            "https://host/- x",
            23,
            os.makedev(0, 45),
            frozenset({"ro", "nosuid", "user_id=0"}),
        ),
    ]


def test_root_is_among_the_mounts_of_this_process() -> None:
    assert "/" in [mounted.path for mounted in mountpoint.mounts()]


@pytest.mark.parametrize(
    ("name", "mends"),
    [("missing", "mkdir -p"), ("file", "not a directory"), ("full", "mount on an empty directory")],
)
def test_refusal_says_what_to_mend(tmp_path: Path, name: str, mends: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").touch()
    with pytest.raises(MountError, match=mends) as raised:
        mountpoint.check(tmp_path / name, allow_other=False)
    assert str(raised.value).startswith(f"{tmp_path / name}: ")


@pytest.mark.parametrize(
    ("kinds", "answer"),
    [
        (["autofs", "fuse.casfs"], True),
        (["fuse.casfs"], False),
        (["autofs", "fuse.casfs", "fuse.casfs"], False),
        (["fuse.casfs", "autofs"], False),
        ([], False),
    ],
)
def test_automount_is_seen_right_below(tmp_path: Path, kinds: list[str], answer: object) -> None:
    table = tmp_path / "mountinfo"
    lines = [f"{number} 1 0:{number} / /mnt/auto ro - {kind} what ro\n" for number, kind in enumerate(kinds, 30)]
    table.write_text(LINES + "".join(lines))
    assert is_over_automount(Path("/mnt/auto"), table) is answer
