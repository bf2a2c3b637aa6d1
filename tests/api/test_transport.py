"""Whom one can reach, and who can be trusted."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from urllib3.exceptions import ProtocolError

from casfs.api.http import certificates
from casfs.api.http.network_errors import Way, failed_requests
from casfs.api.http.pools import Outgoing
from casfs.api.http.transport import Transport
from casfs.api.providers.glacier import GLACIER
from casfs.errors import ConfigError, TransferError, UnreachableError, UntrustedError
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import STALLING_S, new_client, started
from tests.api.listening import unanswered
from tests.api.scripted import Act, ScriptedServer, answer
from tests.certificate import CERTIFICATE, OTHERS, certified
from tests.conftest import Announce

VAULT = answer("200 OK", b'{"VaultName":"v"}')


def soon() -> Deadline:
    return Deadline.after(60)


def ask(
    url: str,
    ca_bundle: str | None = None,
    connect_timeout_s: float = 1,
    idle_s: float = 1,
    bundle_variables: Sequence[str] = (),
) -> int:
    """Return the status of one response of *url*."""
    transport = Transport(url, connect_timeout_s, 1, ca_bundle, bundle_variables)
    try:
        with transport.send(Outgoing("/-/vaults/v", {}), idle_s, soon()) as got:
            got.read(100)
            return got.status
    finally:
        transport.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """Yield an endpoint where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_that_nobody_listens_is_told_with_host_and_reason(nobody: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        ask(nobody)
    assert str(caught.value) == (
        f"{nobody.removeprefix('http://')}: nobody listens there (Connection refused): are host and port right?"
    )


@pytest.mark.parametrize(("connect_timeout_s", "idle_s"), [(0.2, 1), (60, 0.1)], ids=["its own time", "the attempt's"])
def test_that_nobody_answers_is_told_in_time(connect_timeout_s: float, idle_s: float) -> None:
    with unanswered() as host:
        deadline = soon()
        with pytest.raises(UnreachableError, match="nobody answers"):
            ask(f"http://{host}", None, connect_timeout_s, idle_s)
        assert deadline.remaining_s > 3


def test_a_request_that_finds_no_room_in_time_had_no_answer_in_time() -> None:
    stalled = ProtocolError("Connection aborted.", BlockingIOError(11, "Resource temporarily unavailable"))
    with pytest.raises(TransferError, match="no answer in time"), failed_requests(Way("host")):
        raise stalled


def test_what_the_kernel_gave_up_is_told_from_an_answer_that_takes_its_time() -> None:
    given_up = ProtocolError("Connection aborted.", TimeoutError(110, "Connection timed out"))
    with pytest.raises(TransferError, match="the connection was dead"), failed_requests(Way("host")):
        raise given_up


def test_an_outage_of_the_network_is_survived_within_the_deadline(server: ScriptedServer, stats: Stats) -> None:
    client = new_client(server.url, stats)
    server.add((Act.CLOSE,), (Act.RESET,), VAULT)
    assert client.vault("v", soon()).name == "v"


@pytest.mark.parametrize("url", ["http://" + "x" * 64 + ".example", "http://[::1", "http://a b", "http://127.0.0.1:x"])
def test_an_endpoint_that_is_none_is_not_tried_for_long(url: str) -> None:
    with pytest.raises((ConfigError, UnreachableError)) as caught:
        ask(url)
    assert "\n" not in str(caught.value)


def test_a_certificate_is_trusted_when_it_is_in_the_bundle(tls_server: ScriptedServer) -> None:
    tls_server.always = (VAULT,)
    assert ask(tls_server.url, str(CERTIFICATE)) == 200


@pytest.mark.parametrize("reply", [VAULT, VAULT[:-5]], ids=["whole", "cut"])
def test_bodies_over_tls_are_read_as_any(tls_server: ScriptedServer, stats: Stats, reply: bytes) -> None:
    client = new_client(tls_server.url, stats, ca_bundle=str(CERTIFICATE))
    tls_server.add((reply, Act.CLOSE) if reply != VAULT else reply, VAULT)
    client.vault("v", soon())
    client.vault("v", soon()) if reply == VAULT else None
    assert (len(tls_server.seen), tls_server.connections) == ((2, 1) if reply == VAULT else (2, 2))


def test_a_body_that_stalls_over_tls_is_asked_for_again(tls_server: ScriptedServer, stats: Stats) -> None:
    client = new_client(tls_server.url, stats, read_timeout_s=STALLING_S, ca_bundle=str(CERTIFICATE))
    long = answer("200 OK", b" " * 20_000)[:10_000]
    tls_server.add((long, Act.STALL), (long, Act.DRIP))
    tls_server.always = (VAULT,)
    assert client.vault("v", soon()).name == "v"


def test_over_tls_a_body_ends_by_the_other_sides_word_and_not_where_the_connection_does(
    tls_server: ScriptedServer,
) -> None:
    transport = Transport(tls_server.url, 60, 1, str(CERTIFICATE))
    tls_server.add((answer("200 OK", b"[1, 2]", Content_Length="", Connection="close"), Act.CLOSE))
    with transport.send(Outgoing("/", {}), 60, soon()) as got, pytest.raises(TransferError, match="broke off"):
        got.read(100)
    transport.close()


def test_over_tls_what_comes_behind_a_body_is_not_taken_for_the_next_response(tls_server: ScriptedServer) -> None:
    transport = Transport(tls_server.url, 60, 1, str(CERTIFICATE))
    body, forged = b"x" * 100_000, answer("200 OK", b"evil")
    tls_server.add(answer("200 OK", body) + forged, answer("200 OK", b"fine"))
    with transport.send(Outgoing("/", {}), 60, soon()) as got:
        assert got.read(len(body)) == body
        got.finish()
    with transport.send(Outgoing("/", {}), 60, soon()) as got:
        assert got.read(100) == b"fine"
    transport.close()
    assert [request.connection for request in tls_server.seen] == [1, 2]


def test_a_certificate_that_is_not_trusted_is_told_once_with_what_mends_it(
    tls_server: ScriptedServer, stats: Stats, announce: Announce
) -> None:
    announce("certificate is not trusted")
    tls_server.always = (VAULT,)
    with pytest.raises(UntrustedError, match="--ca-bundle"):
        new_client(tls_server.url, stats).vault("v", soon())
    assert stats.snapshot()["requests"] == 1
    assert tls_server.seen == []


def test_a_certificate_for_another_host_is_not_mended_by_a_bundle(tls_server: ScriptedServer) -> None:
    with pytest.raises(UntrustedError, match=r"another host's .*'localhost'.* SOURCE must name") as caught:
        ask(tls_server.url.replace("127.0.0.1", "localhost"), str(CERTIFICATE))
    assert "--ca-bundle" not in str(caught.value)


@pytest.mark.parametrize(("name", "words"), [("expired", "has expired"), ("not-yet", "is not valid yet")])
def test_a_certificate_of_another_time_is_told_with_what_this_machine_takes_for_today(name: str, words: str) -> None:
    certificate = OTHERS / f"{name}.pem"
    for server in started(ScriptedServer(tls=certified(certificate))):
        with pytest.raises(UntrustedError, match=rf"its certificate {words} .* takes today for 20\d\d-") as caught:
            ask(server.url, str(certificate))
        assert "--ca-bundle" not in str(caught.value)


VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@pytest.fixture
def no_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this machine is told to trust."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), ("not PEM", "no certificates")])
def test_a_bundle_that_is_none_is_named_with_where_it_was_named(
    no_bundles: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, reason: str
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(ConfigError, match=f"^--ca-bundle {bundle}: {reason}"):
        ask("https://127.0.0.1:1", str(bundle))
    for variable in VARIABLES:
        with monkeypatch.context() as only:
            only.setenv(variable, str(bundle))
            with pytest.raises(ConfigError, match=f"^{variable} {bundle}: {reason}"):
                ask("https://127.0.0.1:1", bundle_variables=["AWS_CA_BUNDLE"])


@pytest.mark.parametrize("variable", VARIABLES)
def test_what_a_variable_names_is_trusted_unless_the_option_names_something(
    no_bundles: None, monkeypatch: pytest.MonkeyPatch, tls_server: ScriptedServer, variable: str
) -> None:
    tls_server.always = (VAULT,)
    monkeypatch.setenv(variable, str(CERTIFICATE))
    assert ask(tls_server.url, bundle_variables=["AWS_CA_BUNDLE"]) == 200
    with pytest.raises(UntrustedError):
        ask(tls_server.url, str(OTHERS / "cas.example.pem"), bundle_variables=["AWS_CA_BUNDLE"])


def test_the_variable_of_one_provider_means_nothing_to_another(
    no_bundles: None, monkeypatch: pytest.MonkeyPatch, tls_server: ScriptedServer, stats: Stats, announce: Announce
) -> None:
    announce("not trusted")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(CERTIFICATE))
    assert GLACIER.bundle_variables == ("AWS_CA_BUNDLE",)
    with pytest.raises(UntrustedError):
        new_client(tls_server.url, stats).vault("v", soon())


def test_the_nearest_variable_decides(no_bundles: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for count, variable in enumerate(reversed(VARIABLES[:3])):
        monkeypatch.setenv(variable, str(CERTIFICATE if count % 2 else OTHERS / "cas.example.pem"))
        trusted = certificates.trust(None, ["AWS_CA_BUNDLE"]).get_ca_certs()
        assert ("cas.example" in str(trusted)) == (count % 2 == 0)


def test_a_directory_of_certificates_is_a_bundle_too(tmp_path: Path) -> None:
    assert certificates.trust(str(tmp_path)).verify_mode is ssl.CERT_REQUIRED


def test_the_systems_certificates_are_trusted_and_those_of_requests_where_it_has_none(
    no_bundles: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with monkeypatch.context() as elsewhere:
        nothing = ssl.get_default_verify_paths()._replace(cafile="", capath="")
        elsewhere.setattr(ssl, "get_default_verify_paths", lambda: nothing)
        assert len(certificates.trust(None).get_ca_certs()) > 50
    (tmp_path / "one.pem").write_text(CERTIFICATE.read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "one.pem"))
    assert len(certificates.trust(None).get_ca_certs()) == 1


def test_a_netrc_has_no_say_over_the_signature(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stats: Stats
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password wrong\ndefault login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    server.add(VAULT)
    new_client(server.url, stats).vault("v", soon())
    assert server.seen[0].headers["Authorization"].startswith("q-sign-algorithm=sha1&")


def test_no_cookie_is_kept(server: ScriptedServer, stats: Stats) -> None:
    server.always = (answer("200 OK", b'{"VaultName":"v"}', Set_Cookie="a=b"),)
    client = new_client(server.url, stats)
    client.vault("v", soon())
    client.vault("v", soon())
    assert all("Cookie" not in request.headers for request in server.seen)
