"""Whether a vault is there, by whatever question the account may ask.

One permission fewer is one function fewer: Describe Vault tells of a vault, List Vaults too, and where neither may be
asked, a vault is what List Jobs or Describe Job answers for.
"""

import re
from collections.abc import Callable, Iterable

from casfs.errors import AccessDeniedError, CredentialsError, NotFoundError
from casfs.models import Vault
from casfs.tree.lister import Lister
from casfs.tree.permissions import Permission, Permissions
from casfs.waiting import Deadline

NO_JOB = "casfs-asks-for-this-to-learn-what-is-there".ljust(92, "-")
"""An id that no job has, of as many characters as the ids of both services. Source: Describe Job, samples."""

_NO_VAULT = re.compile(r"vault\s*(is |was )?not\s*found", re.IGNORECASE)
"""How a service says that it is the vault which is not there, where it has one code for both; whatever else it says is
about the job. Source: Glacier, Error Responses ("Vault not found for ARN"); moto's code VaultNotFound."""


def find_vault(
    lister: Lister, permissions: Permissions, name: str, listed: Callable[[], Vault | None], deadline: Deadline
) -> Vault:
    """Return the vault *name*, by the first question that is not refused; what it cannot tell is not known of it.

    Args:
        lister: is asked.
        permissions: what the account may not ask, and need not be asked again.
        name: one that a vault can have.
        listed: asks for all vaults, and returns this one; None if they are too many to wait for. A NotFoundError of it
            says that it is not among them.
        deadline: of all requests together.

    Raises:
        NotFoundError: there is no such vault.
        AccessDeniedError: every question is refused. Some services refuse what is not there, so that it says nothing.
        CasfsError: as the request that was not refused.
    """
    questions: dict[tuple[Permission, str], Callable[[], Vault | None]] = {
        (Permission.DESCRIBE_VAULT, name): lambda: lister.vault(name, deadline),
        (Permission.LIST_VAULTS, ""): listed,
        (Permission.LIST_JOBS, name): lambda: _from_its_jobs(lister, name, deadline),
        (Permission.DESCRIBE_JOB, name): lambda: _from_a_job(lister, name, deadline),
    }
    refused: list[AccessDeniedError] = []
    for (permission, vault), ask in questions.items():
        try:
            found = permissions.ask(permission, vault, ask)
        except CredentialsError:
            raise
        except AccessDeniedError as error:
            refused.append(error)
        else:
            if found is not None:
                return found
    raise refused[0]


def named(vaults: Iterable[Vault], name: str) -> Vault:
    """Return the vault *name* of *vaults*, which are all.

    Raises:
        NotFoundError: it is not among them.
    """
    for vault in vaults:
        if vault.name == name:
            return vault
    raise NotFoundError(f"the service lists no vault {name}")


def _from_its_jobs(lister: Lister, name: str, deadline: Deadline) -> Vault:
    """Ask for the first page of the jobs of *name*, which only a vault has."""
    next(iter(lister.jobs(name, deadline)), None)
    return Vault(name, None, "")


def _from_a_job(lister: Lister, name: str, deadline: Deadline) -> Vault:
    """Ask for a job of *name* that is not there, and hear what is missing."""
    try:
        lister.job(name, NO_JOB, deadline)
    except NotFoundError as error:
        if _NO_VAULT.search(str(error)):
            raise
    return Vault(name, None, "")
