"""The service's operations as methods: vaults, jobs, and ranges of outputs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from casfs.api.attempts import Attempts
from casfs.api.clock import ServiceClock
from casfs.api.documents import Fields, cut, job_from, parsed, vault_from
from casfs.api.http.idle_timeout import idle_s
from casfs.api.http.transport import Transport
from casfs.api.job_outputs import JobOutputs, Sink
from casfs.api.job_parameters import Parameters, body
from casfs.api.listings import ListOperation
from casfs.api.new_jobs import NewJobs
from casfs.api.operations import AccountRequests, Request
from casfs.api.pages import PAGE_S, Pages
from casfs.api.providers.provider import Service
from casfs.api.retry import Call, Retry, nobody
from casfs.models import Job, Output, RangeResponse, Vault
from casfs.stats import Stats
from casfs.waiting import Deadline, Interrupted, never

Model = TypeVar("Model", Vault, Job)
Answered = TypeVar("Answered")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Whose vaults, and how long the service may take.

    Attributes:
        account: the owner's id in every path, ``-`` for the caller's own.
        connect_timeout_s: to open one connection.
        read_timeout_s: patience of the longest call; one attempt may stall for a quarter of it.
        connections: how many outputs are fetched at once.
    """

    account: str
    connect_timeout_s: float
    read_timeout_s: float
    connections: int


class Client:
    """One account of one service.

    Satisfies ``tree.lister.Lister`` and ``data.source.RangeSource``, of which it knows nothing.

    Threads: every method may be called from any thread, many at once. Connections are made on demand, in the process
    that asks: a client may be used before a fork and after it.

    Args:
        service: where it is, who asks, and in whose ways.
        settings: whose vaults, and how long.
        stats: counts requests, retries, refusals and bytes.

    Attributes:
        clock: what time it is for the service, as far as it has answered.
    """

    def __init__(self, service: Service, settings: ClientSettings, stats: Stats) -> None:
        self._settings = settings
        self._provider = service.provider
        self._transport = Transport(
            service.endpoint_url,
            settings.connect_timeout_s,
            settings.connections,
            service.ca_bundle,
            service.provider.bundle_variables,
        )
        self._retry = Retry(stats)
        self._requests = AccountRequests(settings.account)
        clock = self.clock = ServiceClock()
        self._attempts = Attempts(service, self._transport, stats, clock)
        self._new_jobs = NewJobs(self._attempts, self._retry, clock, self.jobs, service.provider.job_id_header)
        self._job_outputs = JobOutputs(self._attempts, self._retry, stats, self._provider.tree_hash_header)

    def vaults(self, deadline: Deadline) -> Iterator[Vault]:
        """Yield every vault once, as ``Lister.vaults`` promises."""
        per_page = self._provider.vaults_per_page
        listing = ListOperation("VaultList", vault_from, lambda vault: vault.name)
        return self._listed(listing, partial(self._requests.list_vaults, per_page), deadline)

    def vault(self, name: str, deadline: Deadline) -> Vault:
        """Return one vault, as ``Lister.vault`` promises."""
        request = self._requests.describe_vault(name)
        call = self._call(request, deadline, name, cancelled=deadline.cancelled)
        return self._asked(call, request, partial(vault_from, name=name))

    def jobs(self, vault: str, deadline: Deadline) -> Iterator[Job]:
        """Yield every job of *vault* once, as ``Lister.jobs`` promises."""
        per_page = self._provider.jobs_per_page
        what = f"JobList of vault {cut(vault)}"
        listing = ListOperation("JobList", partial(job_from, vault), lambda job: job.id, what)
        return self._listed(listing, partial(self._requests.list_jobs, vault, per_page), deadline, vault)

    def job(self, vault: str, job: str, deadline: Deadline) -> Job:
        """Return one job, as ``Lister.job`` promises."""
        request = self._requests.describe_job(vault, job)
        call = self._call(request, deadline, vault, job, cancelled=deadline.cancelled)
        return self._asked(call, request, partial(job_from, vault, id_=job))

    def initiate_job(self, vault: str, parameters: Parameters, deadline: Deadline) -> str:
        """Begin a job, once, and return its id; one whose answer is lost is looked for before it is asked for again.

        Raises:
            ValueError: the provider takes no such description.
            NotFoundError: there is no such vault or archive.
            RefusedError: the service takes no such parameters.
            CasfsError: it cannot be asked; the message says so where the job may have been begun all the same.
        """
        if not self._provider.descriptions.fullmatch(parameters.description or ""):
            raise ValueError(f"{self._provider.name} takes no description {cut(parameters.description or '')}")
        request = self._requests.initiate_job(vault, body(parameters))
        call = self._call(request, deadline, vault, cancelled=deadline.cancelled)
        return self._new_jobs.begin(call, request, parameters)

    def fetch(self, output: Output, size: int, span: range, sink: Sink, deadline: Deadline) -> RangeResponse:
        """Fill the buffers of *sink* with a range of *output*, as ``RangeSource.fetch`` promises."""
        request = self._requests.get_job_output(output.vault, output.job, span)
        call = self._call(
            request, deadline, output.vault, output.job, cancelled=sink.is_cancelled, received=sink.received
        )
        return self._job_outputs.fetch(call, request, size, span, sink)

    def probe(self, output: Output, sink: Sink, deadline: Deadline) -> RangeResponse:
        """Learn the size of *output* and its first bytes, as ``RangeSource.probe`` promises."""
        block = sink.buffer(0)
        request = self._requests.get_job_output(output.vault, output.job, range(len(block)))
        call = self._call(
            request, deadline, output.vault, output.job, cancelled=sink.is_cancelled, received=sink.received
        )
        return self._job_outputs.probe(call, request, block, sink.accept)

    def trust_anew(self, ca_bundle: str | None) -> None:
        """Read the certificates to trust anew, as ``Transport.trust_anew``.

        Raises:
            ConfigError: they cannot be used; those from before are trusted on.
        """
        self._transport.trust_anew(ca_bundle)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._transport.close()

    def _listed(
        self, listing: ListOperation[Model], request: Callable[[str], Request], deadline: Deadline, vault: str = ""
    ) -> Iterator[Model]:
        first = request("")

        def call() -> Call:
            return self._call(first, deadline.sooner(PAGE_S), vault, cancelled=deadline.cancelled)

        return Pages(self._attempts, self._retry, listing, request, call).items()

    def _asked(self, call: Call, request: Request, understood: Callable[[Fields], Answered]) -> Answered:
        """Return what is *understood* of the document that *request* asks for, retries included."""
        return self._retry.run(call, lambda: understood(parsed(self._attempts.document(call, request))))

    def _call(  # noqa: PLR0913 - what a call is about, and who follows it
        self,
        request: Request,
        deadline: Deadline,
        vault: str = "",
        job: str = "",
        *,
        cancelled: Interrupted = never,
        received: Callable[[int], None] = nobody,
    ) -> Call:
        idle = idle_s(min(self._settings.read_timeout_s, deadline.remaining_s))
        span = request.range or ""
        return Call(request.operation, deadline, idle, vault, job, span, cancelled=cancelled, received=received)
