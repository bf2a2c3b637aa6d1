"""What a cache does on a file system of its own, which becomes full, read-only, or another one; as one line of JSON.

python -m tests.disk.on_a_disk SCENARIO MOUNTPOINT        in a mount namespace, where MOUNTPOINT is one of 20 MiB
"""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.data.service import MIB
from tests.disk.contents import Archive, Time, open_store, served

ARCHIVE = Archive.of(64 * MIB)
SMALL = Archive.of(3 * MIB + 7, 80)


class Scenario:
    """A cache larger than its disk, and what it said and did."""

    def __init__(self, mountpoint: Path) -> None:
        self.mountpoint, self.time = mountpoint, Time()
        self.messages: list[str] = []
        logging.getLogger("casfs.data.disk.outage").addFilter(self.hear)
        logging.getLogger("casfs").setLevel(logging.INFO)
        self.store = open_store(mountpoint / "cache", 1 << 30, self.time)
        self.found: dict[str, object] = {"messages": self.messages}

    def hear(self, record: logging.LogRecord) -> bool:
        self.messages.append(record.levelname)
        return False

    def mount(self, *options: str) -> None:
        subprocess.run(["mount", *options, str(self.mountpoint)], check=True)

    def copy(self, archive: Archive) -> int:
        """Keep all blocks of an output, a few at a time; return how many are served then."""
        content = self.store.content(archive.key)
        for at in range(0, archive.count, 4):
            content.write(archive.new(range(at, min(at + 4, archive.count))))
        return len(served(content, archive))

    def too_small(self) -> None:
        self.found["kept"] = self.copy(ARCHIVE)
        self.found["kept without a new trial"] = self.copy(ARCHIVE)
        self.found["reason"] = self.store.outage.reason if self.store.outage else None
        self.mount("-o", "remount,size=200m")
        self.time.now_s += 1000
        self.found["kept once there is room"] = self.copy(ARCHIVE)

    def read_only(self) -> None:
        self.found["kept"] = self.copy(SMALL)
        self.mount("-o", "remount,ro")
        content = self.store.content(ARCHIVE.key)
        self.found["kept while it is read-only"] = content.write(ARCHIVE.new([0]))
        self.found["served while it is read-only"] = len(served(self.store.content(SMALL.key), SMALL))
        self.found["reason"] = self.store.outage.reason if self.store.outage else None
        self.mount("-o", "remount,rw")
        self.time.now_s += 1000
        self.found["kept after"] = content.write(ARCHIVE.new([0]))

    def unmounted(self) -> None:
        self.found["kept"] = self.copy(SMALL)
        subprocess.run(["umount", "-l", str(self.mountpoint)], check=True)
        for _ in range(5):
            self.found["kept while it is gone"] = self.copy(SMALL)
            self.time.now_s += 1000
        self.found["made below it"] = [path.name for path in self.mountpoint.iterdir()]
        self.found["reason"] = self.store.outage.reason if self.store.outage else None


SCENARIOS: dict[str, Callable[[Scenario], None]] = {
    "too-small": Scenario.too_small,
    "read-only": Scenario.read_only,
    "unmounted": Scenario.unmounted,
}

if __name__ == "__main__":
    scenario = Scenario(Path(sys.argv[2]))
    SCENARIOS[sys.argv[1]](scenario)
    sys.stdout.write(json.dumps(scenario.found))
