"""Through the kernel: extended attributes of long documents, carried to another file system."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from tests.mounting import Mounting
from tests.providers import DIALECTS, EVERY_PROVIDER, state_of

pytestmark = [pytest.mark.fuse, EVERY_PROVIDER]

DESCRIPTIONS = {
    "short": ("a letter", "a letter"),
    "chinese": ("\u6863\u6848" * 100, "\u6863\u6848" * 100),
    "ascii": ("letter " * 129, "letter " * 129),
    "longest": ("\U0001f4dc" * 250, "\U0001f4dc" * 250),
    "odd": ("\u00e9", "\\u00e9"),
}
"""By job: what its archive and the job itself are called."""
ALWAYS = {"user.cas.tree_hash", "user.cas.expires", "user.cas.verified"}

CHANGING = {"user.cas.verified", "user.mime_type"}
COMMANDS = (["rsync", "-aX"], ["cp", "-r", "--preserve=xattr"], ["cp", "-a"])


@pytest.fixture
def root(provider: str, mounting: Mounting) -> Iterator[Path]:
    dialect = DIALECTS[provider]
    state = state_of(provider)
    state.add_vault("vault")
    for name, (archive, job) in DESCRIPTIONS.items():
        retrieved = part(state.add_archive("vault", InMemory(b"A letter."), archive))
        state.add_job("vault", ARCHIVE_RETRIEVAL, retrieved, job_id=name, description=job)
    with (
        Server(state, credentials={"id": "key"}, dialect=dialect) as server,
        mounting(server, "--provider", provider) as root,
    ):
        yield root


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[Path]:
    """Make an ext4 whose inodes have no room for attributes, so that a file has one block for them."""
    image, path = tmp_path / "image", tmp_path / "ext4"
    path.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)
    made = ["mkfs.ext4", "-q", "-b", "4096", "-I", "128", str(image)]
    for command in (made, ["mount", "-o", "loop", str(image), str(path)]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        except FileNotFoundError:
            pytest.skip(f"{command[0]} is not installed")
        if done.returncode:
            pytest.skip(f"{command[0]}: {done.stderr}")
    yield path
    subprocess.run(["umount", path], check=True, timeout=60)


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def lasting(path: Path) -> dict[str, bytes]:
    """Return the attributes that do not change while an output is read."""
    return {name: value for name, value in attributes(path).items() if name not in CHANGING}


def test_a_copy_to_ext4_carries_what_is_listed_however_long_the_document(root: Path, ext4: Path) -> None:
    for number, command in enumerate(COMMANDS):
        copy = ext4 / str(number)
        copy.mkdir()
        done = subprocess.run(
            [*command, root / "vault", copy], capture_output=True, text=True, check=False, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, "")
        for path in ("vault", *(f"vault/{name}/{leaf}" for name in DESCRIPTIONS for leaf in ("", "output"))):
            assert lasting(copy / path) == lasting(root / path)
        assert all(set(os.listxattr(copy / "vault" / name / "output")) >= ALWAYS for name in DESCRIPTIONS)


def test_what_is_not_listed_is_answered_by_its_name(root: Path) -> None:
    for name, (_, job) in DESCRIPTIONS.items():
        output = root / "vault" / name / "output"
        document = json.loads(os.getxattr(output, "user.cas.describe"))
        value = os.getxattr(output, "user.cas.job_description").decode()
        assert document["JobDescription"] == job == json.loads(f'"{value}"')
        assert os.getxattr(output, "user.cas.archive_id").decode() == document["ArchiveId"]
        assert sum(len(name) + len(os.getxattr(output, name)) + 20 for name in os.listxattr(output)) <= 3500
    assert set(os.listxattr(root / "vault/short/output")) > {"user.cas.describe", "user.cas.job_description"}
    assert "user.cas.describe" not in os.listxattr(root / "vault/longest/output")
