"""Accounts made anew from the files of the contents, a folder at a time, while the cache is read."""

from collections.abc import Iterator
from dataclasses import replace

from casfs.data.disk.accounts import Account
from casfs.data.disk.content_file import ContentFiles, taken
from casfs.data.disk.files import Files
from casfs.data.disk.folder import Folder
from casfs.data.disk.journal import Books
from casfs.waiting import Clock

GROUPS = 256


class Rebuild:
    """Counts again what every content takes. It deletes nothing but accounts of contents that are not there.

    Threads: one; others, and other processes, use the cache meanwhile.
    """

    def __init__(self, files: Files, folder: Folder, clock: Clock) -> None:
        self._files = files
        self._folder = folder
        self._clock = clock

    def steps(self) -> Iterator[int]:
        """Yield the number of each folder once it is counted; after the last one, the total is known to be right.

        They end early where the journal is busy.

        Raises:
            OSError: the disk fails; then nothing more is known than before.
        """
        for group in range(GROUPS):
            with self._folder.journal.locked() as books:
                if books is None:
                    return
                self._count_group(books, group)
            yield group
        with self._folder.journal.locked() as books:
            if books is not None:
                books.complete()

    def _count_group(self, books: Books, group: int) -> None:
        files = self._files_of(group)
        for number in list(books.table.beginning_with(group)):
            account = books.table.account(number)
            if account is None or (account.digest not in files and not account.is_in_use(int(self._clock() * 1e9))):
                books.put(number, account or Account(b""), None)
            elif account.digest in files:
                now = self._counted(account, files.pop(account.digest))
                if now != account:
                    books.put(number, account, now)
        for digest, used in files.items():
            number = books.table.free()
            books.put(number, Account(digest), Account(digest, used))

    def _counted(self, account: Account, used: int) -> Account:
        in_use = account.is_in_use(int(self._clock() * 1e9))
        return replace(account, used=used, reserved=account.reserved if in_use else 0)

    def _files_of(self, group: int) -> dict[bytes, int]:
        """Return what each content of a group takes on disk; a listing that fails is an error, never an empty group."""
        found = {}
        for digest in self._folder.digests(group):
            with ContentFiles(self._files, self._folder.file_of(digest), digest, 0).reading() as file:
                if file is not None:
                    found[digest] = taken(file.state)
        return found
