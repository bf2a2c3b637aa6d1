"""What each fault does to a request before it is answered, and to the delivery of the answer."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from casfs.emulator import ranges
from casfs.emulator.delivery import Delivery, Ending, cut
from casfs.emulator.dialect import Dialect
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.messages import ReceivedRequest, Reply
from casfs.emulator.refusal import Refusal
from casfs.emulator.service import in_error

_HEADERS = {Kind.NO_HASH: "", Kind.BAD_HASH: '"{}"', Kind.WRONG_HASH: "0123456789abcdef" * 4}
"""What the header of the tree hash says of itself."""
_GARBAGE = '{"JobList": [{"JobId": "'
_SPACES = memoryview(b" " * (1 << 20))


def misread(fault: Fault, request: ReceivedRequest, size: int) -> ReceivedRequest:
    """Return the request that the service answers in place of *request*, which asks for an output of *size* bytes."""
    span = ranges.held(request.headers.get("range"), size)
    if span is None or fault.kind not in (Kind.WHOLE, Kind.WRONG_RANGE):
        return request
    headers = {name: value for name, value in request.headers.items() if name != "range"}
    if fault.kind is Kind.WRONG_RANGE:
        start, stop = _shifted(span, fault.shift, size)
        headers["range"] = f"bytes={start}-{stop - 1}"
    return replace(request, headers=headers)


def _shifted(span: tuple[int, int], shift: int, size: int) -> tuple[int, int]:
    """Return a range that is not *span*: later, earlier or shorter, whichever the output has room for first."""
    start, stop = span
    for wrong in ((start + shift, stop + shift), (start - shift, stop - shift), (start + shift, stop)):
        if 0 <= wrong[0] < wrong[1] <= size:
            return wrong
    return span


def refuse(fault: Fault, dialect: Dialect) -> Reply:
    """Return the answer of a fault that is one: an error, or what stands in its place."""
    code = "ThrottlingException" if fault.kind is Kind.THROTTLE else fault.code
    message = "Rate exceeded" if fault.kind is Kind.THROTTLE else fault.message
    status = fault.status or dialect.status(code)
    answer = in_error(Refusal(code, message), status)
    if fault.body is not None:
        answer = Reply(status, {"Content-Type": fault.content_type}, [memoryview(fault.body.encode())])
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = fault.retry_after
    return answer


def spoil(fault: Fault, delivery: Delivery, prefix: str) -> None:
    """Do to *delivery* what the fault does; *prefix* is that of the service's own headers."""
    change = _CHANGES.get(fault.kind)
    if change:
        change(fault, delivery)
    if not fault.announced:
        delivery.reply.announced = False
        delivery.ending = Ending.CLOSE if delivery.ending is Ending.KEEP else delivery.ending
    says = _HEADERS.get(fault.kind) if fault.hash_header is None else fault.hash_header
    if says is not None:
        _rewrite(delivery.reply.headers, f"{prefix}sha256-tree-hash", says)


def _rewrite(headers: dict[str, str], name: str, says: str) -> None:
    """Have a header say something else, if it is there."""
    was = headers.pop(name, "")
    if was and says:
        headers[name] = says.replace("{}", was)


def _where(fault: Fault, answer: Reply) -> int:
    """Return the byte of the body that the fault is at: the middle if it does not say."""
    size = answer.size
    return size // 2 if fault.at is None else max(0, min(fault.at - answer.offset, size))


def _delay(fault: Fault, delivery: Delivery) -> None:
    delivery.delay_s = fault.seconds


def _drop(_fault: Fault, delivery: Delivery) -> None:
    delivery.silent, delivery.ending = True, Ending.CLOSE


def _reset(fault: Fault, delivery: Delivery) -> None:
    delivery.silent, delivery.ending = fault.at is None, Ending.RESET
    delivery.stop_at = _where(fault, delivery.reply)


def _cut(fault: Fault, delivery: Delivery) -> None:
    delivery.stop_at, delivery.ending = _where(fault, delivery.reply), Ending.CLOSE


def _stall(fault: Fault, delivery: Delivery) -> None:
    delivery.stop_at, delivery.ending = _where(fault, delivery.reply), Ending.STALL


def _drip(fault: Fault, delivery: Delivery) -> None:
    delivery.stop_at, delivery.drip_s = _where(fault, delivery.reply), fault.seconds


def _flip(fault: Fault, delivery: Delivery) -> None:
    answer, at = delivery.reply, _where(fault, delivery.reply)
    flipped = bytes(byte ^ 1 for piece in cut(answer.body, at, at + 1) for byte in piece)
    answer.body = [*cut(answer.body, 0, at), memoryview(flipped), *cut(answer.body, at + 1, answer.size)]


def _wrong_total(fault: Fault, delivery: Delivery) -> None:
    part, slash, total = delivery.reply.headers.get("Content-Range", "").partition("/")
    if slash:
        delivery.reply.headers["Content-Range"] = f"{part}/{int(total) + fault.shift}"


def _wrong_length(fault: Fault, delivery: Delivery) -> None:
    answer = delivery.reply
    more = [memoryview(bytes(max(0, -fault.shift)))]
    answer.body = [*cut(answer.body, 0, answer.size - max(0, fault.shift)), *more]


def _garbage(fault: Fault, delivery: Delivery) -> None:
    delivery.reply.body = [memoryview((_GARBAGE if fault.body is None else fault.body).encode())]


def _huge(fault: Fault, delivery: Delivery) -> None:
    """Put blanks before the document: it is still JSON, of a size that nobody should read."""
    delivery.reply.body = [*[_SPACES] * (fault.size // len(_SPACES)), *delivery.reply.body]


_CHANGES: Mapping[Kind, Callable[[Fault, Delivery], None]] = {
    Kind.DELAY: _delay,
    Kind.DROP: _drop,
    Kind.RESET: _reset,
    Kind.CUT: _cut,
    Kind.STALL: _stall,
    Kind.DRIP: _drip,
    Kind.FLIP: _flip,
    Kind.WRONG_TOTAL: _wrong_total,
    Kind.WRONG_LENGTH: _wrong_length,
    Kind.GARBAGE: _garbage,
    Kind.HUGE: _huge,
}
