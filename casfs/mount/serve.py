"""Wires the stages together, then hands the process to libfuse: the only place where all meet."""

import logging
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from casfs import log, shortage
from casfs.api.client import Client, ClientSettings
from casfs.config.config import Config
from casfs.config.environment import hide_credentials
from casfs.data.hashing import lanes
from casfs.data.outputs import Outputs
from casfs.data.settings import DataSettings, Verify
from casfs.errors import (
    AccessDeniedError,
    CasfsError,
    ConfigError,
    CredentialsError,
    MountError,
    NotFoundError,
    ProtocolError,
)
from casfs.fs.attrs import View
from casfs.fs.binding import Binding, load
from casfs.fs.operations import Operations
from casfs.fs.options import Options, escaped, mount_options
from casfs.models import Vault
from casfs.mount import mountpoint, privileges
from casfs.mount.background import Herald, detach
from casfs.mount.captured_stderr import CapturedStderr
from casfs.mount.lifetime import Lifetime, tell_systemd
from casfs.mount.own_mount import OwnMount
from casfs.mount.privacy import keep_private
from casfs.mount.watcher import Watcher
from casfs.outlets import SYSLOG_SOCKET
from casfs.service import Service, service_of
from casfs.stats import Stats
from casfs.tree.existence import find_vault, named
from casfs.tree.permissions import Permission, Permissions
from casfs.tree.tree import Tree, TreeSettings
from casfs.waiting import Deadline

CHECK_S = 5.0
"""How long the check goes on, retries included, beside the time to connect: a page of 1,000 vaults takes well under a
second, and whoever waits at a prompt for a host that is down should not take the command for hung."""
DESCRIPTORS = 65536
"""Open files wanted: two a connection and what libfuse takes; the usual soft limit of 1024 is for select()."""

