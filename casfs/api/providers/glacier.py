"""The provider Amazon Glacier: its entry, and how it is reached.

Keys, endpoints and signatures are botocore's, which is imported for who mounts Glacier only.
"""

import re
import shlex
import sys
from collections.abc import Mapping

from casfs.api.providers.meanings import Meaning, Refusal, meaning_of
from casfs.api.providers.provider import Access, Provider, Regions, Service, ToolKeys
from casfs.errors import ConfigError

NO_BOTOCORE = "--provider glacier needs botocore, which is not installed: {python} -m pip install botocore"

_OWN: Mapping[Meaning, tuple[str, ...]] = {
    Meaning.CLOSED: ("NoLongerSupportedException",),
    Meaning.DENIED: ("AccessDeniedException", "AccessDenied"),
    Meaning.EXPIRED: ("ExpiredTokenException", "ExpiredToken"),
    Meaning.FAILED: ("RequestTimeout", "PriorRequestNotComplete"),
    Meaning.NOT_FOUND: ("VaultNotFound",),
    Meaning.SIGNATURE: ("SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestExpired"),
    Meaning.THROTTLED: (
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
    ),
    Meaning.UNKNOWN_KEY: ("InvalidClientTokenId", "InvalidAccessKeyId"),
}
OWN_MEANINGS = {code: meaning for meaning, codes in _OWN.items() for code in codes}
"""Where Glacier, what stands in front of it, or a server that plays it, differs from the codes that both services have.

Access is never denied for a clock that is off: that is InvalidSignatureException here. The codes of throttling are
those that botocore waits for and that can be about Glacier: its LimitExceededException is the limit of vaults and tags.
VaultNotFound is moto's. Source: docs/wire.md sections 7 and 8; botocore 1.44.5, retries/standard.py."""

WRONG_REGION = "scoped to a valid region"
"""What InvalidSignatureException says of a signature for another region. Source: AWS Signature Version 4, errors."""


def meaning(refusal: Refusal) -> Meaning:
    """Return what *refusal* comes to, by the common codes and by Glacier's own."""
    if refusal.code == "InvalidSignatureException" and WRONG_REGION in refusal.message:
        return Meaning.WRONG_REGION
    return OWN_MEANINGS.get(refusal.code) or meaning_of(refusal)


def account(text: str) -> str:
    """Return an account of AWS as it stands in a path: the console shows its 12 digits with hyphens between.

    Raises:
        ConfigError: it is none.
    """
    digits = text.replace("-", "")
    if text != "-" and not re.fullmatch("[0-9]{12}", digits):
        raise ConfigError(f"account {text} is none of AWS: 12 digits, or - for the caller's own")
    return digits or "-"


def connect(access: Access) -> Service:
    """Return the service at *access*, as botocore finds what is not said; may ask the network, or a user for a code.

    Raises:
        ConfigError: there is no such profile or region, or botocore is not installed.
        CredentialsError: there are no keys, or whoever has them refuses.
    """
    try:
        # Here and nowhere else: who mounts another provider neither needs botocore nor waits for its import.
        from casfs.api.providers import aws, sigv4  # noqa: PLC0415 - as said above
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "botocore":
            raise
        raise ConfigError(NO_BOTOCORE.format(python=shlex.quote(sys.executable))) from None
    profile, region = _sorted(access, aws.profiles())
    endpoint = aws.find_endpoint(profile, region, access.endpoint_url)
    credentials = aws.AwsCredentials(profile, access.ca_bundle)
    credentials.current()  # found now: later there is no terminal to ask at
    origin = f"botocore, profile {profile}" if profile else "botocore"
    signer = sigv4.GlacierSigner(credentials, endpoint.region)
    return Service(GLACIER, endpoint.url, signer, origin, access.ca_bundle or endpoint.ca_bundle, endpoint.region)


def _sorted(access: Access, profiles: frozenset[str]) -> tuple[str | None, str | None]:
    """Return the profile of AWS and the region, each None where botocore is to choose it."""
    if access.name in profiles:
        if access.profile not in (None, access.name):
            raise ConfigError(f"SOURCE asks for profile {access.name}, and --profile for {access.profile}")
        return access.name, None
    is_there = access.must_exist or access.profile in profiles
    return access.profile if is_there else None, access.name or access.region


GLACIER = Provider(
    name="glacier",
    regions=Regions(re.compile(r"[a-z]{2}(-[a-z0-9]+)+"), "us-west-2"),
    keys=ToolKeys(
        where="where botocore looks, see aws configure",
        variables=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    ),
    connect=connect,
    vaults_per_page=10,
    jobs_per_page=50,
    tree_hash_header="x-amz-sha256-tree-hash",
    request_id_header="x-amzn-RequestId",
    job_id_header="x-amz-job-id",
    token_header="x-amz-security-token",  # noqa: S106 - the name of a header
    emulator="casfs.emulator.glacier:GLACIER",
    meaning=meaning,
    descriptions=re.compile("[ -~]{0,1024}"),
    account=account,
    bundle_variables=("AWS_CA_BUNDLE",),
    region_variable="AWS_DEFAULT_REGION",
)
"""Source: developer guide, "List Vaults", "List Jobs", "Common request headers"; docs/wire.md sections 1 and 3."""
