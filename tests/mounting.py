"""The real command line in a process of its own, for tests that go through the kernel."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

COMMAND_LIMIT_S = 120.0
"""More than any command of casfs may take, on a very busy machine: the check of a mount has 30 s."""

Mounting = Callable[..., AbstractContextManager[Path]]


class Service(Protocol):
    """Anything with an address."""

    @property
    def url(self) -> str:
        """Where it answers."""
        ...


def environment(home: Path, secret_id: str = "id", secret_key: str = "key", **more: str) -> dict[str, str]:
    """Return this process's environment without what casfs would take from it, with a key and a home of the test's.

    The key is there for every provider; a log file is, since this machine need not have a system log.
    """
    keys = ("CASFS_SECRET", "CASFS_TOKEN", "TENCENTCLOUD_", "CREDENTIALS_DIRECTORY", "XDG_", "AWS_")
    ways = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(keys + ways)}
    own = {
        "CASFS_LOG_FILE": str(home / "log-of-mounts"),
        "HOME": str(home),
        "CASFS_SECRET_ID": secret_id,
        "CASFS_SECRET_KEY": secret_key,
    }
    aws = {"AWS_ACCESS_KEY_ID": secret_id, "AWS_SECRET_ACCESS_KEY": secret_key, "AWS_DEFAULT_REGION": "us-west-2"}
    return kept | own | aws | {"AWS_EC2_METADATA_DISABLED": "true"} | more


def casfs(*arguments: object, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``casfs`` with *arguments* to its end, and to that of everybody who holds its output."""
    command = [sys.executable, "-m", "casfs", *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)


@contextmanager
def foreground(
    service: Service, path: Path, home: Path, *options: str, stderr: int | None = None, log_level: str = "error"
) -> Iterator[subprocess.Popen[bytes]]:
    """Mount in the foreground; the block begins once the mount says that it answers, as it says to systemd.

    Nothing of it outlives the block.
    """
    command = [sys.executable, "-m", "casfs", "mount", "-f", "--log-level", log_level, *options, service.url, str(path)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        notify = home / f"notify-{time.monotonic_ns()}"
        manager.bind(str(notify))
        manager.settimeout(COMMAND_LIMIT_S)
        env = environment(home, NOTIFY_SOCKET=str(notify))
        del env["CASFS_LOG_FILE"]
        with subprocess.Popen(command, env=env, stderr=stderr) as process:
            try:
                assert b"READY=1" in manager.recv(1000).split(b"\n")
                yield process
            finally:
                process.kill()


def sbin(directory: Path) -> Path | None:
    """Make a folder for ``/sbin`` in *directory*: the helpers of mount(8), and what Python finds libraries by.

    Returns:
        It; None where fuse3 is not installed.
    """
    programs = [shutil.which(name, path="/sbin:/usr/sbin") for name in ("mount.fuse3", "ldconfig")]
    if None in programs:
        return None
    made = directory / "sbin"
    made.mkdir()
    for program in filter(None, programs):
        shutil.copy(program, made)
    (made / "mount.fuse").symlink_to("mount.fuse3")
    for name, module in {"casfs": "main", "mount.casfs": "mount_helper"}.items():
        program = f"from casfs.cli.{module} import main; main()"
        (made / name).write_text(f"#!/bin/sh\nexec {sys.executable} -c '{program}' \"$@\"\n")
        (made / name).chmod(0o755)
    return made


def processes_of(path: Path, program: str = "casfs") -> list[int]:
    """Return the processes that serve the mount at *path*: those of *program* that were given it as an argument."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            # Not globbed for: that would ask whether it is there, and raise where the process ends meanwhile.
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(program) in arguments and os.fsencode(path) in arguments:
            found.append(int(process.name))
    return found


def wait_until(happened: Callable[[], bool], what: str, limit_s: float = 40.0) -> None:
    """Return once *happened* says so; fail after *limit_s* seconds."""
    ends_s = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < ends_s, f"within {limit_s} s: {what}"
        time.sleep(0.01)


def is_mounted(path: Path) -> bool:
    """Whether something is mounted at *path*, be it dead."""
    try:
        return path.stat().st_dev != path.parent.stat().st_dev
    except OSError:
        return True


def names(path: Path) -> list[str]:
    """Return the names in a directory, sorted."""
    return sorted(entry.name for entry in path.iterdir())
