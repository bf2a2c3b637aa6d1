"""What this process lacks to mount by FUSE, and what gives it that.

A mount needs ``/dev/fuse``, and CAP_SYS_ADMIN or the program fusermount3, which has it by its setuid bit. Containers,
services and hardened machines take away one or the other, and the kernel says no more than "not permitted".
"""

import errno
import os
import shutil
import stat
from pathlib import Path

from casfs.errors import MountError

DEVICE = Path("/dev/fuse")
STATUS = Path("/proc/self/status")
NUMBERS = (10, 229)
"""Major and minor number of DEVICE. Source: Linux, Documentation/admin-guide/devices.txt."""

SYS_ADMIN = 21
"""Bit of the capability. Source: linux/capability.h."""

OF_CONTAINER = "in a container, start it with --device /dev/fuse --cap-add SYS_ADMIN"


def fusermount() -> str | None:
    """Return the path of the program that mounts for users who may not, or None."""
    return shutil.which("fusermount3") or shutil.which("fusermount")


def check_device(path: Path = DEVICE) -> None:
    """Raise MountError unless this process can open the device.

    Raises:
        MountError: the message says what to mend.
    """
    try:
        opened = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise MountError(f"{path}: {error.strerror}; {_device_mending(path, error.errno)}") from error
    device = os.fstat(opened)
    os.close(opened)
    if not stat.S_ISCHR(device.st_mode) or (os.major(device.st_rdev), os.minor(device.st_rdev)) != NUMBERS:
        raise MountError(f"{path} is not the device of FUSE; remove it, and run: mknod -m 666 {path} c 10 229")


def _device_mending(path: Path, number: int | None) -> str:
    match number:
        case errno.EPERM:
            return f"{OF_CONTAINER}; in a unit of systemd, DeviceAllow=/dev/fuse rw"
        case errno.EACCES if os.statvfs(path.parent).f_flag & os.ST_NODEV:
            return f"devices do not work in {path.parent}, which is mounted nodev"
        case errno.EACCES:
            return f"it is closed to you; as root, run: chmod 666 {path}"
    return f"run: modprobe fuse; {OF_CONTAINER}"


def mending(said: str) -> str | None:
    """Return what would let a mount be made that was refused, or None where nobody knows.

    Args:
        said: what libfuse and fusermount3 said of the refusal.
    """
    if "could not determine username" in said:
        return f"fusermount3 mounts only for users in passwd: give user {os.getuid()} an entry, or mount as root"
    return _missing() if os.strerror(errno.EPERM) in said else None


def _missing() -> str:
    """Return what gives this process the right to mount."""
    return lacking() or f"no mount is allowed here; {OF_CONTAINER}, and maybe --security-opt apparmor=unconfined"


def lacking() -> str | None:
    """Return what this process lacks to mount, and what gives it that; None where nothing is seen to be missing."""
    helper = fusermount()
    if not _has("CapBnd") or (os.geteuid() == 0 and not _has("CapEff")):
        return f"this process lacks CAP_SYS_ADMIN; {OF_CONTAINER}"
    if os.geteuid() != 0 and helper is not None:
        if _field("NoNewPrivs") == "1":
            return f"no-new-privileges keeps {helper} from being root: start without it, or mount as root"
        if os.statvfs(helper).f_flag & os.ST_NOSUID:
            return f"{helper} cannot be root, since it is on a file system that is mounted nosuid: mount as root"
        status = Path(helper).stat()
        if status.st_uid != 0 or not status.st_mode & stat.S_ISUID:
            return f"{helper} is not setuid root; as root, run: chown root {helper}; chmod 4755 {helper}"
    return None


def _has(field: str) -> bool:
    return bool(int(_field(field), 16) >> SYS_ADMIN & 1)


def _field(name: str) -> str:
    """Return a field of the status of this process. Source: proc_pid_status(5)."""
    lines = STATUS.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "0")
