"""A disk that is too small for what comes out of a vault, and then is not."""

import errno
import os
import shlex
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.drain.runs import LIMIT_S, Drain
from tests.drain.services import served

NAMESPACE = ("unshare", "-m", "sh", "-euc")
SCRIPT = """
mount -t tmpfs -o size=2m,mode=700 none "$1"
status=0
{first} 2>"$2/first" || status=$?
test "$status" = 1
find "$1" -type f >"$2/files"
mount -o remount,size=64m "$1"
{second}
mkdir "$2/copy"
cp -a "$1/." "$2/copy/"
"""


def test_a_full_disk_is_said_and_what_fitted_is_not_done_again(tmp_path: Path) -> None:
    if os.geteuid() or subprocess.run([*NAMESPACE, "true"], check=False, timeout=120).returncode:
        pytest.skip("unshare -m is not allowed here")
    with served("cas", 12, hostile=3) as service:
        drain = Drain(service, tmp_path)
        drain.destination.mkdir(parents=True)
        looked_at = tmp_path / "looked-at"
        looked_at.mkdir()
        command = shlex.join(drain.command())
        script = SCRIPT.format(first=command, second=command)
        ran = [*NAMESPACE, script, "sh", str(drain.destination), str(looked_at)]
        done = subprocess.run(ran, env=drain.environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, done.stderr
        said = (looked_at / "first").read_text().splitlines()[-1]
        assert os.strerror(errno.ENOSPC) in said
        first = (looked_at / "files").read_text()
        assert "/MANIFEST.jsonl" in first
        assert "/.casfs-part/" not in first
        drain.destination.rmdir()
        (looked_at / "copy").rename(drain.destination)
        for left in looked_at.iterdir():
            left.unlink()
        looked_at.rmdir()
        drain.check(done.stdout + done.stderr)
        assert service.paid() == Counter(list(service.archives))
        assert max(service.downloads().values()) <= 2
