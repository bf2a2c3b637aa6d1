"""The table of providers: which service a configuration comes to, and what it takes to speak to it."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from casfs.api.operations import Request
from casfs.api.providers.provider import Access, Service
from casfs.api.providers.table import PROVIDERS, register
from casfs.cli.emulate import counterpart
from casfs.config.config import read_config
from casfs.config.layers import Places
from casfs.errors import ConfigError, CredentialsError
from casfs.models import Credentials
from tests.api.conftest import use_aws_file
from tests.providers import DIALECTS, NO_BOTOCORE

needs_botocore = pytest.mark.skipif(NO_BOTOCORE, reason="the extra glacier is not installed")
KEYS = "aws_access_key_id = {0}\naws_secret_access_key = secret\n"
GLACIER = {"provider": "glacier"}

Find = Callable[..., Service]


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of AWS: profiles ``work`` and ``eu-west-1``, and keys by default; no region by default."""
    path = tmp_path / "aws"
    profile = f"[profile work]\nregion = us-east-2\n{KEYS.format('WORK')}"
    path.write_text(f"[default]\n{KEYS.format('DEFAULT')}{profile}[profile eu-west-1]\n{KEYS.format('ODD')}")
    use_aws_file(monkeypatch, path)
    return path


@pytest.fixture
def found(tmp_path: Path) -> Find:
    """Find the service of a SOURCE, for a user whose file of casfs has *profiles*."""

    def find(source: str, given: Mapping[str, str] = GLACIER, profiles: str = "") -> Service:
        file = tmp_path / "config.toml"
        file.write_text(profiles)
        config = read_config(source, given, "", Places({}, tmp_path, (file,)))
        return PROVIDERS[config.provider].connect(config.access)

    return find


def scope_of(service: Service) -> list[str]:
    """Return what a signature names: key, day, region, service."""
    authorization = service.signer.headers(Request("list_vaults", "/-/vaults"), "host", 0)["Authorization"]
    return authorization.partition("Credential=")[2].partition(",")[0].split("/")


def key_of(service: Service) -> str:
    return scope_of(service)[0]


def region_of(service: Service) -> str:
    return scope_of(service)[2]


SERVICES = {
    "a region": ("us-west-2:", {}, "", "us-west-2", "DEFAULT"),
    "a profile of AWS": ("work:", {}, "", "us-east-2", "WORK"),
    "a profile by option": ("us-west-2:", {"profile": "work"}, "", "us-west-2", "WORK"),
    "a profile of casfs that AWS has too": ("work:", {}, "[work]\n", "us-east-2", "WORK"),
    "a profile of casfs that names a region": ("mine:", {}, '[mine]\nregion = "eu-west-2"\n', "eu-west-2", "DEFAULT"),
    "an endpoint": ("https://glacier.sa-east-1.amazonaws.com/-", {}, "", "sa-east-1", "DEFAULT"),
}


@needs_botocore
@pytest.mark.parametrize("case", SERVICES)
def test_service_is_found_as_botocore_and_the_user_say(case: str, found: Find, aws: Path) -> None:
    source, given, profiles, region, key = SERVICES[case]
    service = found(source, GLACIER | given, profiles)
    assert service.endpoint_url == f"https://glacier.{region}.amazonaws.com"
    assert service.provider.name == "glacier"
    assert (key_of(service), region_of(service)) == (key, region)


@needs_botocore
def test_certificates_are_those_of_the_option_else_those_of_the_profile(found: Find, aws: Path) -> None:
    aws.write_text(f"[default]\nca_bundle = {aws}\n{KEYS.format('DEFAULT')}")
    assert found("us-west-2:").ca_bundle == str(aws)
    assert found("us-west-2:", {**GLACIER, "ca_bundle": __file__}).ca_bundle == __file__


