"""Whatever would change something is refused, with EROFS, and sends nothing."""

import errno
import inspect

import pytest
from fsspec import AbstractFileSystem

from casfs.emulator.server import Server
from casfs.fsspec.filesystem import CasFileSystem

READING = {
    "cat", "cat_file", "cat_ranges", "checksum", "clear_instance_cache", "created", "current", "disk_usage",
    "download", "du", "end_transaction", "exists", "expand_path", "find", "from_dict", "from_json", "get",
    "get_file", "get_mapper", "glob", "head", "info", "invalidate_cache", "isdir", "isfile", "lexists", "listdir",
    "ls", "modified", "open", "read_block", "read_bytes", "read_text", "sign", "size", "sizes", "start_transaction",
    "stat", "tail", "to_dict", "to_json", "transaction", "transaction_type", "tree", "ukey", "unstrip_protocol",
    "walk",
}  # fmt: skip
"""Those of fsspec's methods that change nothing; what a newer fsspec adds is looked at before it is added here."""
WRITING = {name for name, _ in inspect.getmembers(AbstractFileSystem, callable) if name[0] != "_"} - READING


def test_nothing_that_writes_was_overlooked() -> None:
    assert not {"mkdir", "makedirs", "touch", "rm", "mv", "copy", "put", "pipe", "write_text", "rename"} - WRITING


@pytest.mark.parametrize("name", sorted(WRITING))
def test_what_writes_is_refused(server: Server, name: str) -> None:
    fs = CasFileSystem(server.url)
    for arguments in (("bulk/job1",), ("bulk/job1", "bulk/job2"), ()):
        with pytest.raises(OSError, match="Read-only") as caught:
            getattr(fs, name)(*arguments)
        assert caught.value.errno == errno.EROFS
    assert server.requests == []


@pytest.mark.parametrize("mode", ["wb", "ab", "xb", "r+b", "w", "rb+"])
def test_a_file_is_opened_for_reading_only(fs: CasFileSystem, mode: str) -> None:
    with pytest.raises(OSError, match="Read-only"):
        fs.open("bulk/job1/output", mode)


def test_nor_is_there_another_way(fs: CasFileSystem) -> None:
    with pytest.raises(OSError, match="Read-only"):
        fs._rm("bulk/job1")
    with pytest.raises(OSError, match="Read-only"):
        fs.get_mapper("bulk")["new"] = b""
