"""``casfs emulate`` and ``casfs demo``, as processes."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casfs.cli.emulate import read_faults
from casfs.emulator.faults import Kind
from casfs.errors import ConfigError
from tests.mounting import casfs, environment, is_mounted, names, wait_until


@contextmanager
def emulating(home: Path, *options: object) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``casfs emulate``; gives its first lines, up to the one with the address, and the process."""
    command = [sys.executable, "-m", "casfs", "emulate", *map(str, options)]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = ""
        while "casfs mount" not in lines:
            line = process.stdout.readline()
            assert line
            lines += line
        try:
            yield lines, process
        finally:
            process.kill()


def address(lines: str) -> str:
    return lines.split("casfs mount ")[1].split(maxsplit=1)[0]


@pytest.mark.fuse
def test_address_and_key_are_printed_and_work(tmp_path: Path, path: Path) -> None:
    with emulating(tmp_path) as (lines, _):
        keys = re.findall(r"CASFS_SECRET_(?:ID|KEY)=(\S+)", lines)
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(f"{address(lines)}/-/vaults", timeout=120)
        assert casfs("mount", address(lines), path, env=environment(tmp_path, *keys)).returncode == 0
        assert names(path) == ["empty", "ledger", "photos"]


def test_folders_are_vaults_for_everybody_when_nothing_is_checked(tmp_path: Path) -> None:
    (tmp_path / "root" / "letters").mkdir(parents=True)
    (tmp_path / "root" / "letters" / "letter").write_text("Dear reader")
    with emulating(tmp_path, "--root", tmp_path / "root", "--no-auth") as (lines, _):
        with urllib.request.urlopen(f"{address(lines)}/-/vaults/letters/jobs", timeout=120) as answer:
            assert b'"JobDescription"' in answer.read()
        secret_id, secret_key = re.findall(r"CASFS_SECRET_(?:ID|KEY)=(\S+)", lines)
        assert "letters" in casfs("ls", address(lines), env=environment(tmp_path, secret_id, secret_key)).stdout


def test_it_listens_at_an_address_of_ipv6(tmp_path: Path) -> None:
    with emulating(tmp_path, "--host", "::1", "--no-auth") as (lines, _):
        assert re.fullmatch(r"http://\[::1\]:\d+", address(lines))
        with urllib.request.urlopen(f"{address(lines)}/-/vaults", timeout=120) as answer:
            assert b'"photos"' in answer.read()


def test_keys_for_glacier_look_like_those_of_aws(tmp_path: Path) -> None:
    with emulating(tmp_path, "--provider", "glacier") as (lines, _):
        keys = re.search(r"AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+)", lines)
        assert keys is not None
        assert re.fullmatch("AKIA[A-Z2-7]{16}", keys[1])
        assert re.fullmatch("[A-Za-z0-9/+]{40}", keys[2])


def ask(url: str, body: object = None) -> tuple[int, str, bytes]:
    """Ask an emulator that lets everybody in; gives the status, the id of a new job, and the body."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(url, data, timeout=120) as answer:
            return answer.status, answer.headers["x-cas-job-id"] or "", answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", error.read()


def test_it_plays_what_whoever_empties_a_vault_meets(tmp_path: Path) -> None:
    options = ("--archives", 1_000_000, "--inventory-page", 3, "--policy", "150K", "--job-time", 0)
    with emulating(tmp_path, "--no-auth", *options, "--tier-time", "Bulk", 3600) as (lines, _):
        jobs = f"{address(lines)}/-/vaults/made-up/jobs"
        _, inventory, _ = ask(jobs, {"Type": "inventory-retrieval"})
        document = json.loads(ask(f"{jobs}/{inventory}")[2])
        archives = json.loads(ask(f"{jobs}/{inventory}/output")[2])["ArchiveList"]
        assert (len(archives), document["InventoryRetrievalParameters"]["Marker"][:10]) == (3, "0000000003")
        wish = {"Type": "archive-retrieval", "ArchiveId": archives[0]["ArchiveId"], "Tier": "Bulk"}
        _, retrieval, _ = ask(jobs, wish)
        assert json.loads(ask(f"{jobs}/{retrieval}")[2])["StatusCode"] == "InProgress"
        status, _, body = ask(jobs, wish)
        assert (status, json.loads(body)["code"]) == (400, "PolicyEnforcedException")


def test_a_size_that_is_none_is_named_with_its_option(tmp_path: Path) -> None:
    done = casfs("emulate", "--policy", "much", env=environment(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--policy: 'much'" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_it_with_0(tmp_path: Path, number: signal.Signals) -> None:
    with emulating(tmp_path) as (_, process):
        process.send_signal(number)
        assert process.wait(60) == 0


def test_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with emulating(tmp_path) as (lines, _):
        done = casfs("emulate", "--port", address(lines).rpartition(":")[2], env=environment(tmp_path))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def test_faults_are_read_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "faults"
    file.write_text('[[fault]]\nkind = "cut"\nat = 5\n[[fault]]\nkind = "throttle"\nretry_after = "1"\n')
    assert [(fault.kind, fault.at, fault.retry_after) for fault in read_faults(file)] == [
        (Kind.CUT, 5, None),
        (Kind.THROTTLE, None, "1"),
    ]


@pytest.mark.parametrize(
    "text", ["", "fault = 1", '[[fault]]\nkind = "love"', '[[fault]]\nkind = "cut"\nwhen = 1', "["]
)
def test_faults_that_cannot_be_read_are_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "faults"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        read_faults(file)


@pytest.mark.fuse
@pytest.mark.parametrize("named", [True, False], ids=["own directory", "no directory"])
def test_demo_mounts_the_samples_until_it_is_interrupted(path: Path, tmp_path: Path, named: bool) -> None:  # noqa: FBT001
    command = [sys.executable, "-m", "casfs", "demo", *([str(path)] if named else [])]
    env = environment(tmp_path, TMPDIR=str(tmp_path))
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = next(line for line in process.stdout if line.startswith("  cd "))
        mounted = Path(shown.removeprefix("  cd ").strip())
        assert names(mounted) == ["empty", "ledger", "photos"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    wait_until(lambda: not is_mounted(mounted) or not mounted.exists(), "nothing is mounted")
    assert (mounted == path) is named
    assert mounted.exists() is named
