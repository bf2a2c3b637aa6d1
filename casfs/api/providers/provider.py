"""What a provider is: one entry of the table, from which everything comes that differs between the services.

CAS, Glacier and their kin have the same paths, parameters and documents. An entry holds the rest: where the service is,
how keys are found, how a request is signed, how long a page may be, which headers it uses, what an error's code means.

What an entry need not say, because the client takes every form: whether VaultQCS or VaultARN names a vault (opaque,
kept in the document), whether a marker names the last item or the next one (passed back as it came, items counted
once), whether sizes are numbers or strings.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from casfs.api.operations import Request
from casfs.api.providers.meanings import Meaning, Refusal, meaning_of
from casfs.models import Credentials


class Signer(Protocol):
    """Who asks: signs the requests of one account.

    Threads: every method may be called from any thread, many at once.
    """

    def headers(self, request: Request, host: str, now_s: float) -> Mapping[str, str]:
        """Return what is added to *request*: version, token, signature. Asked anew for every attempt.

        Args:
            request: what to sign: method, path, parameters and, where the provider signs them, range and body.
            host: the Host header as sent.
            now_s: Unix time, corrected by the service's own clock.

        Raises:
            AccessDeniedError: there are no credentials (any more) to sign with.
        """
        ...

    def renewed(self, sent: Mapping[str, str]) -> bool:
        """Look for credentials that are newer than those that have expired.

        Args:
            sent: what ``headers`` returned for the request that was refused.

        Returns:
            Whether the next request will be signed with others than *sent* was.

        Raises:
            CredentialsError: there are none any more.
        """
        ...

    def secrets(self) -> tuple[str, ...]:
        """Return the strings that no message may hold."""
        ...


@dataclass(frozen=True, slots=True)
class Regions:
    """Where a provider is.

    Attributes:
        pattern: what a region looks like.
        example: one of them, for an error.
        endpoint: ``https://HOST`` with ``{region}`` in it; "" where the provider's own tools know the endpoints.
    """

    pattern: re.Pattern[str]
    example: str
    endpoint: str = ""

    def has(self, text: str) -> bool:
        """Return whether *text* looks like a region."""
        return self.pattern.fullmatch(text) is not None

    def of(self, endpoint_url: str) -> str | None:
        """Return the region that an endpoint is of, None where it is none of the provider's own."""
        before, _, behind = self.endpoint.partition("://")[2].partition("{region}")
        _, _, host = endpoint_url.partition("://")
        region = host[len(before) : len(host) - len(behind)]
        return region if behind and host == f"{before}{region}{behind}" and self.has(region) else None


SECRETS = ("secret_id", "secret_key", "token")
"""What makes credentials, as a profile calls it; behind a prefix and in capitals, as the environment does."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An INI file in the user's home in which a tool of the provider keeps credentials.

    Attributes:
        name: of the file.
        tool: which wrote it.
        section: the one that is read.
        keys: what the file calls ``secret_id`` and ``secret_key``.
        endpoint: key of the endpoint, "" if the file has none.
        account: key of the account, "" if the file has none.
    """

    name: str
    tool: str
    section: str
    keys: Mapping[str, str]
    endpoint: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """Keys that casfs looks for itself, where ``casfs.config.credentials`` says, and a provider's own places beside.

    Attributes:
        prefixes: of variables of the environment, in order.
        file: of the provider's own tool, or None.
    """

    prefixes: tuple[str, ...] = ("CASFS_",)
    file: KeyFile | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that hold credentials: those of id and key that are asked first are the first two."""
        return tuple(prefix + key.upper() for prefix in self.prefixes for key in SECRETS)


@dataclass(frozen=True, slots=True)
class ToolKeys:
    """Keys that the provider's own tools find, and profiles and endpoints with them: ``connect`` asks those.

    Attributes:
        where: completes "keys stand …", for who wrote some where nobody looks.
        variables: those of the environment that hold credentials; of id and key first.
    """

    where: str
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the service is and who asks, as far as a user and the places that casfs looks into say.

    Attributes:
        endpoint_url: ``https://HOST[:PORT]``; None where ``connect`` is to find it.
        region: the one that was named; None where none was.
        credentials: who asks; None where ``connect`` is to find them.
        origin: where the credentials were found.
        name: what stands before the colon of SOURCE and is none of casfs's profiles, or None.
        profile: the profile that was asked for, or None.
        must_exist: whether the provider's tools must have that profile, since casfs has none of the name.
        token_header: name of the header for the token of temporary credentials; "" for the provider's own.
        ca_bundle: file or directory of certificates to trust; None for what the environment names, or the system's.
    """

    endpoint_url: str | None = None
    region: str | None = None
    credentials: Credentials | None = None
    origin: str = ""
    name: str | None = None
    profile: str | None = None
    must_exist: bool = False
    token_header: str = ""
    ca_bundle: str | None = None


TEXT = re.compile("[^\ud800-\udfff]*")
"""Any characters; JSON has no way to write others."""


def as_written(account: str) -> str:
    """Return *account*, whatever it is."""
    return account


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One service, as everything outside of its module knows it.

    Attributes:
        name: the value of ``--provider``.
        regions: where it is.
        keys: how its credentials are found.
        connect: makes the service of an access; may ask the network for keys, or a user for a code.
        vaults_per_page: the longest page of List Vaults that may be asked.
        jobs_per_page: the longest page of List Jobs that may be asked.
        tree_hash_header: name of the header with the tree hash of a body.
        request_id_header: name of the header with the service's id of a request.
        job_id_header: name of the header with the id of a job that was begun.
        token_header: name of the header with the token of temporary credentials.
        emulator: where the emulator's counterpart is, ``MODULE:NAME`` of a ``casfs.emulator.dialect.Dialect``; a name,
            since each is written apart from the other.
        meaning: what a refusal comes to.
        descriptions: what the description of a job may be.
        account: an account that a user wrote, as it stands in a path; a ConfigError if it is none.
        bundle_variables: those of the environment that name certificates to trust, beside those that all programs know.
        region_variable: the one of the environment that names the region, "" if there is none.
    """

    name: str
    regions: Regions
    keys: OwnKeys | ToolKeys
    connect: Callable[[Access], "Service"]
    vaults_per_page: int
    jobs_per_page: int
    tree_hash_header: str
    request_id_header: str
    job_id_header: str
    token_header: str
    emulator: str
    meaning: Callable[[Refusal], Meaning] = meaning_of
    descriptions: re.Pattern[str] = TEXT
    account: Callable[[str], str] = as_written
    bundle_variables: tuple[str, ...] = ()
    region_variable: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """What a client is made of.

    Attributes:
        provider: whose it is.
        endpoint_url: ``https://HOST[:PORT]``.
        signer: who asks.
        origin: where the credentials come from, for a line that says so.
        ca_bundle: certificates to trust; None for what the environment names, or the system's.
        region: where it is, None where its endpoint does not tell.
    """

    provider: Provider
    endpoint_url: str
    signer: Signer
    origin: str = ""
    ca_bundle: str | None = None
    region: str | None = None
