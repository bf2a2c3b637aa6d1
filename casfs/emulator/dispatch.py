"""One request becomes one delivery: faults, signature, operation and journal, in that order."""

from collections.abc import Callable
from dataclasses import dataclass

from casfs.emulator import mischief, ranges
from casfs.emulator.delivery import Delivery
from casfs.emulator.dialect import Dialect
from casfs.emulator.faults import Fault, Faults, Kind
from casfs.emulator.initiation import asked_archive
from casfs.emulator.jobs import StoredOutput
from casfs.emulator.journal import Journal, Record
from casfs.emulator.messages import ReceivedRequest, Reply
from casfs.emulator.refusal import Refusal
from casfs.emulator.service import Service, Target, in_error, target
from casfs.emulator.signature import KnownKeys
from casfs.emulator.state import State


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Everything that answering takes.

    Attributes:
        state: what the service holds.
        dialect: which service it is.
        known_keys: who may ask; None lets everybody.
        faults: what goes wrong.
        journal: where requests are written down.
        clock: the service's own, for signatures and dates.
    """

    state: State
    dialect: Dialect
    known_keys: KnownKeys | None
    faults: Faults
    journal: Journal
    clock: Callable[[], float]

    def deliver(self, request: ReceivedRequest, connection: int, request_id: str) -> Delivery:
        """Return the delivery for *request*, which came on the connection of that number, and write it down."""
        aim = target(request)
        output, archive = self._output(aim), self._archive(aim, request)
        fault = self._fault(aim, output, archive, request)
        delivery = self._delivery(aim, output, request, fault)
        delivery.record = Record(
            operation=aim.operation,
            vault=aim.vault,
            job=aim.job,
            archive=archive,
            range=request.headers.get("range"),
            status=0 if delivery.silent else delivery.reply.status,
            signature=self.dialect.claimed(request),
            at_s=self.clock(),
            connection=connection,
            request_id=request_id,
            fault=None if fault is None else fault.kind.value,
        )
        self.journal.add(delivery.record)
        return delivery

    def _fault(
        self, aim: Target, output: StoredOutput | None, archive: str | None, request: ReceivedRequest
    ) -> Fault | None:
        span = ranges.held(request.headers.get("range"), output.size) if output else None
        fault = self.faults.take(aim.operation, aim.vault, aim.job, span, archive)
        if fault is not None and fault.kind is Kind.EXPIRE:
            self.state.expire(fault.vault or aim.vault or "", fault.job or aim.job or "")
        return fault

    def _delivery(
        self, aim: Target, output: StoredOutput | None, request: ReceivedRequest, fault: Fault | None
    ) -> Delivery:
        if fault is None:
            return Delivery(self._answer(aim, request, request, 0.0))
        if fault.kind in (Kind.STATUS, Kind.THROTTLE):
            if fault.done:
                self._answer(aim, request, request, 0.0)
            return Delivery(mischief.refuse(fault, self.dialect))
        offset_s = fault.seconds if fault.kind is Kind.SKEW else 0.0
        misread = mischief.misread(fault, request, output.size) if output else request
        is_left = fault.done is False
        reply = Reply(200) if is_left else self._answer(aim, request, misread, offset_s)
        delivery = Delivery(reply, clock_offset_s=offset_s)
        mischief.spoil(fault, delivery, self.dialect.header_prefix)
        if fault.kind is Kind.FAIL:
            made = reply.headers.get(f"{self.dialect.header_prefix}job-id") or aim.job
            self.state.fail(aim.vault or "", made or "", fault.message)
        return delivery

    def _answer(self, aim: Target, sent: ReceivedRequest, understood: ReceivedRequest, offset_s: float) -> Reply:
        """Answer what was understood, if what was sent is signed."""
        try:
            if self.known_keys is not None:
                self.dialect.check(sent, self.known_keys, self.clock() + offset_s)
            return Service(self.state, self.dialect).answer(aim, understood)
        except Refusal as refusal:
            return in_error(refusal, self.dialect.status(refusal.code))

    def _output(self, aim: Target) -> StoredOutput | None:
        job = self.state.job(aim.vault or "", aim.job or "") if aim.operation == "get_job_output" else None
        return job.output if job else None

    def _archive(self, aim: Target, request: ReceivedRequest) -> str | None:
        """Return the id of the archive that a request is about, by what it asks for or by its job."""
        if aim.operation == "initiate_job":
            return asked_archive(request.body)
        job = self.state.job(aim.vault or "", aim.job) if aim.job else None
        return job.retrieves.archive.id if job and job.retrieves and job.retrieves.archive else None
