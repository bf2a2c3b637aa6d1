"""A machine of its own, under qemu without anything of this one's processor or network: a Debian with its systemd.

A container would do for systemd, but not for whoever started it: one that is set up wrong is on this machine's own
mounts and control groups. What the emulated machine does, it does to itself.
"""

import base64
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.long import agent, debian
from tests.long.debian import Debian

PACKAGES = "linux-image-cloud-amd64 systemd-sysv dbus udev kmod fuse3 python3-venv gcc libc6-dev procps"
DISK = "3G"
MEMORY = "1024M"
BOOT_S = 600.0
"""A boot takes 40 s on a processor that is emulated, on an idle machine."""
RUN_S = 600.0
AGENT = """
[Service]
ExecStart=python3 /root/agent.py
[Install]
WantedBy=multi-user.target
"""


def why_not() -> str | None:
    """Return what is missing here for such a machine, or None."""
    for program in ("qemu-system-x86_64", "mke2fs"):
        if not shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin"):
            return f"{program} is not installed"
    return "only an x86-64 can make its root" if platform.machine() != "x86_64" else debian.why_not()


class Machine:
    """A machine that can be booted, again and again, from one disk.

    Args:
        root: what the disk has at first, with PACKAGES.
        folder: where the disk is made.
    """

    def __init__(self, root: Debian, folder: Path) -> None:
        self._folder = folder
        self._disk = folder / "disk"
        self._line: socket.socket | None = None
        self._boot = root.root / "boot"
        shutil.copy(agent.__file__, root.root / "root/agent.py")
        (root.root / "etc/systemd/system/agent.service").write_text(AGENT)
        (root.root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
        root.run("systemctl enable agent.service")
        command = ["mke2fs", "-q", "-t", "ext4", "-d", root.root, self._disk, DISK]
        subprocess.run(list(map(str, command)), check=True, timeout=debian.MAKE_S)

    @contextmanager
    def booted(self) -> Iterator[None]:
        """Boot, and have it shut down at the end of the block as its own systemd does."""
        address = self._folder / f"line-{time.monotonic_ns()}"
        with subprocess.Popen(self._command(address)) as process:
            try:
                self._line = _connected(address)
                assert self._answer(BOOT_S) == "ready", self.console()
                yield
                self._send("systemctl --no-block poweroff")
                process.wait(BOOT_S)
            finally:
                process.kill()
                if self._line is not None:
                    self._line.close()

    def run(self, script: str) -> str:
        """Return what a script of root's prints there, errors too.

        Raises:
            AssertionError: it fails.
        """
        self._send(script)
        status, _, printed = self._answer(RUN_S).partition(" ")
        text = base64.b64decode(printed).decode()
        assert status == "0", f"{script}\n{text}\n{self.console()[-2000:]}"
        return text

    def console(self) -> str:
        """Return what it has written to its console."""
        return (self._folder / "console").read_text(errors="replace")

    def _command(self, address: Path) -> list[str]:
        kernel, initrd = (str(next(self._boot.glob(name))) for name in ("vmlinuz-*", "initrd.img-*"))
        console, line = f"file:{self._folder / 'console'}", f"unix:{address},server=on,wait=on"
        return [
            "qemu-system-x86_64", "-machine", "accel=tcg", "-cpu", "max", "-m", MEMORY, "-nic", "none", "-no-reboot",
            "-display", "none", "-monitor", "none", "-serial", console, "-serial", line,
            "-drive", f"file={self._disk},if=virtio,format=raw,cache=unsafe", "-kernel", kernel, "-initrd", initrd,
            "-append", "root=/dev/vda rw console=ttyS0 edd=off panic=-1",
        ]  # fmt: skip

    def _send(self, script: str) -> None:
        assert self._line is not None
        self._line.sendall(base64.b64encode(script.encode()) + b"\n")

    def _answer(self, wait_s: float) -> str:
        assert self._line is not None
        self._line.settimeout(wait_s)
        answer = b""
        while not answer.endswith(b"\n"):
            part = self._line.recv(65536)
            assert part, f"the machine has ended\n{self.console()[-2000:]}"
            answer += part
        return answer.decode().strip()


def _connected(address: Path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    ends_s = time.monotonic() + BOOT_S
    while True:
        try:
            line.connect(str(address))
        except OSError:
            assert time.monotonic() < ends_s, "qemu listens"
            time.sleep(0.1)
        else:
            return line
