"""A service that has what a test gives it, and remembers what it was asked."""

import threading
from collections.abc import Iterator

from casfs.errors import CasfsError, NotFoundError
from casfs.models import ARCHIVE_RETRIEVAL, Job, JobState, Vault
from casfs.tree.tree import Tree
from casfs.waiting import Deadline


def vault(name: str) -> Vault:
    return Vault(name, 0, f'{{"VaultName":"{name}"}}')


def job(name: str, state: JobState = JobState.SUCCEEDED, action: str = ARCHIVE_RETRIEVAL, vault: str = "photos") -> Job:
    return Job(vault, name, action, state, 0, None, 1, None, f'{{"JobId":"{name}"}}')


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


class Service:
    """Satisfies ``Lister``; while *open* is not set every answer waits."""

    def __init__(self, *vaults: str) -> None:
        self.contents: dict[str, dict[str, Job]] = {name: {} for name in vaults}
        self.asked: list[tuple[str, ...]] = []
        self.fails: dict[str, CasfsError] = {}
        self.open = threading.Event()
        self.open.set()

    def put(self, *jobs: Job) -> None:
        for each in jobs:
            self.contents.setdefault(each.vault, {})[each.id] = each

    def vaults(self, deadline: Deadline) -> Iterator[Vault]:
        self._ask("vaults")
        yield from [vault(name) for name in self.contents]

    def vault(self, name: str, deadline: Deadline) -> Vault:
        self._ask("vault", name)
        if name not in self.contents:
            raise NotFoundError(f"Vault not found: {name}")
        return vault(name)

    def jobs(self, vault: str, deadline: Deadline) -> Iterator[Job]:
        self._ask("jobs", vault)
        if vault not in self.contents:
            raise NotFoundError(f"Vault not found: {vault}")
        yield from list(self.contents[vault].values())

    def job(self, vault: str, job: str, deadline: Deadline) -> Job:
        self._ask("job", vault, job)
        if job not in self.contents.get(vault, {}):
            raise NotFoundError(f"The job ID was not found: {job}")
        return self.contents[vault][job]

    def _ask(self, *question: str) -> None:
        self.asked.append(question)
        assert self.open.wait(60)
        if question[0] in self.fails:
            raise self.fails[question[0]]


def names(tree: Tree, path: str) -> list[str]:
    return [name for name, _ in tree.entries(tree.resolve(path))]
