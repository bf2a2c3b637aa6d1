"""The path of a read in the documents is the one that a read takes."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_documents_show_the_path_that_a_cold_and_a_warm_read_take() -> None:
    told = re.search(r"```path\n(.*?)```", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.DOTALL)
    assert told is not None
    command = [sys.executable, str(ROOT / "contrib" / "hops.py"), "--map"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=240, check=True)
    assert told[1] == done.stdout, "if the new path is the right one: python contrib/hops.py --map prints it"
