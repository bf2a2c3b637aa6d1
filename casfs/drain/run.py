"""A drain from its beginning to its end: inventory, choice, plan, jobs and downloads, manifest."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from casfs.drain import prices
from casfs.drain.archive import MISSING, OPEN, UNDER_WAY, State
from casfs.drain.asking import SIDE_BY_SIDE
from casfs.drain.choice import Choice, Chooser
from casfs.drain.coordinator import Coordinator, Means
from casfs.drain.inventory.chain import Inventory, NoInventoryError
from casfs.drain.ledger.ledger import Ledger, Page
from casfs.drain.manifest import Manifest
from casfs.drain.names import Naming
from casfs.drain.needs import Service, Watcher
from casfs.drain.plan import Plan, plan
from casfs.drain.presence import Presence
from casfs.drain.settings import DrainSettings
from casfs.drain.telling import Telling
from casfs.drain.times import steady
from casfs.drain.way import Way
from casfs.drain.work import Broken, Outcome, Work
from casfs.drain.workers import Queue, Workers
from casfs.errors import CasfsError, ConfigError


class MissingError(CasfsError):
    """Something that was chosen is not where it was to go; the message says how much."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is to be done, and what it costs.

    Attributes:
        plan: what is to be retrieved.
        under_way: archives and bytes that are retrieved and not downloaded.
        done: archives and bytes that are where they were to go.
        price: what a tier costs, None where nobody has published it.
        inventory: when the inventory was made, or what it is of.
    """

    plan: Plan
    under_way: tuple[int, int]
    done: tuple[int, int]
    price: prices.Price | None
    inventory: str


class User(Watcher, Protocol):
    """Who is told, and asked."""

    def plan(self, estimate: Estimate) -> None:
        """Say what is to be done."""
        ...

    def allow(self, what: str) -> None:
        """Ask whether *what* may be begun.

        Raises:
            CasfsError: it may not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user wants, beside what the run itself decides by.

    Attributes:
        settings: of the run.
        naming: what names are made of.
        choice: which archives.
        inventory: a job or a file; None for the newest.
        is_dry: whether nothing is begun.
        price: of the tier, None where there is none.
        how_to_list: the command that begins an inventory job.
    """

    settings: DrainSettings
    naming: Naming
    choice: Choice
    inventory: str | None
    is_dry: bool
    price: prices.Price | None
    how_to_list: Callable[[Page], str]


class Drain:
    """One run of a drain.

    Args:
        service: whose vault it is.
        lister: the same, for what is read from the front only: its memory is small.
        ledger: the truth; open.
        way: how archives get to where they go.
        manifest: what tells of those that are there.
        wish: what the user wants.
        user: who is told and asked.
        sleep: waits so many seconds.

    Threads: one.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - from where, to where, and for whom
        self,
        service: Service,
        lister: Service,
        ledger: Ledger,
        way: Way,
        manifest: Manifest,
        wish: Wish,
        user: User,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._service = service
        self._lister = lister
        self._ledger = ledger
        self._way = way
        self._wish = wish
        self._user = user
        self._now_ns = steady()
        self._telling = Telling(ledger, manifest, self._now_ns)
        jobs = partial(service.each_job, wish.settings.vault)
        self._presence = Presence(ledger, way, jobs, user.note, self._now_ns, sleep)

    def run(self) -> Mapping[State, tuple[int, int]]:
        """Do it all, and return archives and bytes by state.

        Raises:
            MissingError: something is missing in the end.
            CasfsError: it could not go on; the ledger is true.
        """
        wish = self._wish
        chooser = Chooser(wish.choice)
        inventory = Inventory(
            self._lister, wish.settings.vault, self._ledger, wish.naming, wish.settings.poll_s,
            self._may_list, self._user.note,
        )  # fmt: skip
        inventory.enter(wish.inventory)
        self._telling.check()
        self._look()
        if self._ledger.get("lost") and not wish.is_dry:
            self._telling.tell()  # the one that is there says more than there is
        self._presence.match()
        if wish.is_dry:
            return self._told(chooser)
        self._choose(chooser)
        estimate = self._estimate(self._ledger.archives.sizes(wish.settings.attempts))
        if self._is_to_do():
            self._user.plan(estimate)
            self._user.allow("the retrievals are begun")
            with self._telling.told_when_stopped():
                self._telling.begin()  # before money is spent
                self._work()
            self._telling.finish()
        elif not self._telling.is_told():
            self._telling.finish()
        return self._result()

    def _look(self, pause_s: float = 0.0) -> None:
        """Look for what is done, and have the ledger say what of it is there; who brings the rest is seen later."""
        lost = self._presence.check(is_empty=self._telling.is_empty, pause_s=pause_s)
        if lost.archives:
            what = f"{lost.archives} archives, {lost.size} bytes"
            self._user.note(f"{what}, were there, and are not any more as they were")

    def _work(self) -> None:
        now_ns = self._now_ns
        inbox = Queue[Outcome]()
        means = Means(
            Work(self._service, self._wish.settings.vault, self._way, now_ns),
            Workers("ask", SIDE_BY_SIDE + 1, inbox.put, Broken),
            Workers("load", self._wish.settings.jobs, inbox.put, Broken),
            inbox,
            now_ns,
        )
        run = Coordinator(self._ledger, self._wish.settings, means, self._user)
        try:
            run.run()
        except CasfsError:
            with suppress(CasfsError):  # the first one is the reason
                self._look(self._wish.settings.poll_s)
                self._telling.finish()
            raise
        self._look(self._wish.settings.poll_s)  # a disk may have gone in the hours that waves take

    def _is_to_do(self) -> bool:
        totals = self._ledger.archives.totals()
        return any(totals[state][0] for state in (*OPEN, *MISSING))

    def _result(self) -> Mapping[State, tuple[int, int]]:
        totals = self._ledger.archives.totals()
        count, size = (sum(totals[state][which] for state in (*OPEN, *MISSING)) for which in (0, 1))
        if count:
            whole = sum(each for each, _ in totals.values())
            why = "; ".join(f"{text} ({times})" for text, times in self._ledger.archives.reasons()[:3])
            why = why or "run it again to go on"
            raise MissingError(f"{count} of {whole} archives are missing, {size} bytes: {why}")
        return totals

    def _choose(self, chooser: Chooser) -> None:
        """Note which archives are chosen.

        Raises:
            ConfigError: the ledger has chosen others too.
        """
        choice, archives = self._wish.choice, self._ledger.archives
        noted = self._ledger.get("choice")
        if noted == str(choice):
            return
        with self._ledger.step():
            if noted is not None and self._is_begun():
                self._widen(chooser, noted)
            else:
                archives.choose(
                    (number, not was) for number, each, was in archives.described() if chooser.has(each) != was
                )
            self._ledger.put("choice", str(choice))

    def _is_begun(self) -> bool:
        """Say whether anything was asked for: a choice that was answered with a no binds nobody."""
        totals = self._ledger.archives.totals()
        return any(totals[state][0] for state in State if state is not State.NEW)

    def _widen(self, chooser: Chooser, noted: str) -> None:
        archives = self._ledger.archives
        lost = sum(1 for _, each, was in archives.described() if was and not chooser.has(each))
        if lost:
            raise ConfigError(
                f"{self._ledger.path} was begun with {noted}, and {self._wish.choice} leaves out {lost} archives of"
                " these: choose at least as much, or name another --ledger"
            )
        archives.choose((number, True) for number, each, was in archives.described() if not was and chooser.has(each))

    def _told(self, chooser: Chooser) -> Mapping[State, tuple[int, int]]:
        """Say what would be done, of a choice that the ledger need not have."""
        has = None if self._wish.choice.is_all else chooser.has
        self._user.plan(self._estimate(self._ledger.archives.sizes_to_come(has)))
        return self._ledger.archives.totals()

    def _estimate(self, sizes: Iterator[int]) -> Estimate:
        totals, settings = self._ledger.archives.totals(), self._wish.settings
        waiting = [totals[state] for state in UNDER_WAY]
        return Estimate(
            plan(sizes, settings.bounds, settings.tier, self._ledger.get("speed")),
            (sum(count for count, _ in waiting), sum(size for _, size in waiting)),
            totals[State.DONE],
            self._wish.price,
            self._ledger.get("inventory") or "",
        )

    def _may_list(self, page: Page) -> None:
        if self._wish.is_dry:
            raise NoInventoryError(f"there is no inventory; this makes one: {self._wish.how_to_list(page)}")
        self._user.allow("a job is begun that lists the vault")
