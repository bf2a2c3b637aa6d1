"""Keys are found where every tool on botocore finds them."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("botocore", reason="the extra glacier is not installed")

from casfs.api.providers.aws import AwsCredentials, Endpoint, find_endpoint, profiles
from casfs.errors import ConfigError, CredentialsError, UnreachableError
from casfs.models import Credentials
from tests.api import keyserver
from tests.api.conftest import Configure
from tests.api.keyserver import KeyServer
from tests.certificate import CERTIFICATE, certified

Source = Callable[[KeyServer, Configure, pytest.MonkeyPatch], None]


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    with keyserver.running() as server:
        yield server


def test_the_environment_comes_first(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    keys = AwsCredentials().current()
    assert (keys.secret_id, keys.token) == ("ENV", "t")


def test_a_profile_that_is_asked_for_beats_the_environment(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("[profile work]\naws_access_key_id = WORK\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert AwsCredentials("work").current().secret_id == "WORK"
    assert profiles() == {"work"}


def test_the_profile_of_the_environment_gives_keys_and_region(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("[profile work]\naws_access_key_id = WORK\naws_secret_access_key = s\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert AwsCredentials().current().secret_id == "WORK"
    assert find_endpoint(None, None, None) == Endpoint("https://glacier.eu-west-1.amazonaws.com", "eu-west-1")


def test_a_program_that_gives_keys_is_run(configure: Configure, aws_home: Path) -> None:
    keys = {"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "s"}
    (aws_home / "keys.json").write_text(json.dumps(keys))
    configure(f"[default]\ncredential_process = cat {aws_home}/keys.json\n")
    assert AwsCredentials().current().secret_id == "PROCESS"


def container(server: KeyServer, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/container")


def web_identity(server: KeyServer, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Path.home() / ".aws" / "token"
    token.write_text("identity")
    configure("[default]\nregion = us-west-2\n")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::012345678901:role/reader")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)


def role(server: KeyServer, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(
        "[default]\nregion = us-west-2\nsource_profile = base\nrole_arn = arn:aws:iam::012345678901:role/reader\n"
        "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)


def single_sign_on(server: KeyServer, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    start = "https://example.awsapps.com/start"
    configure(
        f"[default]\nregion = us-west-2\nsso_start_url = {start}\nsso_region = us-west-2\n"
        "sso_account_id = 012345678901\nsso_role_name = reader\n"
    )
    cache = Path.home() / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    name = hashlib.sha1(start.encode()).hexdigest()
    (cache / f"{name}.json").write_text(json.dumps({"accessToken": "a", "expiresAt": expires}))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", server.url)


@pytest.mark.parametrize("source", [web_identity, role])
def test_who_gives_keys_is_trusted_by_the_certificates_that_the_option_names(
    source: Source, key_server: KeyServer, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_server.begin_tls(certified())
    source(key_server, configure, monkeypatch)
    with pytest.raises(UnreachableError, match="SSL"):
        AwsCredentials().current()
    assert AwsCredentials(ca_bundle=str(CERTIFICATE)).current() == Credentials("KEY1", "s", "t")


# In a process of its own, since botocore asks for the home directory when it is imported.
ASK_TWICE = """
from casfs.api.providers.aws import AwsCredentials
credentials = AwsCredentials()
print(*(f"{keys.secret_id}/{keys.token}" for keys in (credentials.current(), credentials.current())))
"""


@pytest.mark.parametrize("source", [container, web_identity, role, single_sign_on])
def test_keys_that_expire_are_found_and_replaced_before_they_do(
    source: Source, key_server: KeyServer, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    source(key_server, configure, monkeypatch)
    asked = subprocess.run([sys.executable, "-c", ASK_TWICE], capture_output=True, text=True, timeout=120, check=True)
    first, second = asked.stdout.split()
    assert first.startswith("KEY")
    assert first.endswith("/t")
    assert first != second, "good for a minute only, so the second call got newer ones"


def test_an_instance_gives_its_keys(
    key_server: KeyServer, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", key_server.url)
    assert AwsCredentials().current() == Credentials("KEY1", "s", "t")


def test_a_source_that_begins_to_refuse_is_one_line(
    key_server: KeyServer, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    role(key_server, configure, monkeypatch)
    credentials = AwsCredentials()
    credentials.current()
    key_server.refuses = True
    with pytest.raises(CredentialsError, match=r"^credentials: [^\n]*$"):
        credentials.current()


def test_a_source_that_does_not_answer_may_be_tried_again(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    role(KeyServerAtNoPort(), configure, monkeypatch)
    with pytest.raises(UnreachableError):
        AwsCredentials().current()


class KeyServerAtNoPort(KeyServer):
    """Nobody listens where it says."""

    def __init__(self) -> None:
        pass

    @property
    def url(self) -> str:
        """Port 9 of this machine, where nothing is."""
        return "http://127.0.0.1:9"


def test_no_keys_anywhere_is_one_line_that_says_where_to_put_them(aws_home: Path) -> None:
    with pytest.raises(CredentialsError, match="AWS_PROFILE or AWS_ACCESS_KEY_ID"):
        AwsCredentials().current()


def test_newer_keys_are_looked_for_where_the_old_ones_were(configure: Configure) -> None:
    text = "[default]\naws_access_key_id = id\naws_secret_access_key = s\naws_session_token = {}\n"
    configure(text.format("old"))
    credentials = AwsCredentials()
    assert credentials.current().token == "old"
    assert not credentials.renewed("old"), "the file has no others"
    configure(text.format("new"))
    assert credentials.current().token == "old", "kept while the service takes it"
    assert credentials.renewed("old")
    assert credentials.current().token == "new"
    assert credentials.renewed("old"), "and whoever comes later is told so too"
    assert set(credentials.secrets()) == {"s", "old", "new"}, "an answer may still be about the old one"


@pytest.mark.parametrize("name", ["config", "credentials"])
def test_file_that_botocore_cannot_read_because_of_its_mark_is_named(aws_home: Path, name: str) -> None:
    text = "\N{BYTE ORDER MARK}[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n"
    (aws_home / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{aws_home / name}.*begins with a byte order mark"):
        profiles()


@pytest.mark.parametrize("name", ["config", "credentials"])
def test_file_that_is_there_and_cannot_be_read_is_named_where_there_are_no_keys(aws_home: Path, name: str) -> None:
    (aws_home / name).mkdir()
    with pytest.raises(CredentialsError, match=f"no AWS credentials found.*{aws_home / name} cannot be read: Is a dir"):
        AwsCredentials().current()
