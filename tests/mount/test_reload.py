"""What SIGHUP has followed, and what it names because it cannot be."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casfs.account import Stages, find_service
from casfs.config.config import Config, read_config
from casfs.config.layers import Places
from casfs.config.options import OPTIONS
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.errors import UntrustedError
from casfs.log.level import Level
from casfs.mount.reload import CHANGEABLE, Reload
from casfs.waiting import Deadline
from tests.certificate import CERTIFICATE, OTHERS, certified
from tests.conftest import Announce
from tests.mounting import environment, wait_until

OTHER = {
    "foreground": True, "provider": "glacier", "account": "123456789012", "allow_other": True, "uid": 4321, "gid": 4321,
    "file_mode": "0440", "dir_mode": "0550", "remember": True, "block_cache_size": "32M", "cache_dir": "{home}/other",
    "cache_size": "64M", "keep_expired": True, "connections": 3, "read_ahead": "8M", "verify": "require", "list_ttl": 7,
    "connect_timeout": 3, "read_timeout": 60, "ca_bundle": str(CERTIFICATE), "token_header": "x-other",
    "log_level": "debug", "log_format": "json", "log_file": "{home}/log", "metrics": "localhost:1",
}  # fmt: skip
"""Another value of each option that a profile may set."""

ELSEWHERE = ("provider", "account")
"""What makes it a mount of something else."""
ANOTHER = "the configuration names another service or account now"


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


@contextmanager
def reloading(home: Path, url: str, **settings: object) -> Iterator[tuple[Callable[..., None], Stages, list[str]]]:
    """Stand on an account; gives what writes its profile anew and reads that, the account, and the options told."""
    file, told = home / "config.toml", list[str]()
    env = environment(home)
    del env["CASFS_LOG_FILE"]
    places = Places(env, home, ())

    def read() -> Config:
        return read_config("default:", {"config": str(file)}, places=places)

    def write(**changed: object) -> None:
        both = {"endpoint": url, "cache_dir": str(home / "cache")}
        file.write_text(
            "[default]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in (both | changed).items())
        )
        file.chmod(0o600)

    write(**settings)
    config = read()
    with Stages(config, find_service(config)) as stages:
        reload = Reload(config, read, stages, Level("info"), told.append)

        def again(**changed: object) -> None:
            write(**changed)
            reload.run()

        yield again, stages, told


def test_every_option_is_followed_or_named(
    server: Server,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    announce: Announce,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    announce("only a new mount follows|another service or account")
    for name, text in environment(tmp_path).items():  # keys of the other provider
        monkeypatch.setenv(name, text)
    assert {option.name for option in OPTIONS if option.profile} == OTHER.keys()
    with reloading(tmp_path, server.url) as (again, _, told):
        again()
        for name, other in OTHER.items():
            caplog.clear()
            again(**{name: other.format(home=tmp_path) if isinstance(other, str) else other})
            named = [message for message in caplog.messages if "only a new mount" in message]
            if name in CHANGEABLE:
                assert named == []
                assert json.loads(told[-1])[name] != json.loads(told[0])[name]
            elif name in ELSEWHERE:
                assert [message.partition(":")[0] for message in named] == [ANOTHER]
            else:
                (names,) = [message.partition("only a new mount follows: ")[2] for message in named]
                assert name in names.split(", ")


def ask(stages: Stages) -> list[str]:
    return [vault.name for vault in stages.client.vaults(Deadline.after(60))]


def test_certificates_are_read_anew_though_they_have_the_same_name(
    tmp_path: Path, announce: Announce, caplog: pytest.LogCaptureFixture
) -> None:
    announce("certificate|stay as they were")
    bundle = tmp_path / "bundle.pem"
    shutil.copy(CERTIFICATE, bundle)
    with (
        Server(sample_state(), credentials={"id": "key"}, tls=certified()) as server,
        reloading(tmp_path, server.url, ca_bundle=str(bundle)) as (again, stages, _),
    ):
        assert ask(stages) == ["empty", "ledger", "photos"]
        shutil.copy(OTHERS / "cas.example.pem", bundle)
        again(ca_bundle=str(bundle))
        with pytest.raises(UntrustedError):
            ask(stages)
        again(ca_bundle=str(CERTIFICATE))
        assert ask(stages) == ["empty", "ledger", "photos"]
        bundle.write_text("no certificate")
        again(ca_bundle=str(bundle))
        assert "after SIGHUP, configuration and credentials stay as they were: --ca-bundle" in caplog.text
        assert ask(stages) == ["empty", "ledger", "photos"]


def test_cache_on_disk_has_another_size_at_once(server: Server, tmp_path: Path) -> None:
    with reloading(tmp_path, server.url, cache_size="1G") as (again, stages, told):
        assert stages.disk is not None
        (job,) = list(stages.client.jobs("photos", Deadline.after(60)))[:1]
        assert job.output is not None
        stages.outputs.open(job.output).read_into(0, memoryview(bytearray(job.size or 0)))
        store = stages.disk.store
        wait_until(lambda: store.used_bytes() > 0, "it is written there")
        again(cache_size="16M")
        assert json.loads(told[-1])["cache_size"] == 16 << 20
        wait_until(lambda: store._room.capacity_bytes == 16 << 20, "it has the new bound")
