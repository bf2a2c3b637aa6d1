"""fsspec keeps instances, and copies them to other threads and processes: one account, no secret, nothing left."""

import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from operator import methodcaller

import fsspec
import pytest

from casfs.emulator.server import Server
from casfs.fsspec.filesystem import CasFileSystem, GlacierFileSystem
from tests.fsspec.service import KEYS
from tests.mounting import wait_until
from tests.new_threads import new_threads

FIRST = "bulk/job1/output"
SECRETS = [text for pair in KEYS.items() for text in pair if len(text) > 4]


def test_instances_of_all_threads_share_an_account(server: Server) -> None:
    with ThreadPoolExecutor(4) as threads:
        barrier = threading.Barrier(4)

        def made(_number: int) -> CasFileSystem:
            barrier.wait(60)
            return CasFileSystem(server.url)

        instances = list(threads.map(made, range(4)))
    assert len({id(instance) for instance in instances}) == 4
    assert len({id(instance.account) for instance in instances}) == 1
    assert CasFileSystem(server.url, read_timeout=7).account is not instances[0].account
    assert GlacierFileSystem.implied == {"provider": "glacier"}


def test_a_pickle_has_no_secret_and_finds_its_own_keys(fs: CasFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fs.cat(FIRST) == b"first"
    pickled = pickle.dumps(fs)
    told = [pickled, fs.to_json().encode(), repr(fs.to_dict()).encode(), repr(fs.storage_options).encode()]
    assert [text for text in told for secret in SECRETS if secret.encode() in text] == []
    monkeypatch.delenv("CASFS_SECRET_KEY")
    fs.close()
    CasFileSystem.clear_instance_cache()
    copy = pickle.loads(pickled)
    with pytest.raises((PermissionError, ValueError)):
        copy.cat(FIRST)
    monkeypatch.setenv("CASFS_SECRET_KEY", KEYS["id"])
    assert copy.cat(FIRST) == b"first"
    copy.close()


@pytest.mark.parametrize("name", ["secret_key", "secret_id", "token", "key", "secret"])
def test_a_secret_is_no_option_and_no_error_repeats_it(server: Server, name: str) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        CasFileSystem(server.url, **{name: "hidden"})
    assert "hidden" not in str(caught.value)


def read(fs: CasFileSystem) -> bytes:
    return fs.cat_file(FIRST)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_read_with_a_copy(fs: CasFileSystem, method: str) -> None:
    assert read(fs) == b"first"
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as processes:
        # Nothing of the tests: a process that is spawned may not find them.
        assert list(processes.map(methodcaller("cat", FIRST), [fs] * 4, timeout=120)) == [b"first"] * 4


def test_a_child_of_fork_goes_on_with_the_instance_that_it_has(fs: CasFileSystem) -> None:
    assert read(fs) == b"first"
    child = os.fork()
    if not child:
        os._exit(0 if read(fs) == b"first" and fsspec.filesystem("cas", source=fs.storage_args[0]).exists(FIRST) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert read(fs) == b"first"


def test_what_is_closed_begins_anew(fs: CasFileSystem) -> None:
    file = fs.open(FIRST)
    fs.close()
    assert fs.cat(FIRST) == b"first"
    with pytest.raises(ValueError, match="closed"):
        file.read()
    fs.close()
    fs.close()
    assert CasFileSystem(*fs.storage_args).cat(FIRST) == b"first"


def test_no_thread_is_left_once_it_is_closed_or_forgotten(server: Server) -> None:
    threads = new_threads()
    fs = CasFileSystem(server.url)
    assert fs.cat(FIRST) == b"first"
    assert threads()
    fs.close()
    wait_until(lambda: not threads(), "the threads end")
    assert fs.cat(FIRST) == b"first"
    CasFileSystem.clear_instance_cache()
    del fs
    gc.collect()
    wait_until(lambda: not threads(), "the threads end")


def test_a_program_that_closes_nothing_ends(server: Server) -> None:
    program = f"import fsspec; file = fsspec.open('cas://{FIRST}', source='{server.url}').open(); print(file.read())"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "b'first'\n", "")


def test_no_binding_of_fuse_is_needed(server: Server) -> None:
    blocked = "import sys; sys.modules.update(fuse=None, mfusepy=None); "
    program = f"import fsspec; print(fsspec.filesystem('cas', source='{server.url}').cat('{FIRST}'))"
    run = subprocess.run(
        [sys.executable, "-c", blocked + program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (run.returncode, run.stdout) == (0, "b'first'\n"), run.stderr
