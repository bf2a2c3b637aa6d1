"""Directories whose service misbehaves, through the kernel."""

import errno
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.messages import ReceivedRequest, Reply
from casfs.emulator.server import Server
from casfs.emulator.service import in_json
from casfs.emulator.state import State
from tests.mount.test_listing_matrix import LIMIT_S, state
from tests.mounting import Mounting, names, wait_until

pytestmark = pytest.mark.fuse


def test_what_expired_since_it_was_listed_is_stale_and_not_deleted(mounting: Mounting, tmp_path: Path) -> None:
    with Server(state(), credentials={"id": "key"}) as server, mounting(server, "--list-ttl", "1") as root:
        vault = root / "ls-first"
        listed = names(vault)
        server.faults.add(
            Fault(kind=Kind.STATUS, code="ResourceNotFoundException", operation="describe_job", times=None)
        )
        server.faults.add(Fault(kind=Kind.STATUS, code="ResourceNotFoundException", operation="list_jobs", times=None))

        def numbers() -> set[int | None]:
            return {number_of(vault / name) for name in listed} | {number_of(vault, names)}

        wait_until(lambda: None not in numbers(), "the listing is too old", limit_s=30)
        assert numbers() == {errno.ESTALE}


def number_of(path: Path, call: Callable[[Path], object] = os.stat) -> int | None:
    """Return the errno that a call ends with, None where it works."""
    try:
        call(path)
    except OSError as error:
        return error.errno
    return None


def test_a_listing_that_never_ends_ends_with_whoever_reads_it(mounting: Mounting) -> None:
    numbers = count()

    def endless(request: ReceivedRequest) -> Reply | None:
        if not request.path.endswith("/vaults/endless/jobs"):
            return None
        number = next(numbers)
        return in_json({"JobList": [{"JobId": f"job-{number}"}], "Marker": f"job-{number}"})

    made = State()
    made.add_vault("endless")
    with Server(made, credentials={"id": "key"}, also=endless) as server, mounting(server) as root:
        reader = subprocess.Popen(["ls", root / "endless"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        began = next(numbers)
        wait_until(lambda: next(numbers) > began + 500, "pages are asked for", limit_s=30)
        reader.terminate()
        out, _ = reader.communicate(timeout=LIMIT_S)
        assert (reader.returncode, out) != (0, b"")
        wait_until(lambda: is_still(numbers), "nobody asks for pages any more", limit_s=30)


def is_still(numbers: Iterator[int]) -> bool:
    """Return whether nobody else counts for a second."""
    first = next(numbers)
    time.sleep(1.0)
    return next(numbers) == first + 1


HOSTILE = ["9" * 5000, "1e400", "NaN", "[" * 100_000 + "]" * 100_000]


@pytest.mark.parametrize("value", HOSTILE, ids=["digits", "1e400", "NaN", "levels"])
def test_a_document_that_cannot_be_used_hides_itself_alone(value: str, mounting: Mounting, tmp_path: Path) -> None:
    vaults = f'{{"VaultList":[{{"VaultName":"a"}},{{"VaultName":"b","Size":{value}}}],"Marker":null}}'
    jobs = f'{{"JobList":[{{"JobId":"1","Size":{value}}},{{"JobId":"2"}}],"Marker":null}}'

    def hostile(request: ReceivedRequest) -> Reply | None:
        text = {"/-/vaults": vaults, "/-/vaults/a/jobs": jobs}.get(request.path)
        return Reply(200, {"Content-Type": "application/json"}, [memoryview(text.encode())]) if text else None

    with Server(State(), credentials={"id": "key"}, also=hostile) as server, mounting(server) as root:
        assert names(root) == ["a"]
        assert names(root / "a") == ["2"]
    [log] = tmp_path.glob("log-*")
    assert log.read_text().count("left out of ") == 2
