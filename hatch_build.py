"""Hook of hatchling: compiles the lanes where there is a C compiler, and takes it into the wheel."""

import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OPTIONS = ["-std=c11", "-O3", "-shared", "-fPIC"]
SOURCES = "casfs/data/hashing/compiled/*.c"
LIBRARY = "casfs/data/hashing/liblanes.so"


class LanesHook(BuildHookInterface):  # type: ignore[type-arg] # what it is configured with, which is nothing
    """Adds the library to a wheel, and to the checkout for an editable one; without a compiler adds nothing."""

    folder: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, if that can be done here."""
        if self.target_name != "wheel":
            return
        if version == "editable":
            self._compiled(Path(self.root, LIBRARY))
            return
        # Whoever installs need not be allowed to write where the checkout is.
        library = Path(tempfile.mkdtemp(prefix="lanes-"), Path(LIBRARY).name)
        if self._compiled(library):
            build_data["force_include"][str(library)] = LIBRARY
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        self.folder = library.parent

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact: str) -> None:
        """Remove what was compiled, since the wheel has it."""
        if self.folder:
            shutil.rmtree(self.folder)

    def _compiled(self, library: Path) -> bool:
        compiler = os.environ.get("CC", "cc")
        made = library.with_suffix(f".{os.getpid()}")  # a mount may be using the one that is there
        try:
            arguments = [*OPTIONS, "-o", str(made), *map(str, sorted(Path(self.root).glob(SOURCES)))]
            subprocess.run([*shlex.split(compiler), *arguments], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(f"casfs will hash one block at a time: {error}")
            return False
        made.replace(library)
        return True
