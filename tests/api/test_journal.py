"""What the log says of requests at debug."""

import logging
import re

import pytest

from casfs.api.client import Client
from casfs.errors import NotFoundError
from casfs.models import Output
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import KEYS, Into, new_client
from tests.api.scripted import Act, ScriptedServer, answer, part

VAULT = answer("200 OK", b'{"VaultName":"v"}', x_cas_requestId="id-of-vault")
OUTPUT = Output("v", "-j", 10, None, is_inventory=False)


def soon() -> Deadline:
    return Deadline.after(30)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of requests, with X for how long each took."""
    told = [record.getMessage() for record in caplog.records if record.name == "casfs.api.journal"]
    return [re.sub(r"[0-9.]+ s ", "X s ", line) for line in told]


def fetch(client: Client) -> None:
    client.fetch(OUTPUT, 10, range(2, 6), Into(memoryview(bytearray(4))), soon())


def test_each_request_is_a_line_with_its_range_its_bytes_and_its_id(
    client: Client, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "casfs.api")
    server.add(VAULT, (part(b"0123456789", 2, 6, x_cas_requestId="first")[:-2], Act.CLOSE), part(b"0123456789", 2, 6))
    client.vault("v", soon())
    fetch(client)
    first, _, third = lines(caplog)
    assert first == "describe_vault, vault 'v': HTTP 200, 17 bytes in X s [request id id-of-vault]"
    assert third == "get_job_output, vault 'v', job '-j', bytes=2-5: HTTP 206, 4 bytes in X s [request id -]"
    records = [record for record in caplog.records if record.name == "casfs.api.journal"]
    fields = ("operation", "vault", "job", "range", "status", "request_id")
    assert [getattr(records[1], name) for name in fields] == ["get_job_output", "v", "-j", "bytes=2-5", 206, "first"]
    assert all(record.levelno == logging.DEBUG for record in records)


def test_a_request_without_an_answer_is_a_line_too(
    client: Client, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "casfs.api")
    server.add(VAULT, (Act.CLOSE,), answer("404 Not Found", b'{"code":"ResourceNotFoundException"}'))
    client.vault("v", soon())
    with pytest.raises(NotFoundError):
        client.job("v", "j", soon())
    failed, refused = lines(caplog)[1:]
    assert re.fullmatch(r"describe_job, vault 'v', job 'j': .*the connection broke .*, 0 bytes in .*", failed)
    assert refused == "describe_job, vault 'v', job 'j': HTTP 404, 36 bytes in X s [request id -]"


def test_no_line_has_what_signs_the_request(
    client: Client, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.add(VAULT)
    client.vault("v", soon())
    told = "\n".join(str(vars(record)) + record.getMessage() for record in caplog.records)
    assert "HTTP 200" in told
    assert KEYS.secret_key not in told
    assert "q-signature" not in told


def test_there_are_no_lines_above_debug(server: ScriptedServer, stats: Stats, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "casfs.api")
    server.add(VAULT)
    new_client(server.url, stats).vault("v", soon())
    assert caplog.records == []
