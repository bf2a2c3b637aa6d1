"""The file that is read to see whether reads are answered, through the kernel."""

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.models import PROBE_NAME
from tests.mounting import Mounting, names

pytestmark = pytest.mark.fuse


def test_is_read_and_never_listed_nor_copied(server: Server, mounting: Mounting, tmp_path: Path) -> None:
    with mounting(server) as root:
        probe = root / PROBE_NAME
        asked = len(server.requests)
        told = probe.read_bytes()
        assert told.startswith(b"casfs answers reads here: ")
        found = probe.stat()
        assert (stat.S_ISREG(found.st_mode), found.st_size) == (True, len(told))
        assert os.listxattr(probe) == []
        assert len(server.requests) == asked, "the service was not asked"
        assert subprocess.run(["dd", f"if={probe}", "bs=7"], capture_output=True, check=True).stdout == told

        assert PROBE_NAME not in names(root)
        assert PROBE_NAME not in subprocess.run(["ls", "-a", root], capture_output=True, text=True, check=True).stdout
        walk = subprocess.run(["find", root, "-name", ".*"], capture_output=True, text=True, check=True).stdout
        assert walk == ""
        for name, command in {"cp": ["cp", "-r"], "rsync": ["rsync", "-a"]}.items():
            subprocess.run([*command, f"{root}/", tmp_path / name], check=True, timeout=120)
            assert names(root) == names(tmp_path / name)


def test_nobody_changes_it(server: Server, mounting: Mounting) -> None:
    with mounting(server) as root:
        for call in (lambda: os.open(root / PROBE_NAME, os.O_RDWR), (root / PROBE_NAME).unlink):
            with pytest.raises(OSError, match="Read-only") as raised:
                call()
            assert raised.value.errno == errno.EROFS


def test_is_in_the_root_alone_be_it_that_of_one_vault(server: Server, mounting: Mounting) -> None:
    with mounting(server, suffix="/-/photos") as root:
        assert (root / PROBE_NAME).read_bytes()
        assert PROBE_NAME not in names(root)
    with mounting(server) as root:
        assert not (root / "photos" / PROBE_NAME).exists()


def test_is_answered_when_the_service_fails_every_question(server: Server, mounting: Mounting) -> None:
    with mounting(server, "--list-ttl", "1", "--read-timeout", "1") as root:
        server.faults.add(Fault(kind=Kind.STATUS, status=500, times=None))
        assert (root / PROBE_NAME).read_bytes()
