"""Mounts of a user who is not root, in a mount namespace whose /dev/fuse is for everybody."""

import os
import pwd
import sys
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from tests.mount.nobody import MOUNT, NOBODY, UNKNOWN, Run
from tests.mounting import sbin

pytestmark = pytest.mark.fuse


def test_user_mounts_reads_and_unmounts(run: Run, server: Server, nobodys: Path) -> None:
    script = '"$1" -m casfs mount "$2" "$3"; ls "$3"; stat -c %u "$3"/*/*/output; fusermount3 -u "$3"; ls "$3"'
    done = run(script, sys.executable, server.url, nobodys / "mount")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["empty", "ledger", "photos", *["65534"] * 9]


def test_a_signal_unmounts_for_a_user(run: Run, server: Server, nobodys: Path) -> None:
    script = """
    : >"$4"
    "$1" -m casfs mount -f "$2" "$3" 2>"$4" &
    until grep -q "mounted at" "$4"; do sleep 0.1; done
    ls "$3"
    kill $!
    wait $!
    ls "$3"
    """
    done = run(script, sys.executable, server.url, nobodys / "mount", nobodys / "log")
    assert (done.returncode, done.stdout, done.stderr) == (0, "empty\nledger\nphotos\n", "")


@pytest.mark.parametrize(
    ("arguments", "mends"),
    [(["--allow-other", "{mount}"], "user_allow_other in /etc/fuse.conf"), (["{roots}"], "may not write there")],
    ids=["allow-other", "root's directory"],
)
def test_refusal_says_what_to_mend(run: Run, server: Server, nobodys: Path, arguments: list[str], mends: str) -> None:
    (nobodys / "roots").mkdir(mode=0o755)
    told = [argument.format(mount=nobodys / "mount", roots=nobodys / "roots") for argument in arguments]
    done = run('"$@"', sys.executable, "-m", "casfs", "mount", server.url, *told)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert mends in done.stderr


def test_what_cp_and_rsync_made_of_the_tree_can_be_filled_and_removed(run: Run, server: Server, nobodys: Path) -> None:
    script = """
    "$1" -m casfs mount "$2" "$3"
    cp -r "$3" "$4/cp"
    rsync -a "$3/" "$4/rsync"
    find "$3" -type d | wc -l
    fusermount3 -u "$3"
    diff -r "$4/cp" "$4/rsync"
    for copy in "$4/cp" "$4/rsync"; do
        find "$copy" -type d -exec touch {}/note \\;
        find "$copy" -name note | wc -l
        rm -r "$copy" </dev/null
    done
    ls "$4"
    """
    done = run(script, sys.executable, server.url, nobodys / "mount", nobodys)
    assert (done.returncode, done.stderr) == (0, "")
    directories, *found = done.stdout.split()
    assert found == [directories, directories, "log", "mount"]


@pytest.fixture
def unknown(nobodys: Path) -> int:
    """Return a user without an entry in passwd, to whom the directory now belongs."""
    with pytest.raises(KeyError):
        pwd.getpwuid(UNKNOWN)
    for path in (nobodys, nobodys / "mount"):
        os.chown(path, UNKNOWN, UNKNOWN)
    return UNKNOWN


def test_casfs_needs_no_entry_in_passwd_and_says_that_fusermount_does(
    run: Run, server: Server, nobodys: Path, unknown: int
) -> None:
    done = run('unset HOME; exec "$@"', *MOUNT, server.url, nobodys / "mount", user=unknown)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert f"give user {unknown} an entry" in done.stderr
    assert server.requests, "everything but the mount was done"


def test_user_who_may_mount_needs_neither_a_home_nor_an_entry_in_passwd(
    run: Run, server: Server, nobodys: Path, unknown: int
) -> None:
    script = 'unset HOME; "$1" -m casfs mount "$2" "$3"; ls "$3"; stat -c %u "$3"; umount "$3"'
    may_mount = "--inh-caps=+sys_admin --ambient-caps=+sys_admin"
    done = run(script, sys.executable, server.url, nobodys / "mount", user=unknown, options=may_mount)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"empty\nledger\nphotos\n{unknown}\n", "")


CLOSED = "chmod 600 /dev/fuse"
OWN_HELPER = 'cp "$(command -v fusermount3)" /dev/helper; chmod 755 /dev/helper; '
NOT_SETUID = OWN_HELPER + 'mount --bind /dev/helper "$(command -v fusermount3)"'
NOSUID = "mount --bind /usr /usr; mount -o remount,bind,nosuid /usr"
NO_RIGHT = "--bounding-set=-sys_admin"
CONTAINER = "--device /dev/fuse --cap-add SYS_ADMIN"


@pytest.mark.parametrize(
    ("lack", "mends"),
    [
        ({"before": CLOSED}, "as root, run: chmod 666 /dev/fuse"),
        ({"before": "mount -o remount,nodev /dev"}, "mounted nodev"),
        ({"before": "rm /dev/fuse"}, "modprobe fuse"),
        ({"before": "rm /dev/fuse; mknod -m 666 /dev/fuse c 10 255"}, "modprobe fuse"),
        ({"before": "rm /dev/fuse; mknod -m 666 /dev/fuse c 1 3"}, "mknod -m 666 /dev/fuse c 10 229"),
        ({"options": "--no-new-privs"}, "no-new-privileges"),
        ({"before": NOT_SETUID}, "chmod 4755 /"),
        ({"before": NOSUID}, "nosuid"),
        ({"options": NO_RIGHT}, CONTAINER),
        ({"options": NO_RIGHT, "user": 0}, CONTAINER),
    ],
    ids=["closed", "nodev", "missing", "no driver", "null", "no-new-privs", "not setuid", "nosuid", "user", "root"],
)
def test_what_keeps_a_process_from_mounting_is_named_with_what_mends_it(
    run: Run, server: Server, nobodys: Path, lack: dict[str, str], mends: str
) -> None:
    done = run('exec "$@"', *MOUNT, server.url, nobodys / "mount", **lack)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert mends in done.stderr
    assert ("modprobe" in done.stderr) == ("modprobe" in mends), done.stderr


def test_root_of_a_user_namespace_is_told_what_a_container_needs(run: Run, server: Server, nobodys: Path) -> None:
    done = run('exec unshare --user --map-root-user "$@"', *MOUNT, server.url, nobodys / "mount")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert CONTAINER in done.stderr


def test_user_mounts_and_unmounts_what_fstab_lets_users_mount(run: Run, server: Server, nobodys: Path) -> None:
    path = nobodys / "mount"
    if sbin(nobodys) is None:
        pytest.skip("mount.fuse3 comes with fuse3")
    (nobodys / "fstab").write_text(f"{server.url} {path} casfs ro,noauto,user 0 0\n")
    before = f'mount --bind {nobodys}/sbin "$(readlink -f /sbin)"; mount --bind {nobodys}/fstab /etc/fstab'
    done = run('mount "$1"; ls "$1"; stat -c %u "$1"; umount "$1"; ls "$1"', path, before=before)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"empty\nledger\nphotos\n{NOBODY}\n", "")
