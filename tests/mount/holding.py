"""``casfs``, and a thread that takes the lock of all reads and never lets it go, once a file is there.

If the file is called ``all``, that of the counters too, so that nothing is answered any more.

Run as a script; the file is the first argument, the command follows.
"""

import gc
import sys
import threading
import time
from pathlib import Path

if __name__ == "__main__":
    # Behind everything else, so that an installed casfs is the one that is tested.
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from casfs.cli.main import main
from casfs.data.outputs import Outputs
from casfs.operate.signals import block_signals


def hold(when: Path) -> None:
    """Wait for the file, and hold the lock."""
    while not when.exists():
        time.sleep(0.01)
    for outputs in [one for one in gc.get_objects() if isinstance(one, Outputs)]:
        outputs._monitor._lock.__enter__()
        if when.name == "all":
            outputs._stats._lock.acquire()
    when.with_suffix(".held").touch()
    threading.Event().wait()


if __name__ == "__main__":
    block_signals()
    threading.Thread(target=hold, args=(Path(sys.argv.pop(1)),), daemon=True).start()
    main()
