"""The one place that chooses a FUSE binding and wraps it: mfusepy on libfuse 3, or fusepy on libfuse 2.

``CASFS_FUSE`` chooses: ``3`` or ``mfusepy``; ``2`` or ``fusepy``; empty or unset, libfuse 3 if it is there, else
libfuse 2. FUSE_LIBRARY_PATH, which both bindings read, is left as it is.
"""

import importlib
import os
from types import ModuleType
from typing import Any

from casfs.errors import ConfigError, MountError
from casfs.fs import footing
from casfs.fs.interrupts import Interrupts
from casfs.fs.needs import Mount
from casfs.fs.operations import Operations
from casfs.fs.options import Options
from casfs.fs.seam import Seam
from casfs.fs.session import FusepySession, MfusepySession, Session

CHOICES = {"": ("mfusepy", "fuse"), "3": ("mfusepy",), "mfusepy": ("mfusepy",), "2": ("fuse",), "fusepy": ("fuse",)}
"""The values of CASFS_FUSE, and the modules that each lets be tried, best first."""

MENDING = {
    "": "libfuse 3 is missing: install the package fuse3",
    "mfusepy": "libfuse 3 is missing: install the package fuse3",
    "fuse": "libfuse 2 is missing: install the package libfuse2 (libfuse2t64 from Debian 13 and Ubuntu 24.04 on)",
}


class Binding:
    """A FUSE binding and the library below it.

    Attributes:
        name: for the log and ``casfs doctor``.
        libfuse: major and minor version of the library.
    """

    def __init__(self, module: ModuleType) -> None:
        bound: Any = module
        # Source: libfuse, FUSE_MAKE_VERSION: 29 is 2.9, 314 is 3.14.
        version = int(bound._libfuse.fuse_version())  # noqa: SLF001 - the bindings have no public way to the library
        self.libfuse = divmod(version, 10 if version < 100 else 100)
        self._module = bound
        self._is_fusepy = module.__name__ == "fuse"
        self.name = f"{'fusepy' if self._is_fusepy else 'mfusepy'} on libfuse {self.libfuse[0]}.{self.libfuse[1]}"
        self._interrupts = Interrupts(bound._libfuse.fuse_interrupted, self._caller)  # noqa: SLF001 - as above

    def interrupted(self) -> bool:
        """Return whether the program that the calling thread answers should end; False outside of callbacks."""
        return self._interrupts.interrupted()

    def serve(self, operations: Operations, mountpoint: str, options: Options, mount: Mount) -> None:
        """Mount, and answer the kernel until the mount is gone.

        Args:
            operations: what to answer.
            mountpoint: a directory.
            options: see ``options.libfuse_options``.
            mount: is told when there is one, and tells it from others.

        Raises:
            MountError: there is no mount.
            CasfsError: what ``operations.init`` raised; the mount is gone.
        """
        session = (FusepySession if self._is_fusepy else MfusepySession)(operations, mount, self._module.fuse_exit)
        try:
            self._run(session, mountpoint, options)
        except RuntimeError as error:
            raise MountError(f"libfuse could not mount on {mountpoint} (its status {error})") from error
        if session.failure is not None:
            raise session.failure

    def _run(self, session: Session, mountpoint: str, options: Options) -> None:
        """Be libfuse's main thread, until the mount is gone."""
        # libfuse 2 ends its threads as soon as ten are idle.
        ours = {"interrupts": self._interrupts, "are_threads_lasting": self.libfuse >= (3, 0)}
        fuse = type("Fuse", (Seam, self._module.FUSE), ours)
        fuse(session, mountpoint, raw_fi=True, foreground=True, **options)

    def _caller(self) -> int:
        _, _, thread = self._module.fuse_get_context()
        return int(thread)


def load_binding(choice: str | None = None) -> Binding:
    """Return the binding that *choice* asks for, or the best that is there.

    Args:
        choice: the value of CASFS_FUSE.

    Raises:
        ConfigError: no such choice.
        MountError: none is there, or one in which casfs does not find what it replaces; the message names the package
            to install.
    """
    modules = CHOICES.get((choice or "").lower())
    if modules is None:
        raise ConfigError(f"CASFS_FUSE={choice}: it is one of 3, mfusepy, 2, fusepy")
    binding = next((found for name in modules if (found := _bound(name)) is not None), None)
    if binding is None:
        raise MountError(MENDING[modules[0] if len(modules) == 1 else ""])
    return binding


def _bound(name: str) -> Binding | None:
    """Return the binding of a module, or None where the module or its library is not there.

    mfusepy takes libfuse 2 where both are installed, unless it is told the name of the library before it is imported.
    """
    if name == "mfusepy" and not os.environ.get("FUSE_LIBRARY_PATH"):
        os.environ.setdefault("FUSE_LIBRARY_NAME", "fuse3")
    try:
        module = importlib.import_module(name)
    except (ImportError, OSError, AttributeError):
        # OSError: no libfuse. AttributeError: one of a version that the binding does not know.
        return None
    footing.check(module)
    binding = Binding(module)
    # fusepy does not look, and would read garbage out of the structures of libfuse 3.
    return None if name == "fuse" and binding.libfuse >= (3, 0) else binding
