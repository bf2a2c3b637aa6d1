"""What the tree needs of the service: listings and single look-ups."""

from collections.abc import Iterator
from typing import Protocol

from casfs.models import Job, Vault
from casfs.waiting import Deadline


class Lister(Protocol):
    """The service's names.

    Threads: every method may be called from any thread, and blocks for the network until *deadline* at the latest; a
    listing, all its pages together, and each page as long as a single look-up.

    A listing is whole or ends with an error. One that raised InterruptedCallError, since nobody waited, goes on when it
    is asked for the next item.
    """

    def vaults(self, deadline: Deadline) -> Iterator[Vault]:
        """Yield every vault once, page by page.

        Raises:
            AccessDeniedError: the account may not list vaults.
            CasfsError: any other failure, after the retries.
        """
        ...

    def vault(self, name: str, deadline: Deadline) -> Vault:
        """Return one vault.

        Raises:
            NotFoundError: there is none of that name.
        """
        ...

    def jobs(self, vault: str, deadline: Deadline) -> Iterator[Job]:
        """Yield every job of *vault* once, page by page; a page is 1,000 where the service allows it.

        Raises:
            NotFoundError: there is no such vault.
        """
        ...

    def job(self, vault: str, job: str, deadline: Deadline) -> Job:
        """Return one job.

        Raises:
            NotFoundError: there is no such vault or job.
        """
        ...
