"""One account of one service, without a kernel: names, bytes and requests, put together.

The mount stands on it, and whatever else reads outputs. Nothing here knows of FUSE.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from casfs.api.client import Client, ClientSettings
from casfs.api.providers.current import CurrentSigner
from casfs.api.providers.provider import Service
from casfs.api.providers.table import PROVIDERS
from casfs.config.config import Config
from casfs.data.disk.store import Store
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.hashing import lanes
from casfs.data.outputs import Outputs, ignore
from casfs.data.settings import DataSettings, Verify
from casfs.kept_jobs import KeptJobs
from casfs.models import Output
from casfs.stats import Stats
from casfs.tree.admission import admitted
from casfs.tree.tree import Tree, TreeSettings
from casfs.waiting import Deadline, Interrupted, never

__all__ = ["Service", "Stages", "find_service", "open_store"]

_log = logging.getLogger(__name__)


class Stages:
    """What one account has, by name and by byte.

    Making one sends nothing and begins no thread. The first question begins the threads, in the process that asks it;
    ``close`` ends them.

    Args:
        config: what was decided.
        service: what ``find_service`` made of it.
        interrupted: asked by calls that wait, on their own thread: whether their program was signalled.
        on_wrong: called with each output of which somebody may hold bytes that have proved wrong, on a thread of ours.
        store: the cache on disk, if it is open already.

    Attributes:
        config: as above.
        service: as above.
        stats: counters of all that is done here.
        client: requests, for what neither names nor bytes ask.
        tree: names.
        outputs: bytes.
        disk: the cache on disk, None where there is none.

    Raises:
        ConfigError: the folder of the cache cannot be used; the message says why.

    Threads: any thread may call, until ``close``.
    """

    def __init__(
        self,
        config: Config,
        service: Service,
        *,
        interrupted: Interrupted = never,
        on_wrong: Callable[[Output], None] = ignore,
        store: Store | None = None,
    ) -> None:
        self.config = config
        self._signer = CurrentSigner(service.signer)
        self.service = replace(service, signer=self._signer)
        self.stats = Stats()
        self._interrupted = interrupted
        self.client = Client(self.service, _client_settings(config), self.stats)
        store = store or open_store(config)
        self.disk = DiskCache(store, service.endpoint_url, config.account) if store is not None else None
        kept = KeptJobs(self.disk, interrupted) if config.keep_expired and self.disk is not None else None
        self.tree = Tree(self.client, TreeSettings(config.list_ttl, config.root_vault), interrupted, kept=kept)
        self.outputs = Outputs(
            self.client,
            _data_settings(config),
            self.stats,
            interrupted,
            disk=self.disk,
            on_gone=self.tree.gone,
            on_wrong=on_wrong,
            following=self.tree.following,
        )

    def __enter__(self) -> Self:
        """Return this account, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def deadline(self) -> Deadline:
        """Return when a call that is made on this thread must have ended: after ``read_timeout``, or its program."""
        return Deadline.after(self.config.read_timeout, cancelled=self._interrupted)

    def admit(self, warn: Callable[[str], None]) -> None:
        """Ask the service once, on this thread, and begin with the vaults that it answers with.

        Args:
            warn: called with what the account may not do, as far as that was heard.

        Raises:
            ProtocolError: what answers is no archive service.
            CasfsError: it cannot be asked, or refuses who asks, or has no such vault; or the account may ask nothing
                at all about the one vault that was asked for.
        """
        vaults = admitted(self.client, self.config.root_vault, self.config.connect_timeout, warn)
        if vaults is not None:
            self.tree.seed(vaults)
        _log.debug("%s", lanes.described())

    def become(self, service: Service) -> None:
        """Ask as *service* says from now on, which is the same one with other credentials."""
        self._signer.become(service.signer)
        self.service = replace(service, signer=self._signer)

    def close(self) -> None:
        """End every request, every wait, with an error, and the threads; may be called more than once.

        Returns within some seconds: what hangs in a socket after that is left to end by itself.
        """
        self.outputs.stop()
        self.tree.stop()
        self.client.close()


def find_service(config: Config) -> Service:
    """Return the service that *config* asks for; this may ask the network for keys, or a user for a code.

    Raises:
        ConfigError: there is no such profile or region, or what the provider needs is not installed.
        CredentialsError: there are no keys, or whoever has them refuses.
    """
    return PROVIDERS[config.provider].connect(config.access)


def open_store(config: Config) -> Store | None:
    """Return the cache on disk that *config* asks for, None where it asks for none.

    Raises:
        ConfigError: the folder cannot be used; the message says why.
    """
    if config.cache_dir is None:
        return None
    return Store.open(Path(config.cache_dir), config.cache_size, may_fail=True)


def _client_settings(config: Config) -> ClientSettings:
    return ClientSettings(
        account=config.account,
        connect_timeout_s=config.connect_timeout,
        read_timeout_s=config.read_timeout,
        connections=config.connections,
    )


def _data_settings(config: Config) -> DataSettings:
    return DataSettings(
        block_cache_bytes=config.block_cache_size,
        connections=config.connections,
        read_ahead_bytes=config.read_ahead,
        verify=Verify(config.verify),
        read_timeout_s=config.read_timeout,
    )
