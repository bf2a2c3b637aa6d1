"""One permission fewer is one function fewer: every set of permissions, over a real socket.

A refusal of permission is no refused key, and no word on whether something is there.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain, combinations

import pytest

from casfs.account import Stages, find_service
from casfs.config.config import Config, read_config
from casfs.config.layers import Places
from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.errors import AccessDeniedError, CasfsError, CredentialsError, NotFoundError
from casfs.fs.attrs import View
from casfs.fs.errnos import errno_of
from casfs.fs.operations import Operations
from casfs.tree.nodes import VaultDir
from casfs.tree.tree import Tree

BYTES = b"what a job brings"
OPERATIONS = {"V": "list_vaults", "v": "describe_vault", "J": "list_jobs", "j": "describe_job"}
COLUMNS = ("ls /", "stat vault", "describe", "ls vault", "output", "vault/none", "none")
TABLE = {
    # allowed: V List Vaults, v Describe Vault, J List Jobs, j Describe Job; Get Job Output always
    #        ls /    stat vault  describe  ls vault  output  vault/none  none
    "VvJj": ("ok      ok          ok        ok        ok      ENOENT      ENOENT"),
    "VvJ":  ("ok      ok          ok        ok        ok      ENOENT      ENOENT"),
    "Vvj":  ("ok      ok          ok        EACCES    ok      ENOENT      ENOENT"),
    "Vv":   ("ok      ok          ok        EACCES    EACCES  EACCES      ENOENT"),
    "VJj":  ("ok      ok          ok        ok        ok      ENOENT      ENOENT"),
    "VJ":   ("ok      ok          ok        ok        ok      ENOENT      ENOENT"),
    "Vj":   ("ok      ok          ok        EACCES    ok      ENOENT      ENOENT"),
    "V":    ("ok      ok          ok        EACCES    EACCES  EACCES      ENOENT"),
    "vJj":  ("EACCES  ok          ok        ok        ok      ENOENT      ENOENT"),
    "vJ":   ("EACCES  ok          ok        ok        ok      ENOENT      ENOENT"),
    "vj":   ("EACCES  ok          ok        EACCES    ok      ENOENT      ENOENT"),
    "v":    ("EACCES  ok          ok        EACCES    EACCES  EACCES      ENOENT"),
    "Jj":   ("EACCES  ok          ENODATA   ok        ok      ENOENT      ENOENT"),
    "J":    ("EACCES  ok          ENODATA   ok        ok      ENOENT      ENOENT"),
    "j":    ("EACCES  ok          ENODATA   EACCES    ok      ENOENT      ENOENT"),
    "":     ("EACCES  EACCES      EACCES    EACCES    EACCES  EACCES      EACCES"),
}  # fmt: skip
"""What comes of each step by what the account may do; with the vault as root, the mount itself is refused in the last
line. The same table, by effect, is in docs/semantics.md."""
ALL_SETS = ["".join(each) for each in chain.from_iterable(combinations(OPERATIONS, count) for count in range(5))]


@pytest.fixture
def server(announce: Callable[[str], None]) -> Iterator[Server]:
    announce("no permission|list_jobs.*Vault not found")
    state = State()
    for vault in ("vault", "other"):
        state.add_vault(vault)
        archive = state.add_archive(vault, InMemory(BYTES))
        state.add_job(vault, ARCHIVE_RETRIEVAL, part(archive), job_id="job")
    with Server(state, credentials={"id": "key"}) as running:
        yield running


def deny(server: Server, *operations: str, vault: str | None = None, job: str | None = None) -> None:
    code = "AccessDeniedException"
    for operation in operations:
        fault = Fault(kind=Kind.STATUS, operation=operation, vault=vault, job=job, times=None, code=code)
        server.faults.add(fault)


def allow(server: Server, allowed: str) -> None:
    deny(server, *(operation for letter, operation in OPERATIONS.items() if letter not in allowed))


def config_of(server: Server, suffix: str = "", secret_key: str = "key") -> Config:
    environment = {"CASFS_SECRET_ID": "id", "CASFS_SECRET_KEY": secret_key}
    return read_config(server.url + suffix, {}, "", Places(environment, None, ()))


def account_of(config: Config) -> Stages:
    return Stages(config, find_service(config))


def heard(config: Config) -> list[str]:
    """Return what the account is told at the mount of ``vault``, which it begins with then."""
    said: list[str] = []
    with account_of(config) as account:
        account.admit(said.append)
        requests = account.stats.snapshot()["requests"]
        root = account.tree.resolve("/")
        assert isinstance(root, VaultDir)
        assert root.vault.name == "vault"
        assert account.stats.snapshot()["requests"] == requests
    return said


@contextmanager
def operations(server: Server, suffix: str = "") -> Iterator[tuple[Operations, Tree]]:
    """Be a mount without the kernel."""
    with account_of(config_of(server, suffix)) as account:
        account.admit(lambda _text: None)
        made = Operations(account.tree, account.outputs, account.stats, View(0, 0, 0o400, 0o700))
        made.init("/")
        yield made, account.tree
        made.destroy("/")


def listing(mount: Operations, path: str) -> list[str]:
    return [name for name, _, _ in mount.readdir(path, 0)][2:]


def steps(mount: Operations, vault: str) -> dict[str, Callable[[], object]]:
    """Return how to do what COLUMNS name, *vault* being the path of the vault."""
    return {
        "ls /": lambda: listing(mount, "/"),
        "stat vault": lambda: mount.getattr(vault or "/"),
        "describe": lambda: mount.getxattr(vault or "/", "user.cas.describe"),
        "ls vault": lambda: listing(mount, vault or "/"),
        "output": lambda: mount.getattr(f"{vault}/job/output"),
        "vault/none": lambda: mount.getattr(f"{vault}/none"),
        "none": lambda: mount.getattr("/none"),
    }


def outcome(name: str, step: Callable[[], object]) -> str:
    operation = {"describe": "getxattr", "ls /": "readdir", "ls vault": "readdir"}.get(name, "getattr")
    try:
        assert step(), "never an empty directory"
    except CasfsError as error:
        return errno.errorcode[errno_of(error, operation)]
    return "ok"


def expected(allowed: str) -> dict[str, str]:
    return dict(zip(COLUMNS, TABLE[allowed].split(), strict=True))


def test_table_has_every_set_of_permissions() -> None:
    assert sorted(TABLE) == sorted(ALL_SETS)


@pytest.mark.parametrize("is_forgetful", [True, False], ids=["each step cold", "one after the other"])
@pytest.mark.parametrize("allowed", ALL_SETS)
def test_account_as_root_does_what_its_permissions_allow(allowed: str, server: Server, *, is_forgetful: bool) -> None:
    allow(server, allowed)
    found: dict[str, str] = {}
    with operations(server) as (mount, tree):
        for name, step in steps(mount, "/vault").items():
            if is_forgetful:
                tree.forget()
            found[name] = outcome(name, step)
    assert found == expected(allowed)


@pytest.mark.parametrize("is_forgetful", [True, False], ids=["each step cold", "one after the other"])
@pytest.mark.parametrize("allowed", [each for each in ALL_SETS if each])
def test_vault_as_root_does_what_its_permissions_allow(allowed: str, server: Server, *, is_forgetful: bool) -> None:
    allow(server, allowed)
    found: dict[str, str] = {}
    with operations(server, "/-/vault") as (mount, tree):
        for name, step in steps(mount, "").items():
            if is_forgetful:
                tree.forget()
            found[name] = outcome(name, step)
    of_the_root = {"ls /": expected(allowed)["ls vault"], "none": expected(allowed)["vault/none"]}
    assert found == expected(allowed) | of_the_root


def test_a_denial_in_one_vault_leaves_the_others_as_they_are(server: Server) -> None:
    deny(server, "describe_vault", "list_jobs", "describe_job", vault="vault")
    with operations(server) as (mount, tree):
        found = {name: outcome(name, step) for name, step in steps(mount, "/vault").items()}
        assert found == expected("V")
        tree.forget()
        assert mount.getxattr("/other", "user.cas.describe")
        assert mount.getattr("/other/job/output")
        assert listing(mount, "/other") == ["job"]
    others = [(record.operation, record.status) for record in server.requests if record.vault == "other"]
    assert others == [("describe_vault", 200), ("describe_job", 200), ("list_jobs", 200)]


@pytest.mark.parametrize(
    ("allowed", "missing"), [("VvJj", []), ("Jj", ["attributes"]), ("j", ["attributes", "listed"])]
)
def test_mount_of_a_vault_tells_which_functions_are_missing_as_far_as_it_heard(
    allowed: str, missing: list[str], server: Server
) -> None:
    allow(server, allowed)
    said = heard(config_of(server, "/-/vault"))
    assert len(said) == len(missing)
    assert all(word in line for word, line in zip(missing, said, strict=True))


def test_mount_of_a_vault_spends_no_request_to_find_out_what_is_missing(server: Server) -> None:
    deny(server, "list_vaults", "list_jobs", "describe_job")
    heard(config_of(server, "/-/vault"))
    assert [record.operation for record in server.requests] == ["describe_vault"]


@pytest.mark.parametrize("allowed", ["VvJj", "J", "j"])
def test_mount_of_a_vault_that_is_not_there_is_refused_by_its_name(allowed: str, server: Server) -> None:
    server.state.remove_vault("vault")
    allow(server, allowed)
    config = config_of(server, "/-/vault")
    with pytest.raises(NotFoundError, match=r"^there is no vault 'vault': Vault not found"):
        heard(config)


def test_mount_of_a_vault_about_which_nothing_may_be_asked_is_refused(server: Server) -> None:
    allow(server, "")
    config = config_of(server, "/-/vault")
    with pytest.raises(AccessDeniedError, match=r"^no permission"):
        heard(config)


@pytest.mark.parametrize(("suffix", "allowed"), [("", "VvJj"), ("", "V"), ("/-/vault", "VvJj"), ("/-/vault", "j")])
def test_refused_key_refuses_the_mount_whatever_else_is_denied(
    suffix: str, allowed: str, server: Server, announce: Callable[[str], None]
) -> None:
    announce("the signature is refused")
    allow(server, allowed)
    config = config_of(server, suffix, secret_key="another")
    with pytest.raises(CredentialsError):
        heard(config)


def test_service_that_denies_what_is_not_there_is_not_taken_to_say_so(server: Server) -> None:
    allow(server, "j")
    deny(server, "describe_job", job="none")
    with operations(server) as (mount, _):
        found = [outcome(path, partial(mount.getattr, path)) for path in ("/vault/none", "/vault/job/output")]
    assert found == ["EACCES", "ok"]
