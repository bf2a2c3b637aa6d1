"""The threads that ask the disk: each looks for a flight, and lands it or hands it on to those that ask the service."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from casfs import shortage
from casfs.data.content import Content
from casfs.data.fetch.disk_reader import NO_LEASE, NOTHING, DiskReader, Found
from casfs.data.fetch.flight import OVER, Flight, State
from casfs.data.fetch.flights import Flights
from casfs.data.fetch.lookups import Lookup, Lookups, Missing
from casfs.data.memory.room import Room
from casfs.errors import ShortageError
from casfs.models import Output
from casfs.stats import Stats
from casfs.waiting import Clock

log = logging.getLogger(__name__)

WORKERS = 3
"""Parts that are read and hashed side by side, two of them ahead of what calls wait for: they bring more than FUSE
takes. Source: measured 2026-11-27, 512 MiB read back mounted, files in memory: 1.04 times as fast as by four, 7 rounds.
"""

STOP_TIMEOUT_S = 1.0
"""How long stop() waits for each that hangs in the disk; they are daemons and cannot hold up the exit."""

HANG_S = 5.0
"""After how long a call of the disk hangs: then the service is asked, as if nothing were on disk, until the call ends.
A disk that spins up, or recovers a sector, takes as long at most."""

LOOK_AGAIN_S = 0.05
"""How often it is looked whether another process has downloaded what is wanted."""


@dataclass(slots=True, eq=False)
class Task:
    """Something to be asked of the disk, and what happens in its place where the disk hangs."""

    run: Callable[["Task"], None]
    give_up: Callable[[], None]
    began_s: float
    is_given_up: bool = False


class DiskWorkers:
    """As many threads as there is work for, up to WORKERS: a part of the monitor.

    Args:
        lock: the monitor's.
        reader: reads and checks what is on disk.
        stats: counts what is.
        clock: monotonic seconds.
        on_wrong: called with each output of which the kernel may hold pages that have proved wrong.

    Threads: ``stir`` wants the lock held; the others take it.
    """

    def __init__(
        self, lock: threading.Lock, reader: DiskReader, stats: Stats, clock: Clock, on_wrong: Callable[[Output], None]
    ) -> None:
        self._lock = lock
        self._wake = threading.Condition(lock)
        self._reader = reader
        self._stats = stats
        self._clock = clock
        self._on_wrong = on_wrong
        self._threads: list[threading.Thread] = []
        self._questions: deque[tuple[Content, Future[int]]] = deque()
        self._watch = threading.Condition(lock)
        self._is_watched = False
        self._tasks: dict[Task, None] = {}
        self._hanging = 0
        self._is_over = False

    def serve(self, flights: Flights, lookups: Lookups) -> None:
        """Be told what to look for; before the first thread begins."""
        self._flights = flights
        self._lookups = lookups

    def stir(self) -> bool:
        """Wake or make a thread, since there may be work for one; return whether there is any thread."""
        if self._is_over or self._hanging:
            return False
        self._wake.notify()
        if len(self._tasks) == len(self._threads) < WORKERS:
            self._begin()
        return bool(self._threads)

    def recall(self, content: Content, future: Future[int]) -> None:
        """Have *content* told of its leaves on disk; the result is how many, 0 where no thread is, or it fails."""
        with self._lock:
            if self.stir():
                self._questions.append((content, future))
                return
        future.set_result(0)

    def stop(self) -> None:
        """Let the threads end; returns once they have, or after a time without those that hang in the disk."""
        with self._lock:
            self._is_over = True
            self._wake.notify_all()
            self._watch.notify_all()
            threads, self._threads = self._threads, []
            questions, self._questions = self._questions, deque()
        for _, future in questions:
            future.set_result(0)
        for thread in threads:
            thread.join(STOP_TIMEOUT_S)

    def _begin(self) -> None:
        try:
            with shortage.named():
                if not self._threads:
                    self._begun(self._look_after, "casfs-disk-watch")
                self._threads.append(self._begun(self._work, f"casfs-disk-{len(self._threads)}"))
        except ShortageError as error:
            log.debug("no thread to read the cache on disk: %s", error)

    @staticmethod
    def _begun(work: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                task.run(task)
            except Exception:  # a worker that died would leave others waiting
                log.exception("the cache on disk cannot be asked")
            with self._lock:
                self._ended(task)

    def _next(self) -> Task | None:
        """Wait for something to do."""
        with self._lock:
            while not self._is_over:
                task = self._question() if self._questions else self._lookup()
                if task is not None:
                    self._tasks[task] = None
                    if not self._is_watched:
                        self._watch.notify()
                    if self._questions or self._lookups.is_more:
                        self.stir()
                    return task
                self._wake.wait(self._lookups.wait_s(self._clock()))
        return None

    def _question(self) -> Task:
        content, future = self._questions.popleft()
        return Task(partial(self._answer, content, future), lambda: future.set_result(0), self._clock())

    def _answer(self, content: Content, future: Future[int], task: Task) -> None:
        held = 0
        try:
            held = self._reader.recall(content)
        finally:
            with self._lock:
                are_pages_wrong = content.open_readers.take_wrong()
                if not task.is_given_up:
                    future.set_result(held)
            if are_pages_wrong:
                self._on_wrong(content.output)

    def _lookup(self) -> Task | None:
        lookup = self._lookups.next(self._clock())
        if lookup is None:
            return None
        return Task(partial(self._look, lookup), partial(self._skip, lookup.flight), self._clock())

    def _look(self, lookup: Lookup, task: Task) -> None:
        """Look for one flight, and see that it goes on, whatever nobody foresaw."""
        flight, room = lookup
        found = NOTHING
        try:
            held = self._reader.held(flight)
            if held and room is None:
                room = self._room(flight, task)
                if room is None:
                    return
            if room is not None:
                found = self._reader.read(flight, held, room)
            missing = self._reader.missing(flight, found)
        except BaseException:  # its readers would wait
            log.exception("%s: looking for blocks %s on disk failed", flight.content.name, flight.part)
            found, missing = NOTHING, [Missing(flight.part, NO_LEASE)]
        self._go_on(flight, room, found, missing, task)

    def _room(self, flight: Flight, task: Task) -> Room | None:
        """Return room for a flight; None where it has to wait for some, or is over."""
        with self._lock:
            if task.is_given_up or flight.state in OVER:
                self._lookups.done(flight)
                return None
            room = self._lookups.room(flight)
            if room is None:
                self._lookups.done(flight)
                flight.enter(State.QUEUED)
                self._lookups.push_found(flight)
                self._flights.drop_unwanted(flight)
            return room

    def _go_on(self, flight: Flight, room: Room | None, found: Found, missing: list[Missing], task: Task) -> None:
        """Land what was found, and have the rest asked for; the future tells those who wait."""
        with self._lock:
            self._lookups.done(flight)
            error = flight.content.failure
            is_over = task.is_given_up or flight.state in OVER
            is_landed = bool(found.right) and error is None
            if task.is_given_up:
                self._flights.give(room)
            elif is_over or error is not None:
                self._flights.fail(flight, room)
            elif room is not None and is_landed:
                self._flights.land_found(flight, room, missing, self._clock() + LOOK_AGAIN_S)
            else:
                self._flights.pass_on(flight, room, missing[0].lease, self._clock() + LOOK_AGAIN_S)
            are_pages_wrong = flight.content.open_readers.take_wrong()
        if are_pages_wrong:
            self._on_wrong(flight.content.output)
        if is_over or error is not None:
            for _, lease in missing:
                (lease or NO_LEASE).release()
        self._stats.count("disk_blocks_read", len(found.right))
        if error is not None and not is_over:
            flight.future.set_exception(error)
        elif is_landed and not is_over:
            flight.future.set_result(None)

    def _skip(self, flight: Flight) -> None:
        """Have a flight sent that the disk does not answer for."""
        self._lookups.done(flight)
        if flight.state is State.LOOKED_FOR:
            self._flights.pass_on(flight, None, NO_LEASE, 0.0)

    def _look_after(self) -> None:
        """Have the service asked in place of a disk that hangs, until it answers."""
        with self._lock:
            while not self._is_over:
                self._is_watched = bool(self._tasks)
                self._watch.wait(HANG_S / 4 if self._is_watched else None)
                late_s = self._clock() - HANG_S
                for task in [task for task in self._tasks if task.began_s <= late_s and not task.is_given_up]:
                    self._give_up(task)

    def _give_up(self, task: Task) -> None:
        if not self._hanging:
            log.warning("the cache on disk does not answer: it is not read until it does")
        self._hanging += 1
        task.is_given_up = True
        task.give_up()
        for flight in self._lookups.take_all():
            self._flights.send_instead(flight)
        while self._questions:
            self._questions.popleft()[1].set_result(0)

    def _ended(self, task: Task) -> None:
        del self._tasks[task]
        self._hanging -= task.is_given_up
        if task.is_given_up and not self._hanging:
            log.info("the cache on disk answers again")
