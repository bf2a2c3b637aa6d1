"""``casfs doctor`` on hosts of which something is broken: real ones, in namespaces of their own."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from casfs.emulator.server import Server
from tests.doctor.host import AS_ROOT, Host, Seen
from tests.ports import closed_port


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
    with closed_port() as closed:
        return run_beside(broken, host, server, closed)


def run_beside(broken: Broken, host: Host, server: Server, closed: int) -> Seen:
    (host.home / "config").write_text("[default]\nsecret_id = 'id'\nsecret_key = 'key'\n")
    (host.home / "config").chmod(0o644)
    host.home.chmod(0o777 if NOBODY in broken.prefix else 0o755)
    words = {"home": str(host.home), "url": server.url, "closed": str(closed)}
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
