"""A fresh Debian 12 in a folder, made by debootstrap; what runs in it has mounts and processes of its own."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

MAKE_S = 1200
"""More than it takes to fetch and unpack some 100 packages."""
RUN_S = 900
"""More than any of the scripts takes, of which the longest fetch packages."""

MIRROR = "http://deb.debian.org/debian"
OF_THIS_RELEASE = re.compile(r"(?<![\w-])bookworm(?![\w-])")
HOW_APT_FETCHES = re.compile(r"^Acquire::(?:https?::(?:Proxy|Timeout)|Check-|Force|Retries).*;$", re.MULTILINE)
HOW_PIP_FETCHES = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy", "cert", "timeout")

ENTER = """
root=$1 script=$2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for name in null zero full random urandom tty; do
    : >"$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mknod -m 666 "$root/dev/fuse" c 10 229
shift 2
for folder in "$@"; do
    mkdir -p "$root$folder"
    mount --bind -o ro "$folder" "$root$folder"
done
exec chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive sh -euc "cd; $script"
"""
"""Argument 1 is the root, 2 a script; those behind are folders of this machine that are to be seen there too. The mode
of /dev/fuse is what udev gives it."""
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]


def why_not() -> str | None:
    """Return what is missing here to make and enter such a root, or None."""
    if os.geteuid() != 0:
        return "only root can enter a root of its own"
    if not shutil.which("debootstrap"):
        return "debootstrap is not installed"
    if subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode:
        return "unshare has no namespaces here"
    return None


class Debian:
    """The root; it takes packages and Python's packages from where this machine takes them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pip = _HowPipFetches()

    def make(self) -> None:
        """Fetch and unpack it."""
        lists = [path for path in _lists() if OF_THIS_RELEASE.search(_told(path))]
        mirror = next((found[0] for path in lists if (found := re.search(r"https?://\S+", _told(path)))), MIRROR)
        command = ["debootstrap", "--variant=minbase", "bookworm", str(self.root), mirror]
        _succeed(subprocess.run(command, capture_output=True, text=True, timeout=MAKE_S, check=False))
        # As the system makes it when it starts.
        (self.root / "etc/mtab").symlink_to("/proc/self/mounts")
        self._configure_apt(lists)
        self._pip.write(self.root)

    def run(self, script: str, user: str = "root") -> str:
        """Return what a script prints there, run by a shell of a user's login; it ends with the script.

        Raises:
            AssertionError: it fails.
        """
        if user != "root":
            script = f"su - {user} -c {shlex.quote('set -eu; ' + script)}"
        command = [*NAMESPACES, "sh", "-euc", ENTER, "sh", str(self.root), script, *map(str, self._pip.folders)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_S, check=False
        )
        _succeed(done)
        return done.stdout

    def remove(self) -> None:
        """Remove it, whatever has been mounted in it: nothing of that is seen here."""
        subprocess.run(["rm", "-rf", "--one-file-system", self.root], check=True)

    def _configure_apt(self, lists: list[Path]) -> None:
        folder = self.root / "etc/apt"
        for path in lists:
            shutil.copy(path, folder / path.relative_to("/etc/apt"))
        if lists and Path("/etc/apt/sources.list") not in lists:
            (folder / "sources.list").unlink()
        config = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
        (folder / "apt.conf.d/99this-machine").write_text("\n".join([*HOW_APT_FETCHES.findall(config), ""]))


class _HowPipFetches:
    """What pip is configured to here.

    Attributes:
        folders: those of this machine in which it looks for packages.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-m", "pip", "config", "list"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        settings = dict(line.split("=", 1) for line in listed.splitlines())
        named = {name.rpartition(".")[2]: ast.literal_eval(value) for name, value in sorted(settings.items())}
        self._settings = {name: value for name, value in named.items() if name in HOW_PIP_FETCHES}
        self.folders = sorted({path for value in self._settings.values() for path in _folders(value)})

    def write(self, root: Path) -> None:
        """Configure the pip of another root alike."""
        lines = ["[global]"]
        for name, value in self._settings.items():
            if Path(value).is_file():
                # A copy beside, since the package ca-certificates puts a new file in the old one's place.
                shutil.copy(value, root / "etc" / f"pip-{name}")
                value = f"/etc/pip-{name}"  # noqa: PLW2901 - where it is in that root
            lines.append(f"{name} = {' '.join(value.split())}")
        (root / "etc/pip.conf").write_text("\n".join([*lines, ""]))


def _folders(value: str) -> Iterator[Path]:
    """Yield the folders that a setting names; of an index, the one around it, since its files are beside it."""
    for word in value.split():
        url = urlsplit(word)
        path = Path(url.path)
        if path.is_absolute() and path.is_dir() and url.scheme in ("", "file"):
            yield path.parent if url.scheme and path.parent != Path("/") else path


def _lists() -> list[Path]:
    folder = Path("/etc/apt")
    return [
        path
        for pattern in ("sources.list", "sources.list.d/*.list", "sources.list.d/*.sources")
        for path in sorted(folder.glob(pattern))
    ]


def _told(path: Path) -> str:
    return re.sub(r"^\s*#.*", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def _succeed(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
