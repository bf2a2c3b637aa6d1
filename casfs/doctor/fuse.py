"""What a mount takes of FUSE: binding, library, device, helper, and how much the kernel reads at a time."""

import os
from collections.abc import Iterator
from pathlib import Path

from casfs.config.config import Config
from casfs.doctor.check import Check, Look, fail, ok, warn
from casfs.fs.binding import load_binding
from casfs.mount import mountpoint, privileges
from casfs.mount.watcher import READ_AHEAD_KB

RULE = "99-casfs.rules"
RULE_FOLDERS = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d")
SYSFS = Path("/sys")


def looks(config: Config | None) -> tuple[Look, ...]:
    """Return what is to be looked at.

    Args:
        config: of the mount; None where nobody knows what is to be mounted.
    """
    return (
        Look("binding", _binding),
        Look("/dev/fuse", _device),
        Look("fusermount3", _privileges),
        Look("user_allow_other", lambda: _allow_other(config)),
        Look("read_ahead_kb", _read_ahead),
    )


def _binding() -> Iterator[Check]:
    binding = load_binding(os.environ.get("CASFS_FUSE"))
    name, _, library = binding.name.partition(" on ")
    yield ok("binding", name)
    if binding.libfuse >= (3, 0):
        yield ok("libfuse", library)
    else:
        yield warn("libfuse", f"{library} reads 128 KiB at a time", "install the package fuse3, and unset CASFS_FUSE")


def _device() -> Iterator[Check]:
    privileges.check_device()
    yield ok("/dev/fuse", "can be opened")


def _privileges() -> Iterator[Check]:
    helper, lacking = privileges.fusermount(), privileges.lacking()
    if lacking is not None:
        yield fail("fusermount3", lacking)
    elif os.geteuid() == 0:
        yield ok("fusermount3", f"{helper or 'not installed'}; root mounts without it")
    elif helper is None:
        yield fail("fusermount3", "neither fusermount3 nor fusermount is installed", "install the package fuse3")
    else:
        yield ok("fusermount3", helper)


def _allow_other(config: Config | None) -> Iterator[Check]:
    name, is_there = "user_allow_other", mountpoint.are_others_allowed()
    if os.geteuid() == 0 or is_there:
        yield ok(name, f"is in {mountpoint.FUSE_CONF}" if is_there else "root may let others in without it")
    elif config is not None and config.allow_other:
        mending = f"as root, run: echo user_allow_other >> {mountpoint.FUSE_CONF}"
        yield fail(name, f"--allow-other needs a line user_allow_other in {mountpoint.FUSE_CONF}", mending)
    else:
        yield ok(name, f"is not in {mountpoint.FUSE_CONF}; only --allow-other needs it")


def _read_ahead() -> Iterator[Check]:
    is_ours = os.geteuid() == 0 and not os.statvfs(SYSFS).f_flag & os.ST_RDONLY
    has_rule = any((Path(folder) / RULE).exists() for folder in RULE_FOLDERS)
    if is_ours or has_rule:
        who = "the mount sets it" if is_ours else f"{RULE} sets it"
        yield ok("read_ahead_kb", f"{READ_AHEAD_KB}, one block a read: {who}")
    else:
        mending = f"as root, run: cp contrib/{RULE} /etc/udev/rules.d/ && udevadm control --reload"
        yield warn("read_ahead_kb", "the kernel reads 128 KiB at a time, at half the speed", mending)
