"""``mount.casfs``, as mount(8) calls it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from tests.mount.helping import helper
from tests.mounting import environment, is_mounted, names, sbin

pytestmark = pytest.mark.fuse


READ_ONLY = "casfs: warning: mounted read-only, as archives always are; -o ro says so too\n"


def test_mounts_with_the_arguments_of_mount(server: Server, path: Path, tmp_path: Path) -> None:
    done = helper(tmp_path, server.url, path, "-n", "-o", "rw,noauto,user=alice,_netdev,x-systemd.automount,list_ttl=5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", READ_ONLY)
    assert names(path)


def test_says_what_it_did_only_when_asked(server: Server, path: Path, tmp_path: Path) -> None:
    assert helper(tmp_path, server.url, path, "-v").stdout == f"{server.url} on {path} type fuse.casfs\n"


def test_does_everything_but_mount_when_it_shall_only_pretend(server: Server, path: Path, tmp_path: Path) -> None:
    assert helper(tmp_path, server.url, path, "-f").returncode == 0
    assert not is_mounted(path)
    assert helper(tmp_path, "nonsense", path, "-f").returncode == 1


def test_tolerates_unknown_words_only_when_asked(server: Server, path: Path, tmp_path: Path) -> None:
    done = helper(tmp_path, server.url, path, "-o", "quiet,list_ttl=5")
    assert (done.returncode, "quiet" in done.stderr) == (1, True)
    assert helper(tmp_path, server.url, path, "-s", "-o", "quiet,list_ttl=5").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["source"], 1),
        (["a", "b", "-z"], 1),
        (["nonsense", "/"], 1),
        (["http://127.0.0.1:1", "{path}", "-oconnect_timeout=1"], 32),
    ],
    ids=["no mountpoint", "no such flag", "no source", "nobody there"],
)
def test_exit_status_is_that_of_mount(arguments: list[str], status: int, path: Path, tmp_path: Path) -> None:
    done = helper(tmp_path, *(argument.format(path=path) for argument in arguments))
    assert done.returncode == status
    assert (done.stderr.count("\n"), done.stderr.partition(": ")[0]) == (1, "casfs")


def test_labels_reach_the_kernel(server: Server, path: Path, tmp_path: Path) -> None:
    """Which takes them if it knows SELinux, and else refuses them by name."""
    done = helper(tmp_path, server.url, path, "-o", 'ro,context="system_u:object_r:tmp_t:s0:c1,c2"')
    if Path("/sys/fs/selinux/enforce").exists():
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert (done.returncode, "Invalid argument" in done.stderr) == (32, True), done.stderr


BY_MOUNT = """
mount --bind "$1/sbin" "$(readlink -f /sbin)"
mount --bind "$1/fstab" /etc/fstab
path=$2
eval "$3"
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def by_mount(tmp_path: Path, server: Server, path: Path) -> Run:
    """Run a script in a namespace where mount(8) finds casfs, and a line of fstab for ``$path``."""
    if os.geteuid() != 0 or sbin(tmp_path) is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("only root has a namespace, and mount.fuse3 comes with fuse3")

    def run(kind: str, options: str, script: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "fstab").write_text(f"{server.url} {path} {kind} {options} 0 0\n")
        script = f"trap 'umount -l \"$path\" 2>/dev/null || true' EXIT; {script}"
        command = ["unshare", "-m", "sh", "-euc", BY_MOUNT, "sh", str(tmp_path), str(path), script]
        env = environment(tmp_path)
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    return run


KINDS = pytest.mark.parametrize("kind", ["casfs", "fuse.casfs"])
WORDS = "ro,nofail,_netdev,noauto,users,comment=x,x-systemd.automount,X-mount.mkdir,nosymfollow,lazytime,silent,sync"


@KINDS
def test_line_of_fstab_is_mounted_read_remounted_and_unmounted(by_mount: Run, kind: str) -> None:
    script = """
    mount "$path"
    ls "$path"
    findmnt -no FSTYPE "$path"
    mount -o remount,ro "$path"
    mount -o remount "$path"
    umount "$path"
    """
    done = by_mount(kind, f"{WORDS},allow_other,list_ttl=5,uid=root,noexec", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "empty\nledger\nphotos\nfuse.casfs\n"


@KINDS
@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("rw", "rw, since archives are read-only"),
        ("list_ttl=6", "list_ttl=6.0, since it has list_ttl=5.0"),
        ("noatime", "a remount cannot give it noatime"),
        ("user_id=5", "a remount cannot give it user_id=5"),
    ],
)
def test_remount_that_asks_for_something_else_is_refused_by_name(
    by_mount: Run, kind: str, wish: str, said: str
) -> None:
    done = by_mount(kind, "ro,list_ttl=5,noexec", f'mount "$path"; mount -o remount,{wish} "$path"')
    assert done.returncode != 0
    assert (said in done.stderr, done.stderr.count("casfs: ")) == (True, 1), done.stderr


def test_remount_of_what_is_no_mount_of_casfs_is_refused(server: Server, path: Path, tmp_path: Path) -> None:
    done = helper(tmp_path, server.url, path, "-o", "remount,ro")
    assert (done.returncode, "no mount of casfs is there" in done.stderr) == (32, True)
    assert helper(tmp_path, "proc", "/proc", "-o", "remount,ro").returncode == 32


KILL = r"""
for process in /proc/[0-9]*; do
    arguments=$(tr '\0' '\n' 2>/dev/null <"$process/cmdline" || true)
    case /$arguments/ in *python*"$path"*) kill -9 "${process#/proc/}" ;; esac
done
while ls "$path" >/dev/null 2>&1; do sleep 0.1; done
"""
"""Kills who serves the mount at $path."""


@KINDS
def test_line_of_fstab_whose_mount_died_is_mounted_again(by_mount: Run, kind: str) -> None:
    done = by_mount(kind, "ro,allow_other", f'mount "$path"\n{KILL}\nmount "$path"; ls "$path"; umount "$path"')
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "empty\nledger\nphotos\n"
