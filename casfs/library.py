"""One account of one archive service, for programs: its vaults and jobs by name, its outputs as files.

No kernel and no FUSE binding. A child of fork and a pickled copy begin anew: with threads, connections and memory of
their own, from the same options.
"""

import atexit
import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self, TypeVar

from casfs.account import Stages, find_service, open_store
from casfs.aside import Aside, AsideReader
from casfs.config import library
from casfs.config.config import Config
from casfs.errors import GoneError, InterruptedCallError, NotFoundError, NotReadyError
from casfs.file import File
from casfs.models import Job, Vault
from casfs.retrievals import Retrievals
from casfs.tree.nodes import JobDir, Node, Root, VaultDir

T = TypeVar("T")
_log = logging.getLogger(__name__)
_accounts: "weakref.WeakSet[Account]" = weakref.WeakSet()
_inherited: list[Stages | None] = []
"""What a child of fork found, and keeps: to end it would want locks that a thread of the parent may have held."""


def connect(source: str | None = None, **options: object) -> "Account":
    """Return the account that *source* and *options* lead to; nothing is sent yet, and no thread begins.

    Args:
        source: a SOURCE without a vault, as ``casfs mount`` takes it; the profile of the options if None.
        options: those of the command line that do not concern the kernel, by name with underscores, as text or as the
            value. The environment, the configuration file and the credentials count as they do for a mount.

    Raises:
        ConfigError: an option, a file, a folder or the source cannot be used, or there are no credentials.
    """
    texts = library.texts_of(options)
    return _connect(library.source_of(texts) if source is None else source, texts)


def _connect(source: str, texts: Mapping[str, str]) -> "Account":
    config = library.load(source, texts)
    for text in config.warnings:
        _log.warning("%s", text)
    return Account(source, texts, config)


