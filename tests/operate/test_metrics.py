"""What Prometheus is told: in its own form, the figures of the mount, the counts of the service."""

import json
import re
import select
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families as parsed

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.errors import ConfigError
from casfs.operate.metrics import COUNTERS, GAUGES, MAX_SCRAPES, Figures, MetricsServer
from casfs.stats import BOUNDS_S, Stats
from tests.checkout import ROOT
from tests.mounting import Mounting, casfs, environment, foreground, is_mounted, wait_until
from tests.ports import free_port

CONTRIB = ROOT / "contrib"
PROMTOOL = shutil.which("promtool")
NEEDS_PROMTOOL = pytest.mark.skipif(PROMTOOL is None, reason="promtool, of Debian's prometheus, is not installed")


def figures(stats: Stats) -> Figures:
    return Figures(stats, lambda: {"casfs_vaults": (3, "Vaults."), "casfs_next_expiry_seconds": (None, "None.")})


@pytest.fixture
def told() -> Iterator[MetricsServer]:
    stats = Stats()
    stats.answer("list_jobs", 200, 0.02)
    stats.answer("list_jobs", None, 500.0)
    stats.read(2, 1, 10, 0.004)
    stats.read_failed("EIO", 120.5)
    server = MetricsServer(("127.0.0.1", free_port()), figures(stats))
    server.begin()
    yield server
    server.close()


def scraped(port: int) -> dict[str, Metric]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return {family.name: family for family in parsed(answer.read().decode())}


def value(families: dict[str, Metric], family: str, **labels: str) -> float:
    name = f"{family}_total" if families[family].type == "counter" else family
    samples = [sample for sample in families[family].samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def port_of(server: MetricsServer) -> int:
    return int(server.server_address[1])


def test_figures_come_in_the_form_of_prometheus(told: MetricsServer) -> None:
    families = scraped(port_of(told))
    assert value(families, "casfs_requests", operation="list_jobs", code="200") == 1
    assert value(families, "casfs_requests", code="none") == 1
    assert value(families, "casfs_block_hits", place="memory") == 2
    assert value(families, "casfs_vaults") == 3
    assert "casfs_next_expiry_seconds" not in families
    buckets = families["casfs_read_duration_seconds"].samples
    counts = {tuple(sample.labels.values()): sample.value for sample in buckets if sample.name.endswith("_bucket")}
    assert [counts["ok", bound] for bound in ("0.0025", "0.005", "+Inf")] == [0, 1, 1]
    assert [counts["EIO", bound] for bound in ("120.0", "+Inf")] == [0, 1]
    assert len(counts) == 2 * (len(BOUNDS_S) + 1)


def test_one_that_asks_for_something_else_is_told_so(told: MetricsServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{port_of(told)}/secrets", timeout=60)


def test_connections_that_say_nothing_are_no_more_than_a_few(told: MetricsServer) -> None:
    silent = [socket.create_connection(("127.0.0.1", port_of(told)), 60) for _ in range(MAX_SCRAPES + 1)]
    assert silent[-1].recv(1) == b""
    for connection in silent:
        connection.close()
    wait_until(lambda: _is_answered(port_of(told)), "a scrape is answered once they have gone")


def _is_answered(port: int) -> bool:
    try:
        return bool(scraped(port))
    except OSError:
        return False


def test_a_port_that_others_have_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"metrics: 127.0.0.1:{port} cannot be had"):
            MetricsServer(("127.0.0.1", port), figures(Stats()))


def test_the_port_is_given_back() -> None:
    server = MetricsServer(("127.0.0.1", free_port()), figures(Stats()))
    server.begin()
    server.close()
    MetricsServer(("127.0.0.1", port_of(server)), figures(Stats())).close()


@pytest.mark.fuse
def test_figures_agree_with_those_of_the_mount_and_with_the_counts_of_the_service(
    server: Server, mounting: Mounting
) -> None:
    port = free_port()
    for kind in (Kind.STATUS, Kind.THROTTLE, Kind.DROP, Kind.FLIP):
        server.faults.add(Fault(kind=kind, operation="get_job_output"))
    with mounting(server, "--metrics", f"127.0.0.1:{port}") as path:
        outputs = sorted(path.glob("photos/*/output"))
        read = sum(len(output.read_bytes()) for output in outputs)
        stats = json.loads(subprocess.check_output(["getfattr", "--only-values", "-n", "user.cas.stats", path]))
        families = scraped(port)
    for name, (ours, _) in {**COUNTERS, **GAUGES}.items():
        assert value(families, name) == stats[ours], name
    assert value(families, "casfs_read_bytes") == read
    counted = {sample.name: sample.value for sample in families["casfs_read_duration_seconds"].samples}
    assert counted["casfs_read_duration_seconds_count"] > 0
    requests = Counter((record.operation, str(record.status or "none")) for record in server.requests)
    assert {code for operation, code in requests if operation == "get_job_output"} > {"none", "206"}
    assert value(families, "casfs_retries") == 4
    assert [stats[name] for name in ("throttled", "hash_mismatches", "errors")] == [1, 1, 0]
    samples = [sample for sample in families["casfs_requests"].samples if sample.name.endswith("_total")]
    assert {(each.labels["operation"], each.labels["code"]): each.value for each in samples} == requests
    assert sum(requests.values()) == stats["requests"]
    assert value(families, "casfs_block_hits", place="memory") == stats["cache_hits"]
    assert value(families, "casfs_next_expiry_seconds") > 0
    with pytest.raises(OSError):  # noqa: PT011 - whatever a closed port is
        scraped(port)


def test_nothing_that_a_read_takes_is_held_while_a_scrape_is_answered() -> None:
    stats = Stats()
    stats.answer("list_jobs", 200, 0.02)
    free = [not stats._lock.locked() for _ in figures(stats).collect()]
    assert all(free)
    assert len(free) > len(COUNTERS) + len(GAUGES)


def test_scrapes_that_hang_leave_reads_alone_and_are_no_more_threads_than_a_few() -> None:
    stats, hangs, hanging = Stats(), threading.Event(), threading.Semaphore(0)

    def more() -> dict[str, tuple[float | None, str]]:
        hanging.release()
        assert hangs.wait(60)
        return {}

    server, before = MetricsServer(("127.0.0.1", free_port()), Figures(stats, more)), threading.active_count()
    server.begin()
    scrapers = [socket.create_connection(("127.0.0.1", port_of(server)), 60) for _ in range(20)]
    for scraper in scrapers:
        scraper.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
    for _ in range(MAX_SCRAPES):
        assert hanging.acquire(timeout=60)
    # Before any place is free again: whoever came late would have that one.
    wait_until(lambda: len(select.select(scrapers, [], [], 0)[0]) == 20 - MAX_SCRAPES, "all others are sent away")
    for _ in range(1000):
        stats.read(1, 0, 4096, 0.001)
    assert stats.snapshot()["bytes_read"] == 4096000
    assert threading.active_count() <= before + 1 + MAX_SCRAPES
    hangs.set()
    answers = [_answer(scraper) for scraper in scrapers]
    assert sum(answer.startswith(b"HTTP/1.0 200") for answer in answers) == MAX_SCRAPES
    assert sum(answer == b"" for answer in answers) == 20 - MAX_SCRAPES
    server.close()


def _answer(scraper: socket.socket) -> bytes:
    with scraper, scraper.makefile("rb") as answer:
        try:
            return answer.read()
        except ConnectionResetError:
            return b""


@pytest.mark.fuse
def test_reads_of_a_mount_go_on_and_ask_for_no_more_while_scrapers_hang(server: Server, mounting: Mounting) -> None:
    port = free_port()
    with mounting(server, "--metrics", f"127.0.0.1:{port}", "--read-ahead", "0") as path:
        scrapers = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(20)]
        for scraper in scrapers:
            scraper.sendall(b"GET /metrics HTTP/1.1\r\n")  # and never the end of it
        outputs = sorted(path.glob("ledger/*/output"))
        read = [output.read_bytes() for output in outputs]
        again = [output.read_bytes() for output in outputs]
        asked = Counter(record.job for record in server.requests if record.operation == "get_job_output")
        for scraper in scrapers:
            scraper.close()
    assert read == again
    assert len(read) == len(asked) == 3
    assert set(asked.values()) == {1}


