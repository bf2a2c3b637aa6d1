"""What libfuse and the kernel are told of the mount, once and for all."""

from typing import TypeAlias

from casfs.fs.attrs import View

Options: TypeAlias = dict[str, str | int | bool]

READ_BYTES = 1 << 20
"""What one FUSE_READ should carry: a block. libfuse 3 gets it; libfuse 2 knows no reads over 128 KiB."""

ENTRY_TIMEOUT_S = 1
"""How long the kernel believes that a name stands for what it stood for: one walk of ``cp -r`` asks once a name."""

THREADS_MAX = 640
"""Callbacks at once, over libfuse 3's default of 10: those that wait must not stop ``ls``. They are the
BACKGROUND_REQUESTS of the kernel, a look-up or a listing for each place of ``tree/threads``, and some. A thread is made
when it is needed. Source: measured on 2026-11-27: each listing that stalls takes 107 KiB, its worker included."""

IDLE_THREADS = THREADS_MAX
"""Threads that libfuse keeps: all. Making one costs more than a read out of memory, and each leaves something behind
when it ends, see ``thread_state``."""

BACKGROUND_REQUESTS = 192
"""Reads ahead and asynchronous reads of all programs together, over the kernel's 12, of which libfuse 2 needs 8 for
one block. Those that stall keep theirs, and a read for which none is left does not even reach the mount: with 64, a
copy stood still while 66 others stalled. Fewer than THREADS_MAX by what other calls need."""

CONGESTED_REQUESTS = BACKGROUND_REQUESTS * 3 // 4
"""From where on the kernel holds read-ahead back: three quarters, as the kernel's own default."""


def libfuse_options(
    source: str, view: View, *, allow_other: bool, libfuse: tuple[int, int], remember: bool = False
) -> Options:
    """Return the options of a mount, as the bindings take them.

    Args:
        source: what ``mount`` and ``df`` show as the device.
        view: the modes that are to be kept.
        allow_other: whether other users than the mounter may look.
        libfuse: major and minor version of the library.
        remember: whether a name keeps its number after the kernel has forgotten it, for as long as there is the mount.
    """
    options: Options = {
        "fsname": escaped(source),
        "subtype": "casfs",
        "ro": True,
        "nosuid": True,
        "nodev": True,
        "use_ino": True,
        # A size that was learnt at open must be seen by the fstat that follows: a copy ends at the size that the
        # kernel remembers, with exit status 0.
        "attr_timeout": 0,
        "entry_timeout": ENTRY_TIMEOUT_S,
        # The tree remembers for itself what is not there.
        "negative_timeout": 0,
    }
    if allow_other:
        options["allow_other"] = True
        # The kernel's check of modes costs a getattr for each directory on each path, since they may not be
        # remembered: ``ls -l`` of 2,500 jobs took 2.5 s instead of 0.7 s. Only where it would refuse anybody.
        options["default_permissions"] = not is_open_to_all(view)
    if remember:
        options["noforget"] = True
    return options | _threads(libfuse) | _background(libfuse)


def escaped(value: str) -> str:
    """Return a value as it stands among options, where a comma ends one."""
    return value.replace("\\", "\\\\").replace(",", "\\,")


def is_open_to_all(view: View) -> bool:
    """Return whether every user may read everything."""
    return view.file_mode & 0o444 == 0o444 and view.dir_mode & 0o555 == 0o555


def _threads(libfuse: tuple[int, int]) -> Options:
    """Source: libfuse ChangeLog; before 3.12 the count of threads has no bound."""
    if libfuse >= (3, 12):
        return {"max_threads": THREADS_MAX, "max_idle_threads": IDLE_THREADS}
    return {"max_idle_threads": IDLE_THREADS} if libfuse >= (3, 0) else {}


def _background(libfuse: tuple[int, int]) -> Options:
    """Libfuse 3 takes these at init, see ``connection``."""
    if libfuse >= (3, 0):
        return {}
    return {
        "max_readahead": READ_BYTES,
        "max_background": BACKGROUND_REQUESTS,
        "congestion_threshold": CONGESTED_REQUESTS,
    }
