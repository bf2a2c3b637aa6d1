"""The service process: the emulator in every shape over the same outputs, with its other faces.

Run as `serve.py PLAN`, the plan as JSON. Says its URLs by shape as one line of JSON, then answers each line of standard
input with what it has sent since the line before. Ends with its input.
"""

import json
import ssl
import sys
from contextlib import ExitStack

from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from casfs.emulator.state import State
from faces import Faces
from plan import SHAPES, Item, Plan, Shape, content, items
from service import CERTIFICATE, CREDENTIALS


def fill(state: State, item: Item) -> None:
    """Put an output into the service, as a job that has succeeded."""
    state.add_vault(item.vault)
    output = part(state.add_archive(item.vault, content(item)))
    output.tree_hash(0, item.size_bytes)  # computed now, so that no measurement pays for it
    state.add_job(item.vault, ARCHIVE_RETRIEVAL, output, job_id=item.job)


def start(stack: ExitStack, state: State, shape: Shape) -> Server:
    """Start the service in one shape."""
    shaping = Shaping(shape.first_byte_s, shape.bytes_per_s or None)
    tls = _certified() if shape.tls else None
    return stack.enter_context(
        Server(state, credentials=CREDENTIALS, shaping=shaping, also=Faces(state).answer, tls=tls)
    )


def _certified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def sent(servers: list[Server]) -> dict[str, int]:
    """Give what all shapes have sent since the last call, and start anew."""
    journals = [server.journal for server in servers]
    counters = {
        "requests": sum(journal.exchanges for journal in journals),
        "sent_bytes": sum(journal.sent_bytes for journal in journals),
        "most_in_flight": max(journal.most_in_flight for journal in journals),
    }
    for journal in journals:
        journal.clear()
    return counters


def main() -> None:
    """Serve until standard input ends."""
    state = State()
    for item in items(Plan(**json.loads(sys.argv[1]))):
        fill(state, item)
    with ExitStack() as stack:
        servers = {name: start(stack, state, shape) for name, shape in SHAPES.items()}
        _say({name: server.url for name, server in servers.items()})
        for _ in sys.stdin:
            _say(sent(list(servers.values())))


def _say(words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
