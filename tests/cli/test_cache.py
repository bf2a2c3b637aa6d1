"""``casfs cache``: the command line beside a cache that others filled."""

import fcntl
import hashlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.data.disk import layout
from casfs.data.disk.layout import Label
from casfs.emulator.server import Server
from tests.data.service import MIB
from tests.disk.contents import Archive, content_file, flip, open_store
from tests.mounting import COMMAND_LIMIT_S, Mounting, casfs, environment

SIZE = 3 * MIB + 7
PLACE = "https://cas.example/100/backups/job-1"
WHOLE, PART = Archive.of(SIZE, 1), Archive.of(9 * MIB, 2, hashed=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a cache with a content that is whole and checked, and one of which a part is held, seen nowhere."""
    store = open_store(tmp_path / "cache", 1 << 30)
    whole, part = store.content(WHOLE.key), store.content(PART.key)
    whole.write(WHOLE.new(range(4)))
    whole.note(Label("https://cas.example", "100", "backups", "job-1", 2_000_000_000 * 10**9, 10**18))
    part.write(PART.new([0, 5], proven=False))
    return tmp_path / "cache"


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return casfs("cache", *arguments, env=environment(folder.parent, CASFS_CACHE_DIR=str(folder), **more))


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_ls_tells_of_each_content_what_is_held_and_where_it_was_seen(folder: Path) -> None:
    found = {each["content"]: each for each in objects(run(folder, "ls", "--json"))}
    whole, part = found[WHOLE.key.digest.hex()], found[PART.key.digest.hex()]
    assert (whole["tree_hash"], whole["size"], whole["blocks"], whole["held"]) == (WHOLE.key.tree_hash, SIZE, 4, 4)
    assert (whole["checked"], whole["expires"], whole["seen"]) == (
        4, "2033-05-18T03:33:20.000Z", "2001-09-09T01:46:40.000Z"
    )  # fmt: skip
    assert [whole[name] for name in ("endpoint", "account", "vault", "job")] == PLACE.rsplit("/", 3)
    assert (part["tree_hash"], part["blocks"], part["held"], part["checked"]) == (None, 9, 2, 0)
    assert {part[name] for name in ("expires", "endpoint", "account", "vault", "job", "seen")} == {None}


def test_ls_writes_lines_with_tabs_where_no_terminal_is(folder: Path) -> None:
    done = run(folder, "ls")
    assert (done.returncode, done.stderr) == (0, "")
    assert {tuple(line.split("\t")) for line in done.stdout.splitlines()} == {
        (WHOLE.key.digest.hex(), str(SIZE), "100%", "whole", "2033-05-18T03:33:20.000Z", PLACE),
        (PART.key.digest.hex(), str(9 * MIB), "22%", "none", "-", "-"),
    }


def on_a_terminal(folder: Path, *arguments: str) -> str:
    return written_to_a_terminal(folder, "cache", *arguments)


def written_to_a_terminal(folder: Path, *arguments: str) -> str:
    """Return what a command writes to a terminal of 200 columns."""
    main, end = pty.openpty()
    env = environment(folder.parent, CASFS_CACHE_DIR=str(folder), COLUMNS="200", TERM="xterm")
    command = [sys.executable, "-m", "casfs", *arguments]
    with subprocess.Popen(command, env=env, stdout=end, stderr=end, stdin=subprocess.DEVNULL) as process:
        os.close(end)
        written = b"".join(chunks_of(main))
        assert process.wait(COMMAND_LIMIT_S) == 0, written
    os.close(main)
    return written.decode()


def chunks_of(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has its other end open any more
            return
        if not chunk:
            return
        yield chunk


def test_ls_and_verify_write_a_table_on_a_terminal(folder: Path) -> None:
    shown = on_a_terminal(folder, "ls")
    for text in ("seen last at", "3.0 MiB", "100%", "whole", PLACE, WHOLE.key.digest.hex()[:16]):
        assert text in shown
    assert "4 right" in on_a_terminal(folder, "verify")


def test_a_name_that_a_terminal_would_take_for_a_command_is_shown_as_text(folder: Path) -> None:
    label = Label("https://cas.example", "100", "backups", "job\x1b]0;gotcha\x07\tx", None, 10**18)
    open_store(folder, 1 << 30).content(PART.key).note(label)
    assert "backups/job\\x1b]0;gotcha\\x07\\tx\n" in run(folder, "ls").stdout
    assert "\x1b]0;" not in on_a_terminal(folder, "ls")


def test_verify_ends_with_0_where_all_is_sound(folder: Path) -> None:
    found = {each["content"]: each for each in objects(run(folder, "verify", "--json"))}
    assert {digest: (each["right"], each["dropped"], each["ok"]) for digest, each in found.items()} == {
        WHOLE.key.digest.hex(): (4, 0, True),
        PART.key.digest.hex(): (2, 0, True),
    }


def test_verify_drops_what_is_rotten_and_says_so_with_status_1(folder: Path) -> None:
    flip(content_file(folder, WHOLE), layout.data_offset(2, SIZE) + 7)
    done = run(folder, "verify")
    assert done.returncode == 1
    assert f"{WHOLE.key.digest.hex()}\t3 right, 1 dropped\n" in done.stdout
    assert done.stderr == f"casfs: {folder}: 1 of 2 contents were not sound; 1 blocks were dropped\n"
    assert run(folder, "verify").returncode == 0
    assert open_store(folder).content(WHOLE.key).held_count() == 3


def test_prune_makes_room_and_what_was_used_last_stays(folder: Path) -> None:
    (done,) = objects(run(folder, "prune", "--to", "5M", "--json"))
    left = open_store(folder).used_bytes()
    assert left <= 5 * MIB
    assert done["left"] == left
    assert open_store(folder).content(WHOLE.key).held_count() + open_store(folder).content(PART.key).held_count() < 6


def test_prune_goes_down_to_the_size_that_mounts_are_told_too(folder: Path) -> None:
    assert run(folder, "prune", CASFS_CACHE_SIZE="1G").returncode == 0
    assert open_store(folder).content(WHOLE.key).held_count() == 4
    assert run(folder, "prune", CASFS_CACHE_SIZE="2M").returncode == 0
    assert open_store(folder).used_bytes() <= 2 * MIB
    assert run(folder, "prune", "--cache-size", "1M", CASFS_CACHE_SIZE="1G").returncode == 0
    assert open_store(folder).used_bytes() <= MIB


def test_prune_that_cannot_make_enough_room_says_so_with_status_1(folder: Path) -> None:
    with content_file(folder, WHOLE).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        done = run(folder, "prune", "--to", "0")
    assert done.returncode == 1
    assert done.stderr.startswith(f"casfs: {folder}: ")
    assert "the rest was in use just now" in done.stderr
    assert open_store(folder).content(WHOLE.key).held_count() == 4


def test_clear_empties_it_and_it_is_a_cache_still(folder: Path) -> None:
    (done,) = objects(run(folder, "clear", "--json"))
    assert done["left"] == 0
    assert int(str(done["freed"])) > 5 * MIB
    assert objects(run(folder, "ls", "--json")) == []
    assert open_store(folder).content(WHOLE.key).write(WHOLE.new([0])) == 1


def test_clear_leaves_what_is_being_written_to_and_says_so_with_status_1(folder: Path) -> None:
    with content_file(folder, WHOLE).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        done = run(folder, "clear")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "1 contents stay" in done.stderr
    assert [each["content"] for each in objects(run(folder, "ls", "--json"))] == [WHOLE.key.digest.hex()]


COMMANDS = pytest.mark.parametrize("command", ["ls", "verify", "prune", "clear"])


@COMMANDS
def test_a_folder_that_is_no_cache_is_refused_by_name_and_left_as_it_is(command: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir(mode=0o700)
    (tmp_path / "photos" / "holiday.jpg").write_text("sun")
    for name in ("photos", "nowhere"):
        done = run(tmp_path / name, command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"casfs: {tmp_path / name}: there is no cache of casfs; a mount with --cache-dir makes one\n"
        )
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["holiday.jpg"]
    assert not (tmp_path / "nowhere").exists()


@COMMANDS
def test_a_cache_of_another_version_is_refused_by_name_and_left_as_it_is(command: str, folder: Path) -> None:
    (folder / "VERSION").write_text("casfs cache 2\n")
    done = run(folder, command)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert str(folder) in done.stderr
    assert "'casfs cache 2'" in done.stderr
    assert content_file(folder, WHOLE).exists()


def test_the_folder_is_the_one_that_a_mount_would_use(folder: Path, tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(f'[default]\ncache_dir = "{tmp_path}/none"\n[other]\ncache_dir = "{folder}"\n')
    env = environment(tmp_path, CASFS_CONFIG=str(settings))
    assert casfs("cache", "ls", env=env).returncode == 1
    assert casfs("cache", "ls", "--profile", "other", env=env).stdout.count("\n") == 2
    assert casfs("cache", "ls", "--cache-dir", str(folder), env=env).stdout.count("\n") == 2


def test_no_folder_at_all_is_one_line_that_says_how_to_name_it(tmp_path: Path) -> None:
    done = casfs("cache", "ls", env=environment(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "--cache-dir, CASFS_CACHE_DIR, and cache_dir in profile default" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["prune", "--to", "much"], ["prune", "--cache-size", "much"], ["polish"], ["ls", "everything"]],
    ids=" ".join,
)
def test_what_cannot_be_read_is_one_line_and_status_2(arguments: list[str], folder: Path) -> None:
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_scripts_that_list_a_cache_load_nothing_of_tables_and_of_requests(folder: Path) -> None:
    code = (
        "import sys; from casfs.cli.main import main\ntry: main()\n"
        "finally: print({'rich', 'requests'} & {*sys.modules})"
    )
    env = environment(folder.parent, CASFS_CACHE_DIR=str(folder))
    done = subprocess.run(
        [sys.executable, "-c", code, "cache", "ls"], env=env, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.fuse
@pytest.mark.parametrize("command", ["verify", "clear", "prune"])
def test_a_mount_that_reads_meanwhile_serves_right_bytes(
    command: str, tmp_path: Path, mounting: Mounting, server: Server
) -> None:
    cache = tmp_path / "cache"
    with mounting(server, "--cache-dir", cache, "--block-cache-size", "4M", "--read-ahead", "1M") as root:
        film = next(path for path in (root / "photos").iterdir() if path.name.startswith("-")) / "output"
        right = hashlib.sha256(film.read_bytes()).hexdigest()
        with subprocess.Popen(["sha256sum", film], stdout=subprocess.PIPE, text=True) as reading:
            os.posix_fadvise(fd := os.open(film, os.O_RDONLY), 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)
            for _ in range(3):
                more = ("--to", "8M") if command == "prune" else ()
                done = casfs("cache", command, *more, "--cache-dir", cache, env=environment(tmp_path))
                assert done.returncode in (0, 1), done.stderr
                assert command != "verify" or done.returncode == 0, done.stderr
            assert reading.communicate(timeout=COMMAND_LIMIT_S)[0].split()[0] == right
        os.posix_fadvise(fd := os.open(film, os.O_RDONLY), 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
        assert hashlib.sha256(film.read_bytes()).hexdigest() == right
        assert casfs("cache", "verify", "--cache-dir", cache, env=environment(tmp_path)).returncode == 0
