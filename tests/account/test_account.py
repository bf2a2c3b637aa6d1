"""An account over a real socket, and no kernel anywhere."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from casfs.account import Stages, find_service
from casfs.config.config import Config, read_config
from casfs.config.layers import Places
from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.errors import InterruptedCallError
from casfs.models import Output
from casfs.tree.nodes import OutputFile
from tests.mounting import wait_until
from tests.new_threads import new_threads

BYTES = bytes(range(256)) * 16384 + b"and seven"
"""Four blocks and a bit."""


def config_of(url: str, **given: str) -> Config:
    return read_config(url, given, "", Places({"CASFS_SECRET_ID": "id", "CASFS_SECRET_KEY": "key"}, None, ()))


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    state.add_vault("photos")
    archive = state.add_archive("photos", InMemory(BYTES))
    state.add_job("photos", ARCHIVE_RETRIEVAL, part(archive), job_id="job")
    with Server(state, credentials={"id": "key"}) as running:
        yield running


@pytest.fixture
def account(server: Server) -> Iterator[Stages]:
    config = config_of(server.url)
    with Stages(config, find_service(config)) as account:
        yield account


def outputs_of(account: Stages, vault: str) -> list[Output]:
    jobs = account.tree.entries(account.tree.resolve(f"/{vault}"))
    inside = [account.tree.entries(job) for _, job in jobs]
    return [node.output for entries in inside for _, node in entries if isinstance(node, OutputFile)]


def whole(account: Stages, output: Output) -> bytes:
    reader = account.outputs.open(output)
    buffer = bytearray(reader.size)
    assert reader.read_into(0, memoryview(buffer)) == reader.size
    reader.close()
    return bytes(buffer)


def test_account_lists_and_reads_what_the_service_has(account: Stages, server: Server) -> None:
    assert [name for name, _ in account.tree.entries(account.tree.resolve("/"))] == ["photos"]
    (output,) = outputs_of(account, "photos")
    assert whole(account, output) == BYTES
    assert [record.operation for record in server.requests] == ["list_vaults", "list_jobs", "get_job_output"]


def test_making_an_account_sends_nothing_and_begins_no_thread(server: Server) -> None:
    before = set(threading.enumerate())
    config = config_of(server.url)
    with Stages(config, find_service(config)) as account:
        assert account.stats.snapshot()["requests"] == 0
        assert set(threading.enumerate()) <= before
    assert server.requests == []


def test_no_thread_is_left_behind_the_block_whatever_the_service_is_at(server: Server) -> None:
    config, threads = config_of(server.url), new_threads("casfs-")
    failed: list[BaseException] = []

    def ask(account: Stages) -> None:
        try:
            account.tree.resolve("/photos", fresh=True)
        except InterruptedCallError as error:
            failed.append(error)

    with Stages(config, find_service(config)) as account:
        whole(account, outputs_of(account, "photos")[0])
        server.faults.add(Fault(kind=Kind.DELAY, operation="describe_vault", times=None, seconds=600))
        asker = threading.Thread(target=ask, args=(account,))
        account.tree.forget()
        asker.start()
        wait_until(lambda: any(record.operation == "describe_vault" for record in server.requests), "it is asked")
    asker.join(60)
    assert failed
    wait_until(lambda: not threads(), "the threads end")


WITHOUT_FUSE = """
import sys
sys.modules["fuse"] = sys.modules["mfusepy"] = None
from casfs.account import Stages, find_service
from casfs.config.config import read_config
from casfs.config.layers import Places
config = read_config(sys.argv[1], {}, "", Places({"CASFS_SECRET_ID": "id", "CASFS_SECRET_KEY": "key"}, None, ()))
with Stages(config, find_service(config)) as account:
    (_, job), *_ = account.tree.entries(account.tree.resolve("/photos"))
    output = dict(account.tree.entries(job))["output"].output
    reader = account.outputs.open(output)
    buffer = bytearray(reader.size)
    print(reader.read_into(0, memoryview(buffer)) == output.size, str(account.outputs.verification(output)))
print([name for name in sys.modules if name.startswith(("casfs.fs", "casfs.mount"))])
"""


def test_account_needs_no_fuse_binding(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FUSE, server.url], check=False, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("True whole\n[]\n", "")
