"""``casfs doctor`` on a good host, and on hosts of which something is broken: real ones, in namespaces of their own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from casfs.data.hashing import lanes
from casfs.doctor import machine
from casfs.doctor.check import Look, Verdict, looked, ok
from casfs.doctor.network import INSPECTED
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from tests.api.tunnels import Tunnels, http_tunnel
from tests.certificate import CERTIFICATE, OTHERS, certified
from tests.mounting import COMMAND_LIMIT_S, environment
from tests.test_docs import ROOT

EXAMPLE = OTHERS / "cas.example.pem"
IS_ROOT = os.geteuid() == 0 and shutil.which("unshare") is not None
AS_ROOT = pytest.mark.skipif(not IS_ROOT, reason="root's alone: namespaces and other users")


@dataclass(frozen=True)
class Seen:
    """What a run printed, by the names of what was looked at."""

    status: int
    checks: dict[str, dict[str, str]]
    text: str

    def failed(self) -> str:
        return " | ".join(f"{check['name']}: {check['said']} -> {check['mending']}" for check in self.bad())

    def bad(self) -> list[dict[str, str]]:
        return [check for check in self.checks.values() if check["verdict"] == "fail"]


@dataclass
class Host:
    """A host on which casfs is run.

    Attributes:
        home: of the user.
        set_up: shell commands that break it, run as root in a mount namespace of its own; none for this host as it is.
        prefix: of the command.
        env: more variables.
    """

    home: Path
    set_up: str = ""
    prefix: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)

    def doctor(self, *arguments: object) -> Seen:
        command = [*self.prefix, sys.executable, "-m", "casfs", "doctor", "--json", *map(str, arguments)]
        if self.set_up:
            command = ["unshare", "-m", "sh", "-c", f'{self.set_up} && exec "$@"', "sh", *command]
        env = environment(self.home) | self.env
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False, cwd=ROOT
        )
        assert done.stderr == "", done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return Seen(done.returncode, {line["name"]: line for line in lines}, done.stdout)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.fuse
def test_on_a_good_host_all_is_well_and_the_status_is_0(host: Host, server: Server) -> None:
    wishes = (
        "--log-file",
        host.home / "log",
        "--cache-dir",
        host.home / "cache",
        "--metrics",
        f"127.0.0.1:{closed_port()}",
    )
    seen = host.doctor(*wishes, server.url)
    assert seen.status == 0, seen.failed()
    names = {
        "python", "binding", "libfuse", "/dev/fuse", "fusermount3", "user_allow_other", "read_ahead_kb", "hash lanes",
        "clock", "dns", "tls", "proxy", "keys", "credentials", "permissions of vault photos", "cache directory",
        "memory", "updatedb", "systemd", "settings", "log", "metrics",
    }  # fmt: skip
    assert names <= set(seen.checks)
    assert not (host.home / "cache").exists()
    assert (
        seen.checks["permissions of vault photos"]["said"] == "Describe Vault, List Jobs, Describe Job, Get Job Output"
    )
    fetched = [record for record in server.requests if record.operation == "get_job_output"]
    assert {record.range for record in fetched} == {"bytes=0-0"}


@pytest.mark.fuse
def test_without_a_source_and_a_profile_the_machine_alone_is_looked_at(host: Host) -> None:
    host.env = {"CASFS_SECRET_ID": "", "CASFS_SECRET_KEY": ""}
    seen = host.doctor()
    assert seen.status == 0, seen.failed()
    assert seen.checks["settings"]["mending"] == "name a SOURCE to have it looked at"


def test_a_line_is_words_between_tabs_without_json(host: Host, server: Server) -> None:
    command = [sys.executable, "-m", "casfs", "doctor", server.url]
    done = subprocess.run(command, env=environment(host.home), capture_output=True, text=True, timeout=120, check=False)
    first = done.stdout.splitlines()[0].split("\t")
    assert first[:2] == ["ok", "python"]
    assert "key\n" not in done.stdout


@dataclass(frozen=True)
class Broken:
    """What is broken, and how the doctor names what mends it.

    Attributes:
        name: of the check that must fail.
        mending: words of the line of that check.
        options: of the command, in front of SOURCE.
        source: the service that there is, where none is given.
        env: variables, where ``{home}`` is the user's.
        set_up: commands, likewise.
        prefix: likewise.
    """

    name: str
    mending: str
    options: str = ""
    source: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    set_up: str = ""
    prefix: str = ""


NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups"

OPEN_DEVICE = "mknod -m 666 {home}/fuse c 10 229 && mount --bind {home}/fuse /dev/fuse"
"""Not every container lets others at the device."""

BROKEN = {
    "no library": Broken("binding", "install the package fuse3", env={"FUSE_LIBRARY_PATH": "/nowhere.so"}),
    "no binding of that name": Broken("binding", "one of 3, mfusepy, 2, fusepy", env={"CASFS_FUSE": "4"}),
    "no credentials": Broken(
        "settings", "set CASFS_SECRET_ID and CASFS_SECRET_KEY", env={"CASFS_SECRET_ID": "", "CASFS_SECRET_KEY": ""}
    ),
    "half credentials": Broken("settings", "without CASFS_SECRET_KEY", env={"CASFS_SECRET_KEY": ""}),
    "another key": Broken("credentials", "correct the keys of CASFS_*", env={"CASFS_SECRET_KEY": "other"}),
    "no such region": Broken("settings", "is not a region like ap-chengdu", source="nowhere:"),
    "no such host": Broken("dns", "/etc/resolv.conf", source="http://no-such-host.invalid"),
    "nobody listens": Broken("connection", "are host and port right", source="http://127.0.0.1:{closed}"),
    "a proxy that is down": Broken(
        "proxy", "correct HTTP_PROXY, or name the host in NO_PROXY",
        source="http://cas.example", env={"HTTP_PROXY": "http://127.0.0.1:{closed}"},
    ),
    "a proxy that is none": Broken(
        "network", "http://HOST:PORT", source="http://cas.example", env={"HTTP_PROXY": "//"}
    ),
    "no such vault": Broken("permissions of vault none", "look at SOURCE", source="{url}/-/none"),
    "a cache that is a file": Broken("cache directory", "another folder with --cache-dir", "--cache-dir {home}/config"),
    "a cache of something else": Broken("cache directory", "name another folder", "--cache-dir {home}"),
    "too little address space": Broken(
        "memory", "raise ulimit -v", "--block-cache-size 900G", prefix="prlimit --as=4000000000"
    ),
    "a log in a folder that is not there": Broken("log", "make its folder", "--log-file {home}/none/log"),
    "a log that is a folder": Broken("log", "another file with --log-file", "--log-file {home}"),
    "a port that somebody has": Broken("metrics", "Address already in use", "--metrics {taken}"),
    "an option that is none": Broken("settings", "list-ttl", "--list-ttl never"),
    "a file that others can read": Broken("settings", "chmod 600", "--config {home}/config"),
}  # fmt: skip

BROKEN_BY_ROOT = {
    "no device": Broken(
        "/dev/fuse", "mknod -m 666 /dev/fuse c 10 229", set_up="mount --bind /dev/null /dev/fuse"
    ),
    "no capability": Broken("fusermount3", "--cap-add SYS_ADMIN", prefix="setpriv --bounding-set -sys_admin"),
    "no helper": Broken("fusermount3", "install the package fuse3", prefix=f"env PATH=/nowhere {NOBODY}"),
    "others are not let in": Broken(
        "user_allow_other", "echo user_allow_other >> /etc/fuse.conf", "--allow-other",
        set_up="touch /etc/fuse.conf && mount --bind /dev/null /etc/fuse.conf", prefix=NOBODY,
    ),
    "a cache that is root's": Broken(
        "cache directory", "install -d -o 65534", "--cache-dir /var/cache/casfs", prefix=NOBODY
    ),
    "a helper without setuid": Broken(
        "fusermount3", "chmod 4755",
        set_up="cp /usr/bin/fusermount3 {home}/f && chmod 755 {home}/f && mount --bind {home}/f /usr/bin/fusermount3",
        prefix=NOBODY,
    ),
}  # fmt: skip


def run(broken: Broken, host: Host, server: Server) -> Seen:
    (host.home / "config").write_text("[default]\nsecret_id = 'id'\nsecret_key = 'key'\n")
    (host.home / "config").chmod(0o644)
    host.home.chmod(0o777 if NOBODY in broken.prefix else 0o755)
    words = {"home": str(host.home), "url": server.url, "closed": str(closed_port())}
    words["taken"] = server.url.removeprefix("http://")

    def filled(text: str) -> str:
        return text.format(**words)

    host.env = {name: filled(text) for name, text in broken.env.items()}
    host.set_up, host.prefix = filled(broken.set_up), filled(broken.prefix).split()
    if NOBODY in broken.prefix:
        host.env["CASFS_LOG_FILE"] = ""
        host.set_up = " && ".join(filter(None, [filled(OPEN_DEVICE), host.set_up]))
    if host.prefix[:1] == ["env"]:
        host.prefix[2] = shutil.which(host.prefix[2]) or ""
    return host.doctor(*filled(broken.options).split(), filled(broken.source) or server.url)


def check(broken: Broken, seen: Seen) -> None:
    assert seen.status == 1, seen.text
    bad = seen.checks[broken.name]
    assert bad["verdict"] == "fail", seen.text
    assert broken.mending in f"{bad['said']} {bad['mending']}", bad
    assert [line["name"] for line in seen.bad()] == [broken.name]


@pytest.mark.fuse
@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_fails_and_its_line_says_what_mends_it(what: str, host: Host, server: Server) -> None:
    check(BROKEN[what], run(BROKEN[what], host, server))


@AS_ROOT
@pytest.mark.fuse
@pytest.mark.parametrize("what", BROKEN_BY_ROOT)
def test_so_does_a_host_that_is_broken(what: str, host: Host, server: Server) -> None:
    if "setpriv" in BROKEN_BY_ROOT[what].prefix and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    shutil.rmtree(host.home / ".cache", ignore_errors=True)
    check(BROKEN_BY_ROOT[what], run(BROKEN_BY_ROOT[what], host, server))


@pytest.fixture
def served() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def serve(**more: object) -> Server:
        server = Server(sample_state(), credentials={"id": "key"}, **more)  # type: ignore[arg-type]  # - as the test says
        server.start()
        made.append(server)
        return server

    yield serve
    for server in made:
        server.stop()


@pytest.mark.fuse
def test_a_certificate_that_is_not_trusted_is_said_to_be_that(host: Host, served: Callable[..., Server]) -> None:
    seen = host.doctor(served(tls=certified()).url)
    assert (seen.status, seen.checks["tls"]["verdict"]) == (1, "fail")
    assert "--ca-bundle FILE" in seen.checks["tls"]["said"]


@pytest.mark.fuse
def test_one_that_has_expired_too(host: Host, served: Callable[..., Server]) -> None:
    expired = OTHERS / "expired.pem"
    seen = host.doctor("--ca-bundle", expired, served(tls=certified(expired)).url)
    assert (seen.status, seen.checks["tls"]["verdict"]) == (1, "fail")
    assert "has expired" in seen.checks["tls"]["said"]


@pytest.mark.fuse
def test_one_that_is_trusted_is_well(host: Host, served: Callable[..., Server]) -> None:
    seen = host.doctor("--ca-bundle", CERTIFICATE, served(tls=certified()).url)
    assert (seen.status, seen.checks["tls"]["said"]) == (0, "the certificate is trusted")


@dataclass(frozen=True)
class Proxied:
    """A proxy between the host and a service that has the name and the certificate of cas.example.

    Attributes:
        name: of the check that must fail; "" where none does.
        words: of its line.
        refuses: how the proxy answers a CONNECT, where it does not let anybody through.
        speaks_tls: whether it does so itself, with a certificate of its own.
        scheme: by which the environment names it.
        trusted: the certificate that the host trusts.
    """

    name: str
    words: str
    refuses: str = ""
    speaks_tls: bool = False
    scheme: str = "http"
    trusted: Path = EXAMPLE


PROXIED = {
    "lets through": Proxied("", ""),
    "refuses": Proxied("through the proxy", "have the proxy let cas.example through", "403 Forbidden"),
    "wants a password": Proxied("through the proxy", "http://USER:PASSWORD@HOST", "407 Proxy Authentication Required"),
    "does not get there": Proxied("through the proxy", "(HTTP 502 Bad Gateway)", "502 Bad Gateway"),
    "has a certificate of its own": Proxied(
        "through the proxy", "--ca-bundle FILE too", speaks_tls=True, scheme="https"
    ),
    "looks into TLS": Proxied("tls", INSPECTED, trusted=CERTIFICATE),
}


@pytest.mark.fuse
@pytest.mark.parametrize("what", PROXIED)
def test_tls_through_a_proxy_has_a_verdict(host: Host, served: Callable[..., Server], what: str) -> None:
    case = PROXIED[what]
    upstream = int(served(tls=certified(EXAMPLE)).url.rpartition(":")[2])

    def refuse(client: socket.socket) -> None:
        http_tunnel(client, f"HTTP/1.1 {case.refuses}\r\nContent-Length: 0\r\n\r\n")

    proxy = Tunnels(upstream, refuse if case.refuses else http_tunnel, certified() if case.speaks_tls else None)
    proxy.start()
    name = proxy.name
    try:
        host.env = {"HTTPS_PROXY": f"{case.scheme}://someone:PROXYSECRET@{name}"}
        seen = host.doctor("--ca-bundle", case.trusted, "https://cas.example")
    finally:
        proxy.stop()
    assert [line["name"] for line in seen.bad()] == ([case.name] if case.name else [])
    assert case.words in seen.failed()
    assert (seen.status, "PROXYSECRET" in seen.text) == (bool(case.name), False)
    if not case.name:
        assert seen.checks["tls"]["said"] == f"the certificate is trusted, through the proxy {name}"


@pytest.mark.fuse
@pytest.mark.parametrize(("off_s", "status", "verdict"), [(3600, 0, "warn"), (9 * 86400, 1, "fail")])
def test_a_clock_that_is_off_is_told_by_how_much(
    host: Host, served: Callable[..., Server], off_s: int, status: int, verdict: str
) -> None:
    seen = host.doctor(served(clock=lambda: time.time() + off_s).url)
    assert (seen.status, seen.checks["clock"]["verdict"]) == (status, verdict), seen.text
    assert seen.checks["clock"]["mending"] == "set it: timedatectl set-ntp true"
    assert abs(int(seen.checks["clock"]["said"].split()[0]) - off_s) < 60


@pytest.mark.fuse
def test_what_the_account_may_not_ask_is_named_for_each_vault(host: Host, server: Server) -> None:
    for operation in ("list_vaults", "describe_job"):
        server.faults.add(Fault(kind=Kind.STATUS, status=403, code="AccessDeniedException", operation=operation))
    seen = host.doctor(f"{server.url}/-/photos")
    vault = seen.checks["permissions of vault photos"]
    assert seen.checks["permission to list vaults"]["verdict"] == "warn"
    assert (seen.status, vault["verdict"]) == (0, "warn"), seen.text
    assert vault["mending"] == "allow Describe Job for this vault"


@pytest.mark.fuse
def test_a_vault_of_which_nothing_may_be_read_fails(host: Host, server: Server) -> None:
    server.faults.add(Fault(kind=Kind.STATUS, status=403, code="AccessDeniedException", operation="get_job_output"))
    seen = host.doctor(f"{server.url}/-/photos")
    assert (seen.status, seen.checks["permissions of vault photos"]["verdict"]) == (1, "fail")
    assert seen.checks["permissions of vault photos"]["mending"] == "allow Get Job Output for this vault"


@AS_ROOT
@pytest.mark.fuse
@pytest.mark.parametrize(("text", "verdict"), [('PRUNEFS="NFS nfs4"', "warn"), ('PRUNEFS="NFS fuse.casfs"', "ok")])
def test_updatedb_is_to_leave_mounts_alone(host: Host, server: Server, text: str, verdict: str) -> None:
    (host.home / "updatedb.conf").write_text(f"{text}\n")
    overlay = f"mkdir -p {host.home}/up {host.home}/work && cp {host.home}/updatedb.conf {host.home}/up"
    host.set_up = f"{overlay} && mount -t tmpfs none /etc -o size=1M && cp {host.home}/up/updatedb.conf /etc/"
    seen = host.doctor(server.url)
    assert seen.checks["updatedb"]["verdict"] == verdict, seen.text
    if verdict == "warn":
        assert seen.checks["updatedb"]["mending"].startswith("sed -i '/^PRUNEFS=/s/")


def test_a_look_that_hangs_is_left_behind() -> None:
    goes_on = threading.Event()
    look = Look("something", lambda: [ok("something", str(goes_on.wait(120)))], limit_s=0.05)
    assert [check.verdict for check in looked(look)] == [Verdict.FAIL]
    goes_on.set()


def test_without_compiled_lanes_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LIBRARY", tmp_path / "none.so")
    lanes._plan.cache_clear()
    try:
        (check,) = next(look for look in machine.looks("0") if look.name == "hash lanes").checks()
    finally:
        lanes._plan.cache_clear()
    assert check.said == "blocks are hashed 1 at a time, by hashlib"
    assert (check.verdict, "install cc" in check.mending) == (Verdict.WARN, True)
