"""What the environment shows once the credentials in it were read, in an interpreter of its own."""

import os
import subprocess
import sys

SCRIPT = """
import os, subprocess
from casfs.config.environment import hide_credentials
os.environ["CASFS_TOKEN"] = "set later"
hide_credentials()
print(open("/proc/self/environ").read().replace("\\0", "\\n"))
print(subprocess.run(["env"], capture_output=True, text=True, check=True).stdout)
assert os.environ["CASFS_SECRET_KEY"] == "second=2"
"""


def test_credentials_are_hidden_and_nothing_else_is() -> None:
    secrets = {"CASFS_SECRET_ID": "first", "CASFS_SECRET_KEY": "second=2", "AWS_SESSION_TOKEN": "third"}
    env = os.environ | secrets | {"CASFS_LIST_TTL": "5", "EMPTY": "", "LAST": "is kept"}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    assert not [value for value in (*secrets.values(), "set later") if value in done.stdout]
    assert done.stdout.count("CASFS_LIST_TTL=5") == done.stdout.count("LAST=is kept") == 2
