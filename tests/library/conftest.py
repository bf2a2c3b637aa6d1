"""An archive service with outputs of every kind, and an environment that leads to it."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import casfs
from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.file import File
from tests.data.service import MIB, Service, mounted, sample
from tests.library import in_memory
from tests.mounting import environment

DATA = sample(4 * MIB + 77)
SECRET = "swordfish-of-the-library"

Connect = Callable[..., "casfs.Account"]


def tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("a", "b"):
            info = tarfile.TarInfo(name)
            info.size = 1000
            archive.addfile(info, io.BytesIO(DATA[:1000]))
    return made.getvalue()


def outputs() -> dict[str, bytes]:
    fixed = {"job": DATA, "tar": tar(), "inventory": json.dumps({"ArchiveList": []}).encode(), "text": b"one\ntwo\n"}
    return fixed | {f"job-{number}": DATA[number:] for number in range(8)}


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    state.add_vault("backups")
    for name, data in outputs().items():
        archive = state.add_archive("backups", InMemory(data))
        state.add_job("backups", ARCHIVE_RETRIEVAL, part(archive), job_id=name)
    with Server(state, credentials={"id": SECRET}) as running:
        yield running


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a program that has keys, and what a mount alone would heed."""
    return environment(tmp_path, "id", SECRET, CASFS_UID="nobody here", CASFS_METRICS=":1")


@pytest.fixture
def connect(server: Server, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Connect to the server, in this process."""
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    return lambda **options: casfs.connect(server.url, **options)


@pytest.fixture
def file() -> Iterator[File]:
    """An open output, through the bytes stage."""
    with mounted(Service({"job": in_memory.DATA})) as outputs, in_memory.made(outputs) as file:
        yield file
