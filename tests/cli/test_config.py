"""``casfs config show`` as a process."""

import json
from pathlib import Path

from tests.mounting import casfs, environment


def test_what_would_be_used_is_printed_and_nobody_is_asked(tmp_path: Path) -> None:
    env = environment(tmp_path, "AKIDz8krbsJ5yKBZQpn7", "swordfish")
    done = casfs("config", "show", "--json", "-o", "ro,uid=7", "--list-ttl", "9", "http://127.0.0.1:1/", env=env)
    found = {line["name"]: (line["value"], line["origin"]) for line in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, done.stderr) == (0, "")
    assert found["list_ttl"] == (9.0, "--list-ttl")
    assert found["uid"] == (7, "-o uid")
    assert found["endpoint"] == ("http://127.0.0.1:1", "SOURCE")
    assert found["secret_id"] == ("AKID***", "CASFS_* in the environment")
    assert "swordfish" not in done.stdout


def test_status_is_1_where_nothing_could_be_mounted_and_the_line_says_why(tmp_path: Path) -> None:
    env = environment(tmp_path, "", "")
    done = casfs("config", "show", "ap-chengdu:", env=env)
    assert done.returncode == 1
    assert "read_timeout\t120\tdefault" in done.stdout
    assert done.stderr.startswith("casfs: there are no credentials: set CASFS_SECRET_ID")
