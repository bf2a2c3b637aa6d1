"""``casfs get``: outputs in files, whole and checked, whatever happens on the way."""

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from tests import moto_server
from tests.cli.stands import DATA, TEXT, Stand, one_failure
from tests.data.service import MIB
from tests.drain.destinations.contents import files_below, tree_hash
from tests.mounting import COMMAND_LIMIT_S, names, wait_until

PARTS = ".casfs-part"
GET = "get_job_output"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder that outputs go into; not made."""
    return tmp_path / "out"


def test_file_is_whole_and_has_what_the_mount_says_of_it(stand: Stand, out: Path) -> None:
    (told,) = stand.objects("get", stand.job("data"), out / "new" / "file")
    file = out / "new" / "file"
    assert file.read_bytes() == DATA
    assert names(file.parent) == ["file"]
    assert (told["path"], told["size"], told["bytes"], told["verification"]) == (str(file), *[len(DATA)] * 2, "whole")
    (job,) = stand.objects("ls", stand.job("data"))
    assert job.items() <= told.items()
    assert abs(file.stat().st_mtime - stand.state.clock()) < 3600
    kept = {name: os.getxattr(file, name).decode() for name in os.listxattr(file) if name.startswith("user.cas.")}
    assert (kept["user.cas.tree_hash"], kept["user.cas.verified"]) == (job["tree_hash"], "whole")
    assert (kept["user.cas.expires"], kept["user.cas.job_id"]) == (job["expires"], "data")


def test_several_jobs_become_files_called_by_their_ids(stand: Stand, out: Path) -> None:
    lines = stand.right("get", *map(stand.job, ("data", "text", "inventory")), out)
    assert {line.split("\t")[2] for line in lines} == {str(out / name) for name in ("data", "text", "inventory")}
    found = files_below(out)
    assert found.pop("inventory").startswith(b"{")
    assert found == {"data": DATA, "text": TEXT}


def test_folder_takes_the_file_and_so_does_a_slash(cas: Stand, out: Path) -> None:
    cas.right("get", cas.job("text"), f"{out}/")
    cas.right("get", cas.job("data"), out)
    assert files_below(out) == {"data": DATA, "text": TEXT}


def test_what_is_whole_already_is_left_unless_it_is_forced(stand: Stand, out: Path) -> None:
    stand.right("get", stand.job("data"), out)
    before, asked = out.stat(), stand.asked(GET)
    (told,) = stand.objects("get", stand.job("data"), out)
    assert (told["bytes"], told["verification"], stand.asked(GET)) == (0, "whole", asked)
    assert out.stat().st_ino == before.st_ino
    stand.right("get", "--force", stand.job("data"), out)
    assert out.stat().st_ino != before.st_ino


def test_file_that_differs_is_replaced(cas: Stand, out: Path) -> None:
    out.write_bytes(DATA[:-1] + b"?")
    cas.right("get", cas.job("data"), out)
    assert out.read_bytes() == DATA


def test_old_file_stays_where_the_new_one_cannot_be_had(cas: Stand, out: Path) -> None:
    out.write_bytes(b"old")
    cas.server.faults.add(Fault(kind=Kind.FLIP, operation=GET, at=3 * MIB, times=None))
    one_failure(cas.run("get", "--read-timeout", "5", cas.job("data"), out), cas.job("data"))
    assert out.read_bytes() == b"old"


@contextmanager
def stalled(stand: Stand, out: Path, at: int = 12 * MIB) -> Iterator["subprocess.Popen[str]"]:
    """Run a download that gets no further than *at*, once it is there."""
    stand.server.faults.add(Fault(kind=Kind.STALL, operation=GET, start=at, times=None))
    words = ("get", "--connections", "2", "--read-ahead", "1M", stand.job("data"), out)
    with stand.running(*words) as process:
        wait_until(lambda: written(out.parent) >= 8 * MIB, "the part has grown", limit_s=120)
        yield process
    stand.server.faults.clear()
    stand.server.journal.clear()


def written(folder: Path) -> int:
    """Return how many bytes of the parts there have their leaves."""
    leaves = (folder / PARTS).glob("*.leaves") if (folder / PARTS).exists() else ()
    return sum(path.stat().st_size for path in leaves) // 32 * MIB


def test_what_a_kill_left_is_gone_on_with(stand: Stand, out: Path) -> None:
    out.write_bytes(b"old")
    with stalled(stand, out) as process:
        process.kill()
        process.wait()
    there = written(out.parent)
    assert out.read_bytes() == b"old"
    (told,) = stand.objects("get", stand.job("data"), out)
    assert (told["bytes"], told["verification"]) == (len(DATA) - there, "whole")
    assert stand.server.journal.sent_bytes < len(DATA) - 6 * MIB
    assert (out.read_bytes(), names(out.parent)) == (DATA, ["home", "out"])


def test_another_retrieval_of_the_same_archive_goes_on_too(cas: Stand, out: Path) -> None:
    with stalled(cas, out) as process:
        process.kill()
    archive = cas.state.vault("backups").archives[cas.archives["data"]]  # type: ignore[union-attr] # it is there - made
    cas.state.add_job("backups", ARCHIVE_RETRIEVAL, part(archive), job_id="again")
    (told,) = cas.objects("get", cas.job("again"), out)
    assert told["bytes"] <= len(DATA) - 8 * MIB
    assert out.read_bytes() == DATA


def test_part_that_rotted_is_fetched_again_from_there_on(cas: Stand, out: Path) -> None:
    with stalled(cas, out) as process:
        process.kill()
    (found,) = (path for path in (out.parent / PARTS).iterdir() if path.suffix != ".leaves")
    with found.open("r+b") as file:
        file.seek(5 * MIB + 7)
        file.write(b"rot")
    (told,) = cas.objects("get", cas.job("data"), out)
    assert (told["bytes"], out.read_bytes() == DATA) == (len(DATA) - 5 * MIB, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signal_ends_it_soon_and_what_came_is_kept(cas: Stand, out: Path, number: signal.Signals) -> None:
    with stalled(cas, out) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=COMMAND_LIMIT_S)
    assert (process.returncode, said) == (128 + number, "")
    assert not out.exists()
    assert cas.objects("get", cas.job("data"), out)[0]["bytes"] <= len(DATA) - 8 * MIB


def test_name_appears_only_with_the_whole_file(cas: Stand, out: Path) -> None:
    with stalled(cas, out) as process:
        assert not out.exists()
        assert stat.S_IMODE((out.parent / PARTS).stat().st_mode) == 0o700
        process.kill()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("begun", "the job is in progress; --wait waits for it"),
        ("failed", "the job has Failed: The archive cannot be read."),
        ("missing", "missing"),
    ],
)
def test_job_without_an_output_is_a_line_and_the_others_are_fetched(
    stand: Stand, out: Path, name: str, why: str
) -> None:
    done = stand.run("get", stand.job(name), stand.job("text"), out)
    one_failure(done, f"casfs: {stand.job(name)}: ", why, lines=[f"8\twhole\t{out}/text"])
    assert files_below(out) == {"text": TEXT}


def test_job_in_progress_is_waited_for_where_that_is_wished(stand: Stand, out: Path) -> None:
    with stand.running("get", "--wait", "--poll", "0.05", stand.job("begun"), out) as process:
        wait_until(lambda: stand.asked("describe_job") > 2, "the job is asked for again")
        stand.ahead_s += 3601
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said, out.read_bytes()) == (0, "", TEXT)


def test_output_without_a_hash_is_fetched_whole_and_said_to_be_unchecked(cas: Stand, out: Path) -> None:
    told = [cas.objects("get", cas.job("inventory"), out)[0] for _ in range(2)]
    assert [each["verification"] for each in told] == ["unavailable"] * 2
    assert [each["bytes"] for each in told] == [out.stat().st_size] * 2
    one_failure(cas.run("get", "--verify", "require", cas.job("inventory"), out), "inventory")


@pytest.mark.parametrize("name", ["..", "%2e%2e", "-rf", "a\\b", ".casfs-part", "é" * 200, "x" * 255])
def test_ids_of_jobs_lead_nowhere_else(cas: Stand, out: Path, name: str) -> None:
    archive = cas.state.add_archive("backups", InMemory(TEXT))
    cas.state.add_job("backups", ARCHIVE_RETRIEVAL, part(archive), job_id=name)
    done = cas.run("get", "--", cas.job(name), f"{out}/")
    assert "Traceback" not in done.stderr
    assert set(files_below(out.parent)) <= {f"out/{name}"}
    assert (done.returncode == 0) == (out / name).is_file()


def test_two_jobs_of_one_id_would_be_one_file(cas: Stand, out: Path) -> None:
    done = cas.run("get", cas.job("text"), f"{cas.server.url}/-/empty/text", out)
    assert (done.returncode, done.stdout, done.stderr.count("\n"), out.exists()) == (2, "", 1, False)


@pytest.mark.parametrize("made", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_not_replaced(cas: Stand, out: Path, made: object) -> None:
    out.mkdir()
    assert callable(made)
    made(out / "text")
    one_failure(cas.run("get", cas.job("text"), f"{out}/"), f"{out}/text", "it is no file")


def test_bar_and_results_do_not_mix_on_a_terminal(cas: Stand, out: Path) -> None:
    ours, its = os.openpty()
    words = [sys.executable, "-m", "casfs", *cas.words("get", cas.job("data"), cas.job("failed"), out)]
    with subprocess.Popen(words, env=cas.env | {"TERM": "xterm", "COLUMNS": "200"}, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        with suppress(OSError):  # EIO is the end of a terminal
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        assert process.wait(60) == 1
    lines = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown).decode().replace("\r", "\n").splitlines()
    assert any(line.startswith("getting") for line in lines)
    assert [line.split() for line in lines if "checked" in line or "whole" in line] == [
        ["size", "checked", "path"],
        ["20.0", "MiB", "whole", f"{out}/data"],
    ]
    assert sum(line.startswith("casfs: ") and "the job has Failed" in line for line in lines) == 1


def test_url_that_nobody_knows_is_one_line(cas: Stand) -> None:
    one_failure(cas.run("get", cas.job("text"), "nonsense://place"), "DESTINATION", "nonsense")


@pytest.mark.skipif(not (find_spec("s3fs") and find_spec("moto")), reason="s3fs and moto are not installed")
def test_object_of_s3_is_put_whole_and_left_then(cas: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_server.running() as url:
        for name, value in {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}.items():
            monkeypatch.setenv(name, value)
        bucket = "import fsspec; fsspec.filesystem('s3').mkdir('bucket')"
        subprocess.run([sys.executable, "-c", bucket], check=True, timeout=120)
        env = {"AWS_ENDPOINT_URL": url}
        cas.more = env
        told = [cas.objects("get", cas.job("data"), "s3://bucket/folder/")[0] for _ in range(2)]
        assert [each["path"] for each in told] == ["s3://bucket/folder/data"] * 2
        assert [each["bytes"] for each in told] == [len(DATA), 0]
        read = "import fsspec, sys; sys.stdout.buffer.write(fsspec.filesystem('s3').cat_file('bucket/folder/data'))"
        found = subprocess.run([sys.executable, "-c", read], check=True, capture_output=True, timeout=120)
    assert tree_hash(found.stdout) == tree_hash(DATA)


def test_full_disk_is_one_line_and_no_half_file(cas: Stand, out: Path) -> None:
    out.mkdir()
    command = [sys.executable, "-m", "casfs", *cas.words("get", cas.job("data"), f"{out}/")]
    script = 'mount -t tmpfs -o size=8m tmpfs "$0" && { "$@"; echo $?; ls "$0"; }'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, str(out), *command],
        env=cas.env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if os.geteuid() or "unshare" in done.stderr:
        pytest.skip("mounting a file system that is full is root's")
    assert done.stdout.splitlines() == ["1"]
    assert done.stderr == f"casfs: {cas.job('data')}: {out}/data: No space left on device\n"
