"""A destination as somebody names it."""

from pathlib import Path

import pytest

from casfs.drain.destinations.local import LocalDestination
from casfs.drain.destinations.opening import Target, folder_at, target_of
from casfs.errors import ConfigError
from tests.drain.destinations.contents import put


def named(text: object, *, is_for_several: bool = False) -> Target:
    return target_of(str(text), is_for_several=is_for_several)


def test_folder_that_is_there_is_one_and_a_new_name_is_a_file(tmp_path: Path) -> None:
    assert named(tmp_path) == Target(LocalDestination(str(tmp_path)), None)
    assert named(tmp_path / "new") == Target(LocalDestination(str(tmp_path)), "new")
    assert named(f"file://{tmp_path}/new") == Target(LocalDestination(str(tmp_path)), "new")
    assert named(tmp_path / "no" / "new") == Target(LocalDestination(str(tmp_path / "no")), "new")


def test_slash_at_the_end_or_several_files_make_a_folder_of_a_new_name(tmp_path: Path) -> None:
    folder = Target(LocalDestination(str(tmp_path / "new")), None)
    assert named(f"{tmp_path}/new/") == folder
    assert named(tmp_path / "new", is_for_several=True) == folder


def test_relative_path_begins_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert named("new") == Target(LocalDestination(str(tmp_path)), "new")
    assert folder_at("a/../b") == LocalDestination(str(tmp_path / "b"))


def test_link_that_is_named_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("elsewhere/file")
    target = named(tmp_path / "link")
    assert target.name == "file"
    put(target.destination, target.name, b"new")
    assert (tmp_path / "elsewhere" / "file").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("text", ["", "file://", "a\0b"])
def test_name_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="names nothing"):
        named(text)
