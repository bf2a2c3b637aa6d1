"""The folder of the cache on disk: whose it is, and which ones are refused."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.errors import ConfigError
from tests.disk.contents import SIZE, Archive, open_store


def files_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_folders_and_files_are_the_owners_alone_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        archive = Archive.of(SIZE)
        open_store(folder).content(archive.key).write(archive.new([0]))
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files_in(folder)} == {0o600}
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_folders_that_lead_to_it_are_made(folder: Path) -> None:
    archive = Archive.of(SIZE)
    open_store(folder / ".cache" / "casfs").content(archive.key).write(archive.new([0]))
    assert [path.name for path in folder.iterdir()] == [".cache"]
    assert stat.S_IMODE((folder / ".cache").stat().st_mode) == 0o700


def test_names_inside_tell_nothing_of_the_place(folder: Path) -> None:
    archive = Archive.of(SIZE, hashed=False)
    content = open_store(folder).content(archive.key)
    content.write(archive.new([0]))
    assert not [path for path in folder.rglob("*") if "vault" in path.name or "job" in path.name]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777], ids=oct)
def test_a_folder_that_others_can_write_to_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(ConfigError, match="others can write"):
        open_store(folder)


def test_a_folder_of_another_user_is_refused(folder: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    folder.mkdir(0o700)
    os.chown(folder, 12345, 12345)
    with pytest.raises(ConfigError, match="another user"):
        open_store(folder)


def test_another_version_is_refused_by_name_and_left_as_it_is(folder: Path) -> None:
    archive = Archive.of(SIZE)
    open_store(folder).content(archive.key).write(archive.new([0]))
    (folder / "VERSION").write_text("casfs cache 2\n")
    before = {path: path.read_bytes() for path in files_in(folder)}
    with pytest.raises(ConfigError, match="'casfs cache 2'"):
        open_store(folder)
    assert {path: path.read_bytes() for path in files_in(folder)} == before


def test_a_folder_that_holds_something_else_is_refused(folder: Path) -> None:
    folder.mkdir(0o700)
    (folder / "thesis.tex").write_text("years")
    with pytest.raises(ConfigError, match="not empty"):
        open_store(folder)
    assert os.listdir(folder) == ["thesis.tex"]  # noqa: PTH208 - the names alone


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(ConfigError, match="no folder"):
        open_store(folder)
