"""One cache for two hosts that share no disk: nginx, with the lines of contrib."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casfs.emulator.content import read
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from tests.drain.vaults import SECRET, VAULT, Vault, archives_of, serving, vault_of
from tests.long.hosts import HERE, link, within
from tests.mounting import environment, wait_until
from tests.network.namespace import own_network, run, why_none

CONF = Path(__file__).resolve().parents[2] / "contrib" / "proxy" / "nginx.conf"
MIB = 1 << 20
SIZE = 40 * MIB + 5
LIMIT_S = 120

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.skipif(why_none() is not None, reason=why_none() or ""),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]


@contextmanager
def proxy(folder: Path, url: str, *, hides: bool = True) -> Iterator[None]:
    """Run nginx in front of a service, with or without the lines that hide its hashes."""
    host = url.removeprefix("http://")
    text = CONF.read_text("utf-8").replace("https://cas.ap-chengdu.myqcloud.com;", f"{url};")
    text = text.replace("server_name cas.ap-chengdu.myqcloud.com", f"server_name {host.split(':')[0]}")
    text = text.replace("    resolver 127.0.0.53; # of this host\n", "").replace(
        "pid nginx.pid", f"user root;\npid {folder}/pid"
    )
    text = text.replace("proxy_cache_path cache", f"proxy_cache_path {folder}/cache")
    text = "\n".join(line for line in text.splitlines() if hides or "proxy_hide_header" not in line)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    folder.mkdir()
    (folder / "conf").write_text(text.replace("http {\n", f"http {{\n{temporary}"), "utf-8")
    with (folder / "said").open("wb") as said:
        command = ["nginx", "-p", str(folder), "-c", str(folder / "conf"), "-g", "daemon off;"]
        nginx = subprocess.Popen(command, stderr=said)
    try:
        wait_until(lambda: nginx.poll() is not None or ":3128" in run("ss", "-ltn"), "nginx listens")
        assert nginx.poll() is None, (folder / "said").read_text("utf-8")
        yield
    finally:
        nginx.terminate()
        nginx.wait(LIMIT_S)


@contextmanager
def rig(folder: Path, *, hides: bool) -> Iterator[tuple[Vault, list[list[str]]]]:
    """Serve an output through nginx to two hosts; yield the service, and what commands on the hosts begin with."""
    with own_network():
        run("ip", "addr", "add", f"{HERE}/32", "dev", "lo")
        networks = [link(number, "400mbit") for number in (1, 2)]
        try:
            state = vault_of("cas", ["one"], SIZE)
            (archive,) = archives_of(state).values()
            state.add_job(VAULT, ARCHIVE_RETRIEVAL, part(archive), job_id="job")
            with (
                serving(state, "cas", folder, host=HERE) as vault,
                proxy(folder / "nginx", vault.server.url, hides=hides),
            ):
                yield vault, [within(network) for network in networks]
        finally:
            for network in networks:
                network.kill()
                network.wait()


def get(vault: Vault, inside: list[str], to: Path) -> subprocess.CompletedProcess[str]:
    """Download the output on a host, through the proxy."""
    home = to.with_suffix(".home")
    home.mkdir()
    env = environment(home, "id", SECRET, HTTP_PROXY=f"http://{HERE}:3128", http_proxy=f"http://{HERE}:3128")
    command = [*inside, sys.executable, "-m", "casfs", "get", "--json", f"{vault.server.url}/-/{VAULT}/job", str(to)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def test_what_one_host_has_read_another_one_gets_from_the_proxy(tmp_path: Path) -> None:
    with rig(tmp_path, hides=True) as (vault, hosts):
        (archive,) = archives_of(vault.state).values()
        sent = []
        for number, inside in enumerate(hosts):
            before = vault.server.journal.sent_bytes
            done = get(vault, inside, tmp_path / f"out-{number}")
            assert done.returncode == 0, done.stderr
            assert '"verification": "whole"' in done.stdout
            assert (tmp_path / f"out-{number}").read_bytes() == read(archive.content)
            sent.append(vault.server.journal.sent_bytes - before)
        assert SIZE <= sent[0] < SIZE * 1.05, "every slice was asked for once"
        assert sent[1] < 100_000, "documents alone"


def test_the_hash_of_a_slice_would_be_taken_for_that_of_what_was_asked_for(tmp_path: Path) -> None:
    with rig(tmp_path, hides=False) as (vault, hosts):
        done = get(vault, hosts[0], tmp_path / "out")
        assert done.returncode == 1
        assert not (tmp_path / "out").exists()
