"""A server that does what a test tells it, and clients of it that do not wait between attempts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casfs.api.client import Client
from casfs.models import Credentials, RangeResponse
from casfs.stats import Stats
from casfs.waiting import never
from tests.api.scripted import ScriptedServer
from tests.certificate import CERTIFICATE, certified
from tests.providers import cas
from tests.settings import client_settings

Configure = Callable[[str], None]


def take(_answer: RangeResponse) -> None:
    """Accept every answer."""


def ignore(_count: int) -> None:
    """Be told a number, and do nothing."""


class Into:
    """A sink that takes what comes: into one buffer, or one after the other."""

    def __init__(
        self,
        *buffers: memoryview,
        filled: Callable[[int], None] = ignore,
        accept: Callable[[RangeResponse], None] = take,
        received: Callable[[int], None] = ignore,
        cancelled: Callable[[], bool] = never,
    ) -> None:
        self.buffer = buffers.__getitem__
        self.filled = filled
        self.accept = accept
        self.received = received
        self.is_cancelled = cancelled


KEYS = Credentials("AKIDtests", "the-secret-key")


@pytest.fixture
def plain_server() -> Iterator[ScriptedServer]:
    yield from started(ScriptedServer())


@pytest.fixture
def tls_server() -> Iterator[ScriptedServer]:
    yield from started(ScriptedServer(tls=certified()))


@pytest.fixture
def server(plain_server: ScriptedServer) -> ScriptedServer:
    return plain_server


def started(server: ScriptedServer) -> Iterator[ScriptedServer]:
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stats() -> Stats:
    return Stats()


@pytest.fixture
def client(server: ScriptedServer, stats: Stats) -> Iterator[Client]:
    client = new_client(server.url, stats, ca_bundle=str(CERTIFICATE))
    yield client
    client.close()


STALLING_S = 4.0
"""A time for a read within which a second without a byte is a stall, for tests of that; it is none of the call's."""


def new_client(
    url: str,
    stats: Stats,
    *,
    read_timeout_s: float = 60.0,
    connect_timeout_s: float = 15.0,
    ca_bundle: str | None = None,
) -> Client:
    """Return a client whose waits between attempts are as short as chance can make them."""
    settings = client_settings(connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s, connections=4)
    client = Client(cas(url, KEYS, ca_bundle=ca_bundle), settings, stats)
    client._retry._share = lambda: 0.0
    return client


def forget_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the environment says of AWS, and that this machine may be an instance."""
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_CONFIG_FILE",
        "AWS_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def use_aws_file(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let settings of AWS be found in the file *path*, and nowhere else."""
    forget_aws(monkeypatch)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture
def aws_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account without any AWS setting, on a machine that is no instance."""
    forget_aws(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    return tmp_path / ".aws"


@pytest.fixture
def configure(aws_home: Path) -> Configure:
    """Write the configuration file."""

    def write(text: str) -> None:
        (aws_home / "config").write_text(text)

    return write