class Account(Retrievals):
    """One account of one service; made by ``connect``.

    Threads begin with the first request and end with the ``with`` block, or ``close``. What is asked afterwards is a
    ValueError. Bytes are checked as those of a mount are: they are right, or an error is raised. Errors are those of
    ``casfs.errors``, each with the line that the command would print.

    Attributes:
        source: the SOURCE it was connected to.
        endpoint_url: ``https://HOST[:PORT]``; empty where the tools of the provider are to find it.
        account_id: the owner's id in every path; ``-`` for the caller's own.
        provider: ``cas`` or ``glacier``.

    Threads: any may call.
    """

    def __init__(self, source: str, texts: Mapping[str, str], config: Config) -> None:
        self.source = source
        self.endpoint_url = config.access.endpoint_url or ""
        self.account_id = config.account
        self.provider = config.provider
        self._texts = dict(texts)
        self._config = config
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._aside = Aside()
        self._stages: Stages | None = None
        self._store = open_store(config)  # which fails now, if it does
        self._files: weakref.WeakValueDictionary[int, File] = weakref.WeakValueDictionary()
        _accounts.add(self)

    def __repr__(self) -> str:
        return f"<casfs.Account {self.source}>"

    def __reduce__(self) -> tuple[object, tuple[str, dict[str, str]]]:
        """Pickle what was asked for: whoever gets it finds keys where it is."""
        return _connect, (self.source, self._texts)

    def __enter__(self) -> Self:
        """Return this account, which is closed at the end of the block."""
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def vaults(self) -> Iterator[Vault]:
        """Return every vault once.

        Raises:
            AccessDeniedError: the account may not list them; those that it may use can be asked for by name.
            CasfsError: the service must be asked and does not answer.
        """
        nodes = self._asked(lambda stages: _nodes(stages, Root()))
        return (node.vault for node in nodes if isinstance(node, VaultDir))

    def vault(self, name: str) -> Vault:
        """Return the vault *name*.

        Raises:
            NotFoundError: there is none.
        """
        path = _path(name)
        node = self._asked(lambda stages: stages.tree.resolve(path, fresh=True))
        if not isinstance(node, VaultDir):
            raise NotFoundError(f"there is no vault {name!a}")
        return node.vault

    def jobs(self, vault: str) -> Iterator[Job]:
        """Return every job of *vault* once, in the service's order.

        Raises:
            NotFoundError: there is no such vault.
            CasfsError: the service must be asked and does not answer.
        """
        _path(vault)
        try:
            nodes = self._asked(lambda stages: _nodes(stages, VaultDir(Vault(vault, None, ""))))
        except GoneError as error:
            raise NotFoundError(str(error)) from error
        return (node.job for node in nodes if isinstance(node, JobDir))

    def job(self, vault: str, id: str, fresh: bool = False) -> Job:  # noqa: A002, FBT001, FBT002 - the public words
        """Return one job.

        Args:
            vault: name of its vault.
            id: as the service gave it.
            fresh: whether the service is asked though it told of the job lately.

        Raises:
            NotFoundError: there is no such vault or job.
            GoneError: there is none any more.
        """
        return self._job_within(None, vault, id, fresh=fresh)

    def open(self, vault: str, job: str) -> File:
        """Return the output of a job as a binary file, open for reading.

        Raises:
            NotReadyError: the job is in progress.
            NotFoundError: there is no such job, or it failed, or is of a kind that has no output.
            GoneError: the service no longer has it.
            CasfsError: its size has to be learnt, and could not be.
        """
        found = self.job(vault, job)
        if not found.is_finished:
            found = self.job(vault, job, fresh=True)
        output = found.output
        if output is None:
            text = f"job {job!a} of vault {vault!a} has no output: {found.action!a} {found.state}"
            raise NotFoundError(text) if found.is_finished else NotReadyError(text)
        file = File(
            f"{vault}/{job}/output",
            lambda: self._asked(lambda stages: AsideReader(self._aside, stages.outputs.open(output))),
            lambda: self._asked(lambda stages: stages.outputs.verification(output)),
            lambda: self._asked(lambda stages: stages.outputs.cached(output)),
        )
        self._files[id(file)] = file
        return file

    def forget(self) -> None:
        """Believe no listing any more: what is asked for next is asked of the service."""
        self._asked(lambda stages: stages.tree.forget())

    def cache_fails(self) -> bool:
        """Say whether the disk of the cache fails now, so that nothing is kept there for a while; asks nobody."""
        return self._store is not None and self._store.outage is not None

    def close(self) -> None:
        """End all requests, waits and threads, and close the files; may be called more than once.

        Raises:
            CorruptDataError: bytes that were read of a file that is still open have proved wrong since.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(self._aside.stop)
            for reference in self._files.valuerefs():
                file = reference()
                if file is not None:
                    stack.callback(file.close)  # on this thread, which may be in a call of it
            self._aside.run(self._end)

    def _end(self) -> None:
        with self._lock:
            self._closed.set()
            stages, self._stages = self._stages, None
        if stages is not None:
            stages.close()

    def _asked(self, ask: Callable[[Stages], T], timeout_s: float | None = None) -> T:
        try:
            return self._aside.run(lambda: ask(self._started()), timeout_s)
        except InterruptedCallError:
            self._check_open()
            raise

    def _job_within(self, timeout_s: float | None, vault: str, id_: str, *, fresh: bool) -> Job:
        path = _path(vault, id_)

        def find(stages: Stages) -> Job:
            if fresh:
                stages.tree.disbelieve(vault, id_)
            node = stages.tree.resolve(path)
            if not isinstance(node, JobDir):
                raise NotFoundError(f"there is no job {id_!a} in vault {vault!a}")
            return node.job

        return self._asked(find, timeout_s)

    def _pause(self, seconds: float) -> None:
        self._closed.wait(seconds)

    def _started(self) -> Stages:
        stages = self._stages
        if stages is None:
            self._check_open()
            # Without the lock: this may ask the network for keys.
            interrupted = self._aside.is_given_up
            made = Stages(self._config, find_service(self._config), store=self._store, interrupted=interrupted)
            with self._lock:
                self._check_open()
                if self._stages is None:
                    self._stages = made
                stages = self._stages
        return stages

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ValueError(f"{self.source}: the account is closed")

    def _begin_anew(self) -> None:
        """Leave alone what the parent of this process had: no thread of it is here, and any lock may be held."""
        is_closed = self._closed.is_set()
        self._lock, self._closed, self._aside = threading.Lock(), threading.Event(), Aside()
        if is_closed:
            self._closed.set()
        _inherited.append(self._stages)
        self._stages = self._store = None
        for file in filter(None, (reference() for reference in self._files.valuerefs())):
            file.begin_anew()


def _nodes(stages: Stages, directory: Node) -> list[Node]:
    return [node for _, node in stages.tree.entries(directory)]


def _path(*names: str) -> str:
    """Return the path of what *names* lead to in the tree.

    Raises:
        NotFoundError: one of them is no name.
    """
    for name in names:
        if not name or "/" in name:
            raise NotFoundError(f"nothing can be named {name!a}")
    return "/" + "/".join(names)


def _begin_all_anew() -> None:
    for account in list(_accounts):
        account._begin_anew()  # noqa: SLF001 - nobody else's to call


def _close_all() -> None:
    with contextlib.ExitStack() as stack:
        for account in list(_accounts):
            stack.callback(account.close)


os.register_at_fork(after_in_child=_begin_all_anew)
# While threads run still: later the interpreter stops them wherever they are, and a file that was left open and is
# closed as it goes would wait for ever for a lock that one of them holds.
atexit.register(_close_all)
