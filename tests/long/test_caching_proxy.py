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
from tests.certificate import OTHERS, certified
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
def proxy(folder: Path, url: str, *, hides: bool = True, trusted: Path | None = None) -> Iterator[None]:
    """Run nginx in front of a service, with or without the lines that hide its hashes.

    Args:
        folder: of its own.
        url: of the service.
        hides: whether hashes are hidden.
        trusted: who is, in place of whom this machine trusts; the service's name is then cas.example.
    """
    host = url.partition("://")[2]
    text = CONF.read_text("utf-8").replace("https://cas.ap-chengdu.myqcloud.com;", f"{url};")
    text = text.replace("server_name cas.ap-chengdu.myqcloud.com", f"server_name {host.split(':')[0]}")
    text = text.replace("    resolver 127.0.0.53; # of this host\n", "").replace(
        "pid nginx.pid", f"user root;\npid {folder}/pid"
    )
    text = text.replace("proxy_cache_path cache", f"proxy_cache_path {folder}/cache")
    if url.startswith("https"):
        text = text.replace("proxy_ssl_server_name on;", "proxy_ssl_server_name on; proxy_ssl_name cas.example;")
    if trusted is not None:
        text = text.replace("/etc/ssl/certs/ca-certificates.crt", str(trusted))
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
def address(text: str) -> Iterator[None]:
    """Have an address in this thread's network, which goes with it."""
    run("ip", "addr", "add", f"{text}/32", "dev", "lo")
    yield


@contextmanager
def rig(folder: Path, *, hides: bool) -> Iterator[tuple[Vault, list[list[str]]]]:
    """Serve an output through nginx to two hosts; yield the service, and what commands on the hosts begin with."""
    with own_network(), address(HERE):
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
    url = vault.server.url.replace("https:", "http:")
    command = [*inside, sys.executable, "-m", "casfs", "get", "--json", f"{url}/-/{VAULT}/job", str(to)]
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


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_service_is_asked_over_tls_and_only_if_it_is_trusted(tmp_path: Path, *, is_trusted: bool) -> None:
    certificate = OTHERS / "cas.example.pem"
    state = vault_of("cas", ["one"], SIZE)
    (archive,) = archives_of(state).values()
    state.add_job(VAULT, ARCHIVE_RETRIEVAL, part(archive), job_id="job")
    with (
        own_network(),
        address(HERE),
        serving(state, "cas", tmp_path, tls=certified(certificate), host=HERE) as vault,
        proxy(tmp_path / "nginx", vault.server.url, trusted=certificate if is_trusted else None),
    ):
        done = get(vault, [], tmp_path / "out")
        assert (done.returncode == 0) is is_trusted, done.stderr
        assert (tmp_path / "out").exists() is is_trusted
        if is_trusted:
            assert (tmp_path / "out").read_bytes() == read(archive.content)
        else:
            assert vault.server.requests == []