NO_LOG = f"nobody takes log lines at {SYSLOG_SOCKET}, so that they are lost; --log-file FILE keeps them"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One mount to make.

    Attributes:
        source: as the user wrote it; what ``df`` and ``findmnt`` show.
        path: the directory, absolute and without symbolic links.
        config: everything else that was decided.
        binding: CASFS_FUSE, None where it is not set.
    """

    source: str
    path: Path
    config: Config
    binding: str | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """What a mount is made of."""

    client: Client
    tree: Tree
    operations: Operations


class Foreground:
    """The herald of a mount whose log is what the user looks at."""

    def warn(self, text: str) -> None:
        """Log what the user should know though the mount goes on."""
        _log.warning("%s", text)

    def ready(self) -> None:
        """Tell the service manager, if there is one."""
        tell_systemd()


def mount(request: Request, warn: Callable[[str], None]) -> None:
    """Mount, and return once the mount answers; in the foreground, once it has ended.

    Args:
        request: what to mount where.
        warn: called with what the user should know though the mount was made.

    Raises:
        CasfsError: nothing is mounted; the message is one line that names what to mend.
    """
    if request.config.foreground:
        attend(request, Foreground())
    else:
        keep_private()
        mountpoint.check(request.path, allow_other=request.config.allow_other)
        service = service_of(request.config)  # while there is a terminal to ask for a second factor
        detach(lambda herald: _serve_if_possible(request, service, herald), warn)


def attend(request: Request, herald: Herald) -> None:
    """Be the mount until it has ended; tell *herald* when it answers.

    Raises:
        CasfsError: nothing was mounted.
    """
    keep_private()
    mountpoint.check(request.path, allow_other=request.config.allow_other)
    _serve_if_possible(request, service_of(request.config), herald)


def _serve_if_possible(request: Request, service: Service, herald: Herald) -> None:
    """Be the mount, if the limits of this process leave what it takes; before anything else takes of it."""
    shortage.check(request.config.block_cache_size, request.config.connections)
    with shortage.named():
        _serve(request, service, herald)


def _serve(request: Request, service: Service, herald: Herald) -> None:
    """Be the mount, having said nothing to standard error until it was made: a failure is one line."""
    config = request.config
    if config.log_file and Path(config.log_file).resolve().is_relative_to(request.path):
        raise ConfigError(f"log_file: {config.log_file} is below the mountpoint, and the mount would hide it")
    hide_credentials()
    watcher = Watcher(request.path)
    watcher.start()
    log.setup(config.log_level, config.log_format, config.log_file, foreground=config.foreground)
    errors = CapturedStderr()
    errors.keep()
    try:
        _make(request, service, herald, errors, watcher)
    except CasfsError as error:
        said = errors.drop()
        if said:
            raise MountError("; ".join(filter(None, [f"{error}: {said}", privileges.mending(said)]))) from error
        raise
    finally:
        errors.show()


def _make(request: Request, service: Service, herald: Herald, errors: CapturedStderr, watcher: Watcher) -> None:
    """Make the mount, and let libfuse have this thread until it has ended."""
    config = request.config
    _raise_limits()
    binding = load(request.binding)
    stages = build(config, service, binding)
    try:
        vaults = admitted(stages.client, config, herald)
    except ProtocolError as error:
        raise MountError(f"{service.endpoint_url} does not answer like an archive service: {error}") from error
    if vaults is not None:
        stages.tree.seed(vaults)
    _log.info("%s, %s, credentials from %s", service.endpoint_url, binding.name, service.origin)
    _log.debug("blocks are hashed %d at a time", lanes.width())

    def ready() -> None:
        errors.show()
        if log.is_lost(config.log_file, foreground=config.foreground):
            herald.warn(NO_LOG)
        herald.ready()

    own = OwnMount(request.path, watcher.look_for)
    lifetime = Lifetime(own, watcher, ready, stages.tree.forget)
    lifetime.start()
    try:
        binding.serve(stages.operations, str(request.path), _options(request, binding), own)
    finally:
        lifetime.ended()
    lifetime.check()


def build(config: Config, service: Service, binding: Binding) -> Stages:
    """Return the stages, each given what it needs of the others; nothing is started."""
    stats = Stats()
    settings = ClientSettings(
        endpoint_url=service.endpoint_url,
        account=config.account,
        connect_timeout_s=config.connect_timeout,
        read_timeout_s=config.read_timeout,
        connections=config.connections,
        ca_bundle=service.ca_bundle,
        token_header=config.token_header,
    )
    bounds = DataSettings(
        block_cache_bytes=config.block_cache_size,
        connections=config.connections,
        read_ahead_bytes=config.read_ahead,
        verify=Verify(config.verify),
        read_timeout_s=config.read_timeout,
    )
    client = Client(settings, service.credentials, stats, service.dialect)
    tree = Tree(client, TreeSettings(config.list_ttl, config.root_vault), binding.interrupted)
    outputs = Outputs(client, bounds, stats, binding.interrupted)
    operations = Operations(tree, outputs, stats, _view(config), config.options)
    outputs.on_gone = tree.gone
    outputs.on_wrong = operations.drop_pages
    return Stages(client, tree, operations)


def admitted(client: Client, config: Config, herald: Herald) -> list[Vault] | None:
    """Return the vaults to begin with, having learnt from them that endpoint and credentials are right.

    None where the account may not list them: it may still use one by its name. And where there are too many to wait.

    Raises:
        CasfsError: the service cannot be asked, or refuses who asks, or has no such vault; or the account may ask
            nothing at all about the one that is to be the root.
    """
    deadline = Deadline.after(config.connect_timeout + CHECK_S)
    if config.root_vault is not None:
        return [_one(client, config.root_vault, deadline, herald)]
    try:
        return _listed(client, deadline)
    except CredentialsError:
        raise
    except AccessDeniedError as error:
        herald.warn(f"the vaults may not be listed, but those that may be used can be entered by name: {error}")
        return None


def _one(client: Client, name: str, deadline: Deadline, herald: Herald) -> Vault:
    """Return the vault *name*, and tell what the account may not do with it, as far as that was heard."""
    permissions = Permissions(deadline.clock, CHECK_S)

    def listed() -> Vault | None:
        vaults = _listed(client, deadline)
        return None if vaults is None else named(vaults, name)

    try:
        vault = find_vault(client, permissions, name, listed, deadline)
    except NotFoundError as error:
        raise NotFoundError(f"there is no vault {name!a}: {error}") from error
    if not vault.document:
        herald.warn("the vault may not be described: its directory has no attributes")
    if permissions.is_refused(Permission.LIST_JOBS, name):
        herald.warn("the jobs may not be listed, but those that may be described can be entered by their ids")
    return vault


def _listed(client: Client, deadline: Deadline) -> list[Vault] | None:
    """Return all vaults; None if there are so many, ten a page with some services, that whoever waits should not."""
    vaults = []
    for vault in client.vaults(deadline):
        vaults.append(vault)
        if deadline.remaining_s < CHECK_S / 2:
            return None
    return vaults


def _options(request: Request, binding: Binding) -> Options:
    config = request.config
    options = mount_options(
        request.source,
        _view(config),
        allow_other=config.allow_other,
        libfuse=binding.libfuse,
        remember=config.remember,
    )
    words = [word.partition("=") for word in config.kernel_words]
    return options | {name: escaped(value) if equals else True for name, equals, value in words}


def _view(config: Config) -> View:
    return View(config.uid, config.gid, config.file_mode, config.dir_mode)


def _raise_limits() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
