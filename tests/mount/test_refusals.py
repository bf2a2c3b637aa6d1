"""What cannot be mounted: one line that says what to mend, exit status 1, and nothing mounted."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.cli.mount import mount
from casfs.cli.statuses import LastingError
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.errors import CasfsError
from tests.api.scripted import ScriptedServer, answer
from tests.mounting import Mounting, casfs, environment, is_mounted, names, processes_of, wait_until

pytestmark = pytest.mark.fuse

DEAD_PORT = "http://127.0.0.1:1"
"""Nobody listens at port 1 of any machine that runs tests."""


def refused(*arguments: object, env: dict[str, str], path: Path, foreground: int = 1) -> str:
    """Run ``casfs mount`` in the background and in the foreground, both refused in the same words; return them.

    The status is 1, in the foreground *foreground*.
    """
    modes = {(): 1, ("-f",): foreground}
    said = [casfs_refused("mount", *mode, *arguments, env=env, status=status) for mode, status in modes.items()]
    assert not is_mounted(path)
    wait_until(lambda: not processes_of(path), "no process is left")
    in_background, in_foreground = (re.sub("request id [0-9a-f]+", "request id", line) for line in said)
    assert in_background == in_foreground
    return in_foreground


def casfs_refused(*arguments: object, env: dict[str, str], status: int) -> str:
    done = casfs(*arguments, env=env)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert done.stderr.startswith("casfs: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
def error_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CasfsError]:
    """Run ``casfs mount`` in this process, for what is refused before there is another; return the error.

    ``test_bad_source`` and ``test_option_out_of_range`` show what becomes of it.
    """

    def run(*arguments: object, **variables: str) -> CasfsError:
        env = environment(tmp_path, **variables)
        for name in os.environ.keys() - env.keys():
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(CasfsError) as caught:
            mount.main(list(map(str, arguments)), standalone_mode=False)
        return caught.value

    return run


@pytest.mark.parametrize("source", ["", "https://id:key@host"])
def test_bad_source(source: str, path: Path, tmp_path: Path) -> None:
    assert "key@" not in refused(source, path, env=environment(tmp_path), path=path, foreground=78)


@pytest.mark.parametrize("source", ["nonsense", "nowhere:", "ftp://host", "http://", "http://h:x"])
def test_any_other_bad_source(source: str, path: Path, error_here: Callable[..., CasfsError]) -> None:
    assert isinstance(error_here("-f", source, path), LastingError)


def test_refused_key(server: Server, path: Path, tmp_path: Path) -> None:
    line = refused(server.url, path, env=environment(tmp_path, "id", "another"), path=path, foreground=78)
    assert "InvalidSignatureException" in line
    line = refused(server.url, path, env=environment(tmp_path, "nobody", "key"), path=path, foreground=78)
    assert "another" not in line


def test_key_that_is_refused_for_a_clock_is_worth_a_second_try(path: Path, tmp_path: Path) -> None:
    date = "Sat, 15 Jul 2017 02:40:00 GMT"
    body = b'{"code": "InvalidSignatureException", "message": "no"}'
    server = ScriptedServer(always=(answer("403 Forbidden", body, x_cas_requestId="id", Date=date),))
    server.start()
    line = refused(server.url, path, env=environment(tmp_path), path=path, foreground=1)
    server.stop()
    assert "no more than a day is corrected: set it" in line


def test_no_key(server: Server, path: Path, tmp_path: Path) -> None:
    env = environment(tmp_path, "", "")
    assert "CASFS_SECRET_ID" in refused(server.url, path, env=env, path=path, foreground=78)


def test_unreachable_host(path: Path, tmp_path: Path) -> None:
    assert "127.0.0.1" in refused("--connect-timeout=1", DEAD_PORT, path, env=environment(tmp_path), path=path)


def test_missing_vault(server: Server, path: Path, tmp_path: Path) -> None:
    line = refused(f"{server.url}/-/nothing-here", path, env=environment(tmp_path), path=path)
    assert line.startswith("casfs: there is no vault 'nothing-here': ")


def test_wrong_scheme(server: Server, path: Path, tmp_path: Path) -> None:
    line = refused(server.url.replace("http", "https"), path, env=environment(tmp_path), path=path)
    assert line.endswith(": it speaks http://, and not https://\n")


@pytest.mark.parametrize(("source", "variable"), [("https://cas.example", "HTTPS_PROXY"), ("ap-chengdu:", "ALL_PROXY")])
def test_proxy_that_refuses(path: Path, tmp_path: Path, source: str, variable: str) -> None:
    proxy = ScriptedServer(always=(answer("403 Forbidden", b"<p>not from here</p>"),))
    proxy.start()
    name = f"127.0.0.1:{proxy.port}"
    env = environment(tmp_path, **{variable: f"http://someone:PROXYSECRET@{name}"})
    line = refused(source, path, env=env, path=path)
    proxy.stop()
    assert f": the proxy {name} of {variable} refuses the way (HTTP 403 Forbidden)" in line
    assert "PROXYSECRET" not in line
    assert len(proxy.seen) == 2, "one for each of the two mounts"


def test_failing_service(server: Server, path: Path, tmp_path: Path) -> None:
    server.faults.add(Fault(kind=Kind.STATUS, status=400, code="InvalidParameterValueException", times=None))
    assert "InvalidParameterValueException" in refused(server.url, path, env=environment(tmp_path), path=path)


def test_host_that_is_no_archive_service(server: Server, path: Path, tmp_path: Path) -> None:
    server.faults.add(Fault(kind=Kind.GARBAGE, times=None))
    line = refused(server.url, path, env=environment(tmp_path), path=path)
    assert f"{server.url} does not answer like an archive service" in line


@pytest.mark.parametrize(
    ("name", "mends"), [("missing", "mkdir -p"), ("file", "not a directory"), ("full", "empty directory")]
)
def test_bad_mountpoint(server: Server, tmp_path: Path, name: str, mends: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").touch()
    path = tmp_path / name
    assert mends in casfs_refused("mount", server.url, path, env=environment(tmp_path), status=1)
    assert server.requests == []


def test_mountpoint_of_links_in_a_circle(server: Server, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    casfs_refused("mount", server.url, tmp_path / "one", env=environment(tmp_path), status=1)


def test_mountpoint_seen_from_a_directory_that_is_gone(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = environment(tmp_path, PYTHONPATH=str(Path.cwd()))
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "cd to" in casfs_refused("mount", server.url, "mount", env=env, status=1)


def test_occupied_mountpoint(server: Server, mounting: Mounting, tmp_path: Path) -> None:
    with mounting(server) as path:
        line = casfs_refused("mount", server.url, path, env=environment(tmp_path), status=1)
        assert f"umount {path}" in line
        assert names(path)


def named(option: str) -> str:
    """Return the name of an option as errors have it, of no word at all none."""
    return option.lstrip("-").removeprefix("o").partition("=")[0].replace("-", "_").removeprefix("ono")


@pytest.mark.parametrize("option", ["--connections=0", "-oread_timeout=0", "-ononsense"])
def test_option_out_of_range(option: str, server: Server, path: Path, tmp_path: Path) -> None:
    line = refused(option, server.url, path, env=environment(tmp_path), path=path, foreground=78)
    assert named(option) in line.replace("-", "_")
    assert server.requests == []


@pytest.mark.parametrize(
    "option",
    [
        "--read-timeout=0.5",
        "--read-timeout=3601",
        "--connect-timeout=nan",
        "--block-cache-size=1X",
        "--file-mode=999",
        "--verify=perhaps",
        "--provider=other",
        "--cache-size=1",
        "--keep-expired",
        "--metrics=localhost",
        "-oconnections",
    ],
)
def test_any_other_option_out_of_range(option: str, path: Path, error_here: Callable[..., CasfsError]) -> None:
    error = error_here("-f", option, DEAD_PORT, path)
    assert isinstance(error, LastingError), "the service was asked"
    assert named(option) in str(error).replace("-", "_")


@pytest.mark.parametrize("arguments", [["--nonsense"], [], ["only-a-source"], ["a:", "b", "c"]], ids=str)
def test_usage(arguments: list[str], tmp_path: Path) -> None:
    assert "casfs mount --help" in casfs_refused("mount", *arguments, env=environment(tmp_path), status=2)


def test_unknown_command(tmp_path: Path) -> None:
    assert "surgeon" in casfs_refused("surgeon", env=environment(tmp_path), status=2)


@pytest.mark.parametrize("variable", ["CASFS_FUSE=7", "CASFS_LIST_TTL=often"])
def test_bad_variable(variable: str, server: Server, path: Path, tmp_path: Path) -> None:
    name, _, value = variable.partition("=")
    assert name in refused(server.url, path, env=environment(tmp_path, **{name: value}), path=path, foreground=78)


@pytest.mark.parametrize("option", ["--log-file", "--cache-dir"])
def test_path_that_the_mount_would_hide(option: str, server: Server, path: Path, tmp_path: Path) -> None:
    """The process of the mount would ask itself for it, and could not be ended."""
    line = refused(option, path / "inside", server.url, path, env=environment(tmp_path), path=path, foreground=78)
    assert option.strip("-").replace("-", "_") in line
    assert names(path) == []


def test_cache_of_another_version(server: Server, path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    (cache / "VERSION").write_bytes(b"casfs cache 99\n")
    line = refused("--cache-dir", cache, server.url, path, env=environment(tmp_path), path=path, foreground=78)
    assert f"{cache}: is a cache of another version ('casfs cache 99')" in line
    assert names(cache) == ["VERSION"]


def test_log_file_that_cannot_be_written(server: Server, path: Path, tmp_path: Path) -> None:
    log = tmp_path / "missing" / "log"
    line = refused("--log-file", log, server.url, path, env=environment(tmp_path), path=path, foreground=78)
    assert str(log) in line


@pytest.fixture
def private_mounts(tmp_path: Path) -> list[str]:
    """Return the beginning of a command that runs in a mount namespace of its own; skip where none can be made."""
    unshare = ["unshare", "-m", "sh", "-ec"]
    if os.geteuid() != 0 or subprocess.run([*unshare, "true"], check=False, timeout=120).returncode:
        pytest.skip("unshare -m is not allowed here")
    return unshare


def test_missing_device(private_mounts: list[str], server: Server, path: Path, tmp_path: Path) -> None:
    script = 'mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; exec "$@"'
    command = [*private_mounts, script, "sh", sys.executable, "-m", "casfs", "mount", server.url, str(path)]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert "modprobe fuse" in done.stderr


@pytest.mark.parametrize("binding", ["3", "2"])
def test_missing_library(private_mounts: list[str], server: Server, path: Path, tmp_path: Path, binding: str) -> None:
    script = 'for library in /usr/lib/*/libfuse* /lib/*/libfuse*; do mount --bind /dev/null "$library"; done; exec "$@"'
    command = [*private_mounts, script, "sh", sys.executable, "-m", "casfs", "mount", server.url, str(path)]
    env = environment(tmp_path, CASFS_FUSE=binding)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert f"install the package {'libfuse2' if binding == '2' else 'fuse3'}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "is_lasting"),
    [
        (["-o", "foreground", "--list-ttl=often"], {}, True),
        (["--list-ttl=often"], {"CASFS_FOREGROUND": "true"}, True),
        (["-f", "-o", "nonsense"], {}, True),
        (["-o", "foreground,nonsense"], {}, True),
        (["-o", "foreground=false", "--list-ttl=often"], {"CASFS_FOREGROUND": "true"}, False),
        (["--list-ttl=often"], {"CASFS_FOREGROUND": "perhaps"}, False),
    ],
)
def test_error_says_whether_a_mount_in_the_foreground_is_worth_a_second_try(
    arguments: list[str],
    variables: dict[str, str],
    path: Path,
    error_here: Callable[..., CasfsError],
    *,
    is_lasting: bool,
) -> None:
    assert isinstance(error_here(*arguments, DEAD_PORT, path, **variables), LastingError) == is_lasting
