"""Names, stats and attributes through the kernel."""

import errno
import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fs import scene
from tests.fs.conftest import Scene
from tests.fs.scene import MANY, SIZE
from tests.fs.stands import COMPLETED_NS, CREATED_NS

pytestmark = pytest.mark.fuse
LIMIT_S = 30


def run(*command: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True, timeout=LIMIT_S)
    return done.stdout


def test_a_stat_has_owner_modes_times_and_inode(mounted: Scene) -> None:
    found = mounted.output("plain").stat()
    assert (found.st_uid, found.st_gid) == (os.getuid(), os.getgid())
    assert found.st_mode == stat.S_IFREG | 0o400
    assert (found.st_mtime_ns, found.st_ctime_ns) == (COMPLETED_NS, CREATED_NS)
    assert (found.st_blksize, found.st_blocks) == (1 << 20, -(-SIZE // 512))
    assert mounted.path.joinpath("vault").stat().st_mtime_ns == CREATED_NS


@pytest.mark.parametrize("where", ["", "vault", "vault/plain"])
def test_a_listing_has_the_inodes_of_stat(mounted: Scene, where: str) -> None:
    with os.scandir(mounted.path / where) as entries:
        listed = {entry.name: (entry.inode(), entry.is_dir()) for entry in entries if "stat-" not in entry.name}
    listed.pop("look-up-stalls", None)
    assert listed
    for name, (inode, is_dir) in listed.items():
        found = (mounted.path / where / name).stat()
        assert (inode, is_dir) == (found.st_ino, stat.S_ISDIR(found.st_mode))


def test_a_long_listing_of_a_large_vault_is_whole(mounted: Scene) -> None:
    lines = run("ls", "-l", mounted.path / "many").splitlines()
    assert [line.split()[-1] for line in lines[1:]] == [f"job-{number:05}" for number in range(MANY)]


def test_find_walks_everything(mounted: Scene) -> None:
    assert len(run("find", mounted.path / "many", "-name", "output").splitlines()) == MANY


def test_du_counts_what_a_copy_would_take(mounted: Scene) -> None:
    assert int(run("du", "-s", "-B1", mounted.path / "vault/plain").split()[0]) == -(-SIZE // 512) * 512


def test_df_answers_without_a_look_at_the_tree(mounted: Scene) -> None:
    before = mounted.counts()
    assert run("df", "--output=source,fstype,pcent", mounted.path).splitlines()[1].split() == [
        "a,scene",
        "fuse.casfs",
        "0%",
    ]
    assert mounted.counts()["statfs"] > before["statfs"]
    assert mounted.counts()["readdir"] == before["readdir"]


@pytest.mark.parametrize("name", [b"nothing", b"\xff\xfe", b"a\xc3", "grün".encode(), b"new\nline"])
def test_a_name_that_is_not_there_is_not_there_whatever_its_bytes(mounted: Scene, name: bytes) -> None:
    for where in (b"", b"vault", b"vault/plain"):
        with pytest.raises(FileNotFoundError):
            os.stat(os.path.join(os.fsencode(mounted.path), where, name))  # noqa: PTH116, PTH118 - bytes


@pytest.mark.parametrize("name", [b"x" * 256, b"x" * 1024, "\u6863".encode() * 86, b"\xff" * 256], ids=len)
@pytest.mark.parametrize("where", [b"", b"vault", b"vault/plain"])
def test_a_name_over_255_bytes_is_too_long_at_every_level(mounted: Scene, where: bytes, name: bytes) -> None:
    path = os.path.join(os.fsencode(mounted.path), where, name)  # noqa: PTH118 - bytes
    for asking in (os.stat, os.listdir, os.listxattr, lambda path: os.open(path, os.O_RDONLY)):
        with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)):
            asking(path)
    with pytest.raises(FileNotFoundError):
        os.stat(os.path.join(os.fsencode(mounted.path), where, name[:255]))  # noqa: PTH116, PTH118 - bytes


def test_an_output_without_an_x_bit_cannot_be_run(mounted: Scene) -> None:
    output = mounted.output("plain")
    assert os.access(output, os.R_OK)
    assert not os.access(output, os.X_OK)
    assert all(os.access(path, os.R_OK | os.X_OK) for path in output.parents[:3])
    assert run("bash", "-c", f"[[ -x {output} ]] || [[ ! -d {output.parent} ]] || echo no") == "no\n"


CHANGES: dict[str, Callable[[Path], object]] = {
    "create": lambda path: (path / "new").write_bytes(b""),
    "write": lambda path: (path / "vault/plain/output").open("r+b"),
    "append": lambda path: (path / "vault/plain/output").open("ab"),
    "truncate": lambda path: os.truncate(path / "vault/plain/output", 1),
    "mkdir": lambda path: (path / "new").mkdir(),
    "rmdir": lambda path: (path / "vault/plain").rmdir(),
    "unlink": lambda path: (path / "vault/plain/output").unlink(),
    "rename": lambda path: (path / "vault/plain/output").rename(path / "vault/plain/other"),
    "link": lambda path: (path / "vault/plain/other").hardlink_to(path / "vault/plain/output"),
    "symlink": lambda path: (path / "vault/plain/other").symlink_to("output"),
    "mknod": lambda path: os.mknod(path / "new"),
    "chmod": lambda path: (path / "vault").chmod(0o777),
    "chown": lambda path: os.chown(path / "vault", 1, 1),
    "utime": lambda path: os.utime(path / "vault", (1, 1)),
    "setxattr": lambda path: os.setxattr(path / "vault", "user.x", b"x"),
    "removexattr": lambda path: os.removexattr(path / "vault", "user.cas.describe"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_can_be_changed(mounted: Scene, change: str) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
        CHANGES[change](mounted.path)


def test_getfattr_shows_every_attribute_as_text(mounted: Scene) -> None:
    shown = run("getfattr", "-d", "--absolute-names", mounted.output("described"))
    values = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    assert values["user.cas.completed"] == '"true"'
    assert values["user.cas.archive_size_in_bytes"] == f'"{SIZE}"'
    assert values["user.cas.job_description"] == r'"\"gr\\u00fcn\"\\n\\\\"'
    assert all(value.startswith('"') for value in values.values())
    assert set(values) == set(os.listxattr(mounted.output("described")))


def test_an_attribute_can_be_read_by_its_name_and_is_else_not_there(mounted: Scene) -> None:
    path = mounted.output("described")
    assert json.loads(os.getxattr(path, "user.cas.describe"))["JobId"] == "described"
    for name in ("user.cas.nothing", "user.cas.tier", "security.selinux", "trusted.x"):
        with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
            os.getxattr(path, name)


def test_an_attribute_whose_name_is_no_text_is_not_there(mounted: Scene) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        os.getxattr(mounted.output("plain"), b"user.\xff")


def test_the_attributes_of_directories_are_theirs(mounted: Scene) -> None:
    assert os.listxattr(mounted.path) == ["user.cas.stats"]
    assert json.loads(os.getxattr(mounted.path, "user.cas.stats"))["requests"] == 0
    vault = mounted.path / "vault"
    assert os.listxattr(vault) == ["user.cas.describe", "user.cas.vault_name", "user.cas.size_in_bytes"]
    assert os.getxattr(vault, "user.cas.vault_name") == b"vault"
    only_of_bytes = {"user.cas.expires", "user.cas.verified", "user.mime_type"}
    of_output = set(os.listxattr(mounted.output("plain")))
    assert set(os.listxattr(vault / "plain")) == of_output - only_of_bytes
    assert only_of_bytes <= of_output


def test_a_thread_of_libfuse_3_is_known_again_at_its_next_callback(mounted: Scene) -> None:
    before = mounted.counts()
    for _ in range(200):
        mounted.path.stat()
    after = mounted.counts()
    assert after["getattr"] - before["getattr"] >= 200
    is_kept = after[scene.STATES] - before[scene.STATES] < 20
    assert is_kept == (mounted.binding == "mfusepy")


@pytest.mark.parametrize("command", [["cp", "-a"], ["cp", "--preserve=xattr"], ["rsync", "-aX"]], ids=" ".join)
def test_a_copy_carries_the_attributes(mounted: Scene, tmp_path: Path, command: list[str]) -> None:
    target = tmp_path / "copy"
    target.touch()
    try:
        os.setxattr(target, "user.test", b"x")
    except OSError:
        pytest.skip(f"{tmp_path} takes no user.* attributes")
    source = mounted.output("described")
    run(*command, source, target)
    copied = {name: os.getxattr(target, name) for name in os.listxattr(target) if name != "user.test"}
    assert copied == {name: os.getxattr(source, name) for name in os.listxattr(source)}


def test_rsync_has_nothing_to_do_the_second_time(mounted: Scene, tmp_path: Path) -> None:
    source = mounted.path / "vault/plain"
    run("rsync", "-aX", source, tmp_path)
    assert run("rsync", "-aX", "--itemize-changes", source, tmp_path) == ""


def test_every_failure_that_nobody_foresaw_is_in_the_log_with_its_traceback(mounted: Scene) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        mounted.output("stat-bug").stat()
    log = mounted.log.read_text()
    assert "getattr failed in a way that nobody foresaw" in log
    assert "ValueError: a bug" in log
    assert scene.__name__.rpartition(".")[2] in log
