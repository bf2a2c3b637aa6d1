"""A mount and its service manager, of which a test has the socket: what is told when, and what keeps it from being."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from tests.managers import manager
from tests.mount.managed import COMMAND, WATCHED, log, notifying
from tests.mounting import casfs, environment, is_mounted, names, processes_of, wait_until

pytestmark = pytest.mark.fuse


def test_life_of_a_mount_is_told(server: Server, path: Path) -> None:
    with manager(path.parent) as heard, notifying(server.url, path, heard) as process:
        ready = heard.next()
        assert is_mounted(path)
        assert ready == {
            "READY": "1",
            "STATUS": "3 vaults, 0 outputs open, nothing read yet, 0 in flight, no expiry known",
        }
        process.send_signal(signal.SIGHUP)
        assert set(heard.has("RELOADING")) == {"RELOADING", "MONOTONIC_USEC"}
        heard.has("READY")
        process.terminate()
        assert heard.has("STOPPING") == {"STOPPING": "1", "STATUS": "SIGTERM"}
        assert process.wait(60) == 0


def test_status_tells_what_is_open_read_and_about_to_expire(server: Server, path: Path) -> None:
    with manager() as heard, notifying(server.url, path, heard):
        heard.has("READY")
        (output,) = list((path / "photos").glob("*/output"))[:1]
        with output.open("rb") as file:
            file.read()
            told = heard.until(lambda message: ", 1 output open" in message.get("STATUS", ""), "an open output")
        assert " % of blocks from memory, 0 in flight, next expiry in " in told["STATUS"]


def test_nothing_is_told_before_the_mount_answers_and_nothing_of_one_that_fails(server: Server, path: Path) -> None:
    with manager() as heard, notifying(server.url, path, heard, CASFS_SECRET_KEY="of-another") as process:
        assert process.wait(60) == 78
        heard.forget()
        assert heard.messages == []


def test_mount_in_the_background_is_told_as_the_process_of_its_service(server: Server, path: Path) -> None:
    with manager() as heard:
        env = environment(path.parent, NOTIFY_SOCKET=heard.address, WATCHDOG_USEC=WATCHED)
        script = 'export SYSTEMD_EXEC_PID=$$ WATCHDOG_PID=$$; exec "$@"'
        command = ["sh", "-c", script, "sh", *COMMAND, "mount", server.url, str(path)]
        subprocess.run(command, env=env, check=True, timeout=120)
        (process,) = processes_of(path)
        assert (heard.next() or {})["MAINPID"] == str(process)
        heard.has("WATCHDOG")
        subprocess.run(["umount", path], check=True, timeout=120)
        assert heard.has("STOPPING")["STATUS"] == "unmounted by others"


def profile(file: Path, url: str, secret_key: str, **settings: object) -> None:
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    keys = ['secret_id = "id"', f'secret_key = "{secret_key}"']
    new = file.with_suffix(".new")
    new.write_text("\n".join(["[default]", f'endpoint = "{url}"', *keys, *lines]))
    new.chmod(0o600)
    new.replace(file)


def options_of(path: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads(os.getxattr(path, "user.cas.options"))
    return told


def test_hangup_reads_credentials_and_what_can_change_and_forgets_listings(path: Path) -> None:
    file, keys = path.parent / "config.toml", {"id": "key"}
    env = environment(path.parent)
    del env["CASFS_SECRET_ID"], env["CASFS_SECRET_KEY"]
    with Server(sample_state(), credentials=keys) as server:
        profile(file, server.url, "key")
        command = [*COMMAND, "mount", "--config", file.name, "default:", str(path)]
        subprocess.run(command, cwd=path.parent, env=env, check=True, timeout=120)
        (process,) = processes_of(path)
        before = names(path)
        keys["id"] = "another-key"
        server.state.add_vault("new")
        profile(file, server.url, "another-key", list_ttl=5, log_level="debug", connections=7)
        os.kill(process, signal.SIGHUP)
        wait_until(lambda: options_of(path)["list_ttl"] == 5, "the new time is told")
        wait_until(lambda: "after SIGHUP" in log(path), "all is forgotten")
        assert names(path) == sorted([*before, "new"]), "what is new is listed, with the new key"
        assert options_of(path)["connections"] == 64
        assert "changed in the configuration, which only a new mount follows: connections" in log(path)
        wait_until(lambda: "DEBUG" in log(path), "requests are told, once the log has come to them")
        assert "another-key" not in log(path)


def test_keys_that_systemd_passes_are_found_and_read_anew(path: Path) -> None:
    folder, keys = path.parent / "credentials", {"id": "key"}
    folder.mkdir()

    def give(secret_key: str) -> None:
        new = folder / "new"
        new.write_text(f'secret_id = "id"\nsecret_key = "{secret_key}"\n')
        new.chmod(0o400)
        new.replace(folder / "casfs")

    give("key")
    none = {"CASFS_SECRET_ID": "", "CASFS_SECRET_KEY": "", "CREDENTIALS_DIRECTORY": str(folder)}
    with (
        Server(sample_state(), credentials=keys) as server,
        manager() as heard,
        notifying(server.url, path, heard, "--list-ttl", "3600", WATCHDOG_USEC=WATCHED, **none) as process,
    ):
        heard.has("READY")
        wait_until(lambda: f"credentials from {folder}/casfs" in log(path), "it is told whose keys they are")
        keys["id"] = "another-key"
        give("another-key")
        process.send_signal(signal.SIGHUP)
        heard.has("RELOADING")
        heard.has("READY")
        assert names(path) == ["empty", "ledger", "photos"], "listed with the new key"
        heard.has("WATCHDOG")


@pytest.mark.parametrize("damage", ["unreadable", "another service"])
def test_hangup_keeps_what_was_where_the_configuration_cannot_be_followed(
    server: Server, path: Path, damage: str
) -> None:
    file = path.parent / "config.toml"
    profile(file, server.url, "key")
    env = environment(path.parent)
    del env["CASFS_SECRET_ID"], env["CASFS_SECRET_KEY"]
    subprocess.run([*COMMAND, "mount", "--config", file, "default:", str(path)], env=env, check=True, timeout=120)
    (process,) = processes_of(path)
    if damage == "unreadable":
        file.write_text("[default")
    else:
        profile(file, "http://127.0.0.1:9", "of-another")
    server.state.add_vault("new")
    os.kill(process, signal.SIGHUP)
    wait_until(lambda: "new" in names(path), "what is new is listed, with the old key")
    said = {
        "unreadable": "configuration and credentials stay as they were: ",
        "another service": "another service or account now",
    }
    wait_until(lambda: said[damage] in log(path), "why it is not followed, once the log has come to it")


def test_reads_go_on_under_storms_of_signals(server: Server, path: Path) -> None:
    env = environment(path.parent)
    options = ("--read-ahead", "0", "--block-cache-size", "1M", "--log-level", "error")
    assert casfs("mount", *options, server.url, path, env=env).returncode == 0
    (process,) = processes_of(path)
    outputs = sorted(path.glob("*/*/output"))
    before = [output.read_bytes() for output in outputs]
    for output, data in zip(outputs * 3, before * 3, strict=True):
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2) * 5:
            os.kill(process, number)
        with output.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            assert file.read() == data
    told = json.loads(os.getxattr(path, "user.cas.stats"))
    assert (told["errors"], told["retries"], told["hash_mismatches"]) == (0, 0, 0)
    os.kill(process, signal.SIGTERM)
    wait_until(lambda: not processes_of(path), "the last signal ends it")


def test_log_file_that_was_moved_away_is_written_anew(server: Server, path: Path) -> None:
    env, file = environment(path.parent), path.parent / "own.log"
    assert casfs("mount", "--log-file", file, server.url, path, env=env).returncode == 0
    (process,) = processes_of(path)
    file.rename(path.parent / "own.log.1")
    os.kill(process, signal.SIGHUP)
    wait_until(lambda: file.exists() and "after SIGHUP" in file.read_text(), "the file is there again")


@pytest.mark.parametrize("style", ["text", "json"])
def test_stacks_and_counters_are_logged_whatever_the_level(server: Server, path: Path, style: str) -> None:
    env = environment(path.parent)
    assert casfs("mount", "--log-level", "error", "--log-format", style, server.url, path, env=env).returncode == 0
    (process,) = processes_of(path)
    os.kill(process, signal.SIGUSR1)
    wait_until(lambda: "counters: " in log(path), "the counters are logged")
    text = log(path)
    for expected in ("thread signals", "thread casfs-fetch-0", "in _next", "requests_by_operation"):
        assert expected in text
    if style == "json":
        lines = [json.loads(line) for line in text.splitlines()]
        assert all("File " in line["stack"] for line in lines if line["message"].startswith("thread "))


def test_debug_is_turned_on_and_off(server: Server, path: Path) -> None:
    env = environment(path.parent)
    assert casfs("mount", "--list-ttl", "1", server.url, path, env=env).returncode == 0
    (process,) = processes_of(path)
    os.kill(process, signal.SIGUSR2)
    wait_until(lambda: "the log has level debug from now on" in log(path), "the level is told")
    os.kill(process, signal.SIGHUP)
    wait_until(lambda: "after SIGHUP" in log(path), "the configuration is read anew, which does not end that")
    assert names(path)
    wait_until(lambda: "DEBUG" in log(path), "requests are told, once the log has come to them")
    os.kill(process, signal.SIGUSR2)
    wait_until(lambda: "the log has level info from now on" in log(path), "the level is told again")
