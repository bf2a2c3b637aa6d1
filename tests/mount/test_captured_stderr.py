"""Standard error while a mount is made, through the descriptor itself: each script has an interpreter of its own."""

import subprocess
import sys

import pytest

SCRIPT = """
import os, subprocess
from casfs.mount.captured_stderr import CapturedStderr
errors = CapturedStderr()
errors.keep()
os.write(2, b"a log line\\n")
subprocess.run(["sh", "-c", "echo 'fusermount3: no access' >&2; echo 'fuse: nor this' >&2"])
{end}
os.write(2, b"after\\n")
"""


@pytest.mark.parametrize(
    ("end", "returned", "shown"),
    [
        ("print(errors.show())", "None", "a log line\nfusermount3: no access\nfuse: nor this\nafter\n"),
        ("print(errors.drop())", "no access; nor this", "after\n"),
        ("print(errors.drop()); errors.show()", "no access; nor this", "after\n"),
        ("errors.show(); print(errors.drop())", "", "a log line\nfusermount3: no access\nfuse: nor this\nafter\n"),
    ],
)
def test_what_was_kept_is_shown_or_told_once(end: str, returned: str, shown: str) -> None:
    command = [sys.executable, "-c", SCRIPT.format(end=end)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert (done.stdout, done.stderr) == (f"{returned}\n", shown)