@needs_botocore
def test_profile_of_the_environment_counts(found: Find, aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert key_of(found("us-west-2:")) == "WORK"


REFUSED = {
    "a profile of AWS without a region": ("eu-west-1:", {}, ConfigError, "set AWS_DEFAULT_REGION"),
    "a name that is nothing": ("nowhere:", {}, ConfigError, "no Glacier in a region nowhere"),
    "a region of CAS": ("ap-chengdu:", {}, ConfigError, "no Glacier in a region ap-chengdu"),
    "a profile that nobody has": ("us-west-2:", {"profile": "nobody"}, ConfigError, "nobody"),
    "two profiles": ("work:", {"profile": "eu-west-1"}, ConfigError, "SOURCE asks for profile work"),
}


@needs_botocore
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_found_is_one_line_that_names_it(case: str, found: Find, aws: Path) -> None:
    source, given, kind, says = REFUSED[case]
    with pytest.raises(kind, match=rf"^[^\n]*{says}[^\n]*$"):
        found(source, GLACIER | given)


@needs_botocore
def test_no_keys_are_one_line_that_says_where_to_put_them(found: Find, aws: Path) -> None:
    aws.write_text("")
    with pytest.raises(CredentialsError, match="AWS_PROFILE or AWS_ACCESS_KEY_ID"):
        found("us-west-2:")


WITHOUT_BOTOCORE = """
import sys
from importlib.abc import MetaPathFinder

class Nowhere(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("botocore", "boto3"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nowhere())
"""
"""Begins a program that has no botocore, whatever is installed."""


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_without_botocore_glacier_is_one_line_that_names_what_to_install(tmp_path: Path) -> None:
    program = f"{WITHOUT_BOTOCORE}from casfs.cli.main import main\nmain()"
    done = python(program, "mount", "--provider", "glacier", "us-west-2:", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    needed = "casfs: --provider glacier needs botocore, which is not installed"
    assert done.stderr == f"{needed}: {sys.executable} -m pip install botocore\n"


@pytest.mark.parametrize("start", ["", WITHOUT_BOTOCORE], ids=["installed", "not installed"])
def test_cas_neither_needs_nor_imports_botocore(start: str, tmp_path: Path) -> None:
    program = f"""{start}
import casfs.cli.main, casfs.cli.mount_helper, casfs.mount.serve
from casfs.config.config import read_config
from casfs.config.layers import Places
from casfs.api.providers.table import PROVIDERS
from pathlib import Path
environment = {{"CASFS_SECRET_ID": "id", "CASFS_SECRET_KEY": "key"}}
config = read_config("ap-chengdu:", {{}}, "", Places(environment, Path("/nowhere"), ()))
PROVIDERS[config.provider].connect(config.access)
print([name for name in sys.modules if name.partition(".")[0] in ("botocore", "boto3")])
"""
    done = python(f"import sys\n{program}")
    assert (done.stderr, done.stdout) == ("", "[]\n")


def test_a_name_has_one_entry() -> None:
    with pytest.raises(ValueError, match="there is a provider cas"):
        register(PROVIDERS["cas"])
    assert list(PROVIDERS) == ["cas", "glacier"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_entry_has_a_counterpart_with_the_same_pages_and_headers(provider: str) -> None:
    entry = PROVIDERS[provider]
    played = counterpart(entry)
    assert played == DIALECTS[provider]
    assert (entry.vaults_per_page, entry.jobs_per_page) == (played.vaults_page.most, played.jobs_page.most)
    assert entry.request_id_header == played.request_id_header
    assert entry.tree_hash_header == f"{played.header_prefix}sha256-tree-hash"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_looks_like_a_region_is_known_by_its_example(provider: str) -> None:
    regions = PROVIDERS[provider].regions
    assert regions.has(regions.example)
    assert not regions.has("nowhere")


def test_nobody_connects_to_cas_without_an_endpoint_or_credentials() -> None:
    with pytest.raises(ConfigError, match="found by nobody"):
        PROVIDERS["cas"].connect(Access(endpoint_url="http://127.0.0.1:1"))
    with pytest.raises(ConfigError, match="found by nobody"):
        PROVIDERS["cas"].connect(Access(credentials=Credentials("id", "key")))
