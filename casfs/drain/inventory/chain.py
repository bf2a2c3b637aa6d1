"""The inventory of a vault, part after part, from the service into the ledger; no part is fetched twice."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

from casfs.drain.destinations.opening import absolute
from casfs.drain.inventory import jobs
from casfs.drain.inventory.reading import Readable, archives
from casfs.drain.ledger.ledger import Ledger, Page
from casfs.drain.names import Naming
from casfs.drain.needs import Service
from casfs.drain.times import iso
from casfs.errors import CasfsError, ConfigError, GoneError, NotFoundError
from casfs.models import Job, JobState

FILE = "file "
"""What stands before the path of a file, where a job's id has its place: no id has a space."""
TRIES = 3
"""Jobs of one part that fail or are gone, after which it is given up: each takes hours."""


class Closing(Readable, Protocol):
    """A binary file that is closed once it was read."""

    def close(self) -> None:
        """Close it; what was read may prove wrong then."""
        ...


class NoInventoryError(CasfsError):
    """There is no inventory, and nobody may begin a job that makes one."""


class _ShortError(CasfsError):
    """An inventory of somebody else's lists fewer archives than the vault has."""


class Inventory:
    """Has the inventory of a vault entered into a ledger.

    Args:
        service: whose vault it is.
        vault: its name.
        ledger: where the archives go.
        naming: what their names are made of.
        poll_s: seconds between two looks at a job.
        may_begin: called before a job is begun, with what it is for; raises where it may not.
        note: told what goes on.

    Threads: that of the run.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - from where, to where, and who is asked and told
        self,
        service: Service,
        vault: str,
        ledger: Ledger,
        naming: Naming,
        poll_s: float,
        may_begin: Callable[[Page], None],
        note: Callable[[str], None],
    ) -> None:
        self._service = service
        self._vault = vault
        self._ledger = ledger
        self._naming = naming
        self._poll_s = poll_s
        self._may_begin = may_begin
        self._note = note
        self._useless: set[str] = set()

    def enter(self, named: str | None) -> None:
        """Have all of it in the ledger.

        Args:
            named: the job or the file that the user names; None for the newest job there is, or a new one.

        Raises:
            ConfigError: the ledger has another one than the named one.
            NoInventoryError: a job would have to be begun, and may not.
            ProtocolError: it cannot be used, or is cut off.
            CasfsError: it cannot be had.
        """
        if named is not None:
            self._begin_with(named)
        while not self._ledger.is_entered:
            page = self._page()
            try:
                self._enter(page)
            except _ShortError as error:
                self._note(str(error))
                self._useless.update(each.job for each in self._ledger.pages())
                self._ledger.forget_inventory()

    def _begin_with(self, named: str) -> None:
        file = FILE + absolute(named)
        page = Page(1, "", file if os.path.exists(named) else named)  # noqa: PTH110 - a name that is no text
        known = self._ledger.pages()
        if known and known[0].job == file:
            return  # be the file there still or not
        if known and known[0].job != page.job:
            if self._ledger.is_entered:
                raise ConfigError(
                    f"{self._ledger.path} has the inventory of {known[0].job}:"
                    " leave out --inventory, or name another --ledger"
                )
            self._ledger.forget_inventory()
            known = []
        if not known:
            with self._ledger.step():
                self._ledger.put_page(page)
                self._ledger.put("named", page.job)

    def _page(self) -> Page:
        """Return the part that is to be entered next, noted with the job that lists it."""
        pages = self._ledger.pages()
        if pages and pages[-1].archives is None:
            return pages[-1]
        number, marker = len(pages) + 1, (pages[-1].following or "") if pages else ""
        found = jobs.find(self._service.each_job(self._vault), number, marker, self._useless)
        page = Page(number, marker, found.id if found else "")
        if found is None:
            self._may_begin(page)
            said = jobs.description(number, marker)
            job = self._service.retrieve_inventory(self._vault, marker=marker or None, description=said)
            self._note(f"began inventory job {job}: they take some hours")
            page = Page(number, marker, job)
        with self._ledger.step():
            self._ledger.put_page(page)
        return page

    def _enter(self, page: Page) -> None:
        if page.job.startswith(FILE):
            path = Path(page.job.removeprefix(FILE))
            try:
                file = path.open("rb")
            except OSError as error:
                raise ConfigError(f"--inventory: {path}: {error.strerror}") from error
            self._take(page, file, None)
            return
        try:
            job = self._succeeded(page)
            self._take(page, self._service.open(self._vault, page.job), job)
        except (GoneError, NotFoundError) as error:
            self._lose(page, error)

    def _succeeded(self, page: Page) -> Job:
        job = self._finished(page)
        if job.state is JobState.SUCCEEDED:
            return job
        raise GoneError(f"inventory job {job.id} failed: {job.fields.get('StatusMessage')}")

    def _finished(self, page: Page) -> Job:
        job = self._service.job(self._vault, page.job, True)
        if not jobs.is_whole(job):
            raise ConfigError(
                f"job {page.job} is no whole inventory: a {job.action} with dates or a limit, or of an archive"
            )
        if job.is_finished:
            return job
        self._note(f"inventory job {page.job} is in progress: waiting for it")
        return self._service.wait(self._vault, page.job, None, self._poll_s)

    def _lose(self, page: Page, error: CasfsError) -> None:
        """Forget the job of a part that brings nothing; another one is looked for."""
        if len(self._useless) >= TRIES or (page.number == 1 and self._is_named(page)):
            raise error
        self._note(f"{error}: looking for another one")
        self._useless.add(page.job)
        with self._ledger.step():
            self._ledger.drop_page(page.number)

    def _is_named(self, page: Page) -> bool:
        return bool(self._ledger.get("named") == page.job)

    def _take(self, page: Page, file: Closing, job: Job | None) -> None:
        """Enter a part, in one step: what cannot be read to its end leaves nothing behind."""
        next_marker = jobs.following(job) if job is not None else None
        made = iso(job.created_ns) if job is not None and job.created_ns is not None else ""
        with self._ledger.step():
            with closing(file):
                count = self._ledger.archives.add(archives(file), self._naming)
            self._ledger.put_page(Page(page.number, page.marker, page.job, next_marker, count, made))
            if next_marker is None:
                self._check_count(job)
                self._ledger.archives.finish()
                self._ledger.put("inventory", made or page.job)

    def _check_count(self, job: Job | None) -> None:
        """Look whether the inventory has as many archives as the vault says.

        Raises:
            _ShortError: it has fewer, and somebody else began its job, maybe in the middle.
        """
        if job is None:
            return
        try:
            told = self._service.vault(self._vault).fields.get("NumberOfArchives")
        except CasfsError:
            return  # which may not be allowed
        count = self._ledger.archives.count()
        if not isinstance(told, int) or count >= told:
            return
        text = f"the inventory of job {self._ledger.pages()[0].job} lists {count} archives, and the vault has {told}"
        if jobs.is_ours(job) or self._is_named(self._ledger.pages()[0]):
            self._note(text)
        else:
            raise _ShortError(text)
