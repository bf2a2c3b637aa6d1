"""Whether the service may be asked at all, learnt from the one question that brings the vaults to begin with."""

from collections.abc import Callable

from casfs.errors import AccessDeniedError, CredentialsError, NotFoundError
from casfs.models import Vault
from casfs.tree.existence import find_vault, named
from casfs.tree.lister import Lister
from casfs.tree.permissions import Permission, Permissions
from casfs.waiting import Deadline

CHECK_S = 5.0
"""How long the check goes on, retries included, beside the time to connect: a page of 1,000 vaults takes well under a
second, and whoever waits at a prompt for a host that is down should not take the command for hung."""


def admitted(
    lister: Lister, root_vault: str | None, connect_timeout_s: float, warn: Callable[[str], None]
) -> list[Vault] | None:
    """Return the vaults to begin with, having learnt from them that endpoint and credentials are right.

    None where the account may not list them: it may still use one by its name. And where there are too many to wait.

    Args:
        lister: is asked, on this thread.
        root_vault: the one vault that counts, or None for all.
        connect_timeout_s: how long a connection may take, on top of CHECK_S.
        warn: called with what the account may not do, as far as that was heard.

    Raises:
        CasfsError: the service cannot be asked, or refuses who asks, or has no such vault; or the account may ask
            nothing at all about the one that is to be the root.
    """
    deadline = Deadline.after(connect_timeout_s + CHECK_S)
    if root_vault is not None:
        return [_one(lister, root_vault, deadline, warn)]
    try:
        return _listed(lister, deadline)
    except CredentialsError:
        raise
    except AccessDeniedError as error:
        warn(f"the vaults may not be listed, but those that may be used can be entered by name: {error}")
        return None


def _one(lister: Lister, name: str, deadline: Deadline, warn: Callable[[str], None]) -> Vault:
    """Return the vault *name*, and tell what the account may not do with it, as far as that was heard."""
    permissions = Permissions(deadline.clock, CHECK_S)

    def listed() -> Vault | None:
        vaults = _listed(lister, deadline)
        return None if vaults is None else named(vaults, name)

    try:
        vault = find_vault(lister, permissions, name, listed, deadline)
    except NotFoundError as error:
        raise NotFoundError(f"there is no vault {name!a}: {error}") from error
    if not vault.document:
        warn("the vault may not be described: its directory has no attributes")
    if permissions.is_refused(Permission.LIST_JOBS, name):
        warn("the jobs may not be listed, but those that may be described can be entered by their ids")
    return vault


def _listed(lister: Lister, deadline: Deadline) -> list[Vault] | None:
    """Return all vaults; None if there are so many, ten a page with some services, that whoever waits should not."""
    vaults = []
    for vault in lister.vaults(deadline):
        vaults.append(vault)
        if deadline.remaining_s < CHECK_S / 2:
            return None
    return vaults
