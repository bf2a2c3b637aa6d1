"""``casfs treehash``: tree hashes of files, and files checked by them, as sha256sum has it."""

import errno
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

import click

from casfs.attributes import PREFIX
from casfs.cli import hash_lines
from casfs.cli.statuses import complain
from casfs.tree_hash import hash_all

STANDARD_INPUT = "-"
ATTRIBUTE = PREFIX + "tree_hash"


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option(
    "--check", "-c", is_flag=True, help="Read tree hashes and names from FILE, and check the files named there."
)
@click.option("--xattr", is_flag=True, help=f"Check FILE by its own attribute {ATTRIBUTE}.")
@click.option("--json", "as_json", is_flag=True, help="Results as one JSON object a line.")
def treehash(files: tuple[str, ...], check: bool, xattr: bool, as_json: bool) -> None:  # noqa: FBT001 - click's arguments
    """Print the tree hashes of files, or check files by them.

    As sha256sum does it: without FILE, or where it is -, standard input is read; the lines that are printed are those
    that --check reads. Ends with 1 where a file cannot be read or has another tree hash.
    """
    if check and xattr:
        raise click.UsageError("--check and --xattr are two ways to check: give one")
    run = Run(as_json=as_json)
    for name in files or (STANDARD_INPUT,):
        if check:
            run.check_list(name)
        elif xattr:
            run.check_attribute(name)
        else:
            run.print_hash(name)
    if run.is_failed:
        sys.exit(1)


class Run:
    """Hashes and checks, and says what it found.

    Attributes:
        is_failed: whether something was not as it should be.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.is_failed = False
        self._as_json = as_json

    def print_hash(self, name: str) -> None:
        """Print the tree hash of a file."""
        found = self._hash(name)
        if found is not None:
            self._write(name, found, None, hash_lines.line(found, os.fsencode(name)))

    def check_attribute(self, name: str) -> None:
        """Check a file by the tree hash that it carries."""
        try:
            wanted = os.getxattr(0 if name == STANDARD_INPUT else name, ATTRIBUTE)
        except OSError as error:
            is_missing = error.errno in (errno.ENODATA, errno.ENOTSUP)
            self._fail(f"{name}: {f'no attribute {ATTRIBUTE}' if is_missing else error.strerror}")
            return
        self._check(name, wanted.decode("ascii", "replace").lower())

    def check_list(self, name: str) -> None:
        """Check the files that a list names; what came of it in numbers goes to standard error."""
        counts: Counter[str] = Counter()
        try:
            with _opened(name) as file:
                for line in filter(hash_lines.is_to_check, file):
                    counts[self._check_line(line)] += 1
        except OSError as error:
            self._fail(f"{name}: {error.strerror}")
            return
        if counts["malformed"] == counts.total():
            self._fail(f"{name}: no line of a tree hash and a name in it")
            return
        self.is_failed |= counts["malformed"] > 0  # it may have been the line of a file that is damaged
        for text in hash_lines.summary(counts):
            complain(f"{name}: {text}", 1)

    def _check_line(self, line: bytes) -> str:
        found = hash_lines.parsed(line)
        return "malformed" if found is None else self._check(os.fsdecode(found.name), found.tree_hash)

    def _check(self, name: str, wanted: str) -> str:
        found = self._hash(name)
        is_right = found == wanted
        self.is_failed |= not is_right
        verdict = "OK" if is_right else "FAILED open or read" if found is None else "FAILED"
        self._write(name, found, is_right, hash_lines.verdict(os.fsencode(name), verdict))
        return verdict

    def _hash(self, name: str) -> str | None:
        """Return the tree hash of a file; None where it cannot be read, which was said then."""
        try:
            with _opened(name) as file:
                return hash_all(file).hexdigest()
        except OSError as error:
            self._fail(f"{name}: {error.strerror}")
            return None

    def _write(self, name: str, found: str | None, is_right: bool | None, line: bytes) -> None:  # noqa: FBT001 - a field
        if self._as_json:
            line = json.dumps({"tree_hash": found, "path": name, "ok": is_right}).encode()
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.flush()

    def _fail(self, text: str) -> None:
        self.is_failed = True
        complain(text.encode(errors="surrogateescape").decode(errors="backslashreplace"), 1)


@contextmanager
def _opened(name: str) -> Iterator[BufferedReader]:
    is_own = name != STANDARD_INPUT
    with open(name if is_own else sys.stdin.fileno(), "rb", closefd=is_own) as file:
        yield file