@pytest.mark.fuse
def test_a_port_that_cannot_be_had_is_the_line_of_the_mount(server: Server, path: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
        done = casfs("mount", "--metrics", place, server.url, path, env=environment(tmp_path))
        again = casfs("mount", "-f", "--metrics", place, server.url, path, env=environment(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"casfs: metrics: {place} cannot be had")
    assert again.returncode == 1, "not 78: systemd is to try again"
    assert not is_mounted(path)


def test_an_address_that_may_come_up_is_worth_another_try() -> None:
    with pytest.raises(ConfigError, match="cannot be had") as caught:
        MetricsServer(("192.0.2.1", free_port()), figures(Stats()))
    assert caught.value.may_pass


def expressions() -> list[str]:
    dashboard = json.loads((CONTRIB / "grafana.json").read_text())
    rules = yaml.safe_load((CONTRIB / "alerts.yml").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [*shown, *(rule["expr"] for group in rules["groups"] for rule in group["rules"])]


def test_every_metric_that_dashboard_and_alerts_name_is_told() -> None:
    stats = Stats()
    stats.answer("list_jobs", 200, 0.02)
    server = MetricsServer(("127.0.0.1", free_port()), figures(stats))
    server.server_close()
    names = set(re.findall(r"^(casfs_\w+)[ {]", generate_latest(server.registry).decode(), re.MULTILINE))
    more = {"casfs_next_expiry_seconds", "casfs_open_outputs", "casfs_start_time_seconds"}
    source = (ROOT / "casfs/mount/figures.py").read_text()
    assert [name for name in more if f'"{name}"' not in source] == []
    used = {name for expression in expressions() for name in re.findall(r"casfs_\w+", expression)}
    assert used - names - more == set()
    assert len(used) > 15


@NEEDS_PROMTOOL
def test_every_expression_is_one_of_prometheus(tmp_path: Path) -> None:
    rules: list[dict[str, Any]] = [
        {"record": f"r:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$instance", ".*")}
        for number, expression in enumerate(expressions())
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    checked = subprocess.run(
        [PROMTOOL or "", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@NEEDS_PROMTOOL
def test_alerts_go_off_when_they_should() -> None:
    done = subprocess.run(
        [PROMTOOL or "", "test", "rules", "alerts.test.yml"], cwd=CONTRIB, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@NEEDS_PROMTOOL
def test_names_are_as_prometheus_wants_them(told: MetricsServer) -> None:
    text = urllib.request.urlopen(f"http://127.0.0.1:{port_of(told)}/metrics", timeout=60).read()
    done = subprocess.run([PROMTOOL or "", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@pytest.mark.fuse
def test_port_of_a_mount_is_closed_when_it_is_killed_by_a_signal(server: Server, path: Path, tmp_path: Path) -> None:
    port = free_port()
    with foreground(server, path, tmp_path, "--metrics", f"127.0.0.1:{port}") as process:
        assert scraped(port)
        process.terminate()
        process.wait(60)
    assert not _is_answered(port)
