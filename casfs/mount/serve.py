"""Puts a mount on an account, then hands the process to libfuse: the only place where all meet."""

import logging
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from casfs import shortage
from casfs.account import Service, Stages, find_service
from casfs.config.config import Config
from casfs.config.environment import hide_credentials
from casfs.errors import CasfsError, ConfigError, DeadlineError, MountError, ProtocolError
from casfs.fs.attrs import View
from casfs.fs.binding import Binding, load_binding
from casfs.fs.handles import Handles
from casfs.fs.kernel import Kernel
from casfs.fs.operations import Operations
from casfs.fs.options import Options, escaped, libfuse_options
from casfs.log.level import Level
from casfs.log.lines import is_lost, set_up_log
from casfs.log.outlets import SYSLOG_SOCKET
from casfs.mount import mountpoint, privileges
from casfs.mount.activity import Activity
from casfs.mount.background import Herald, detach
from casfs.mount.captured_stderr import CapturedStderr
from casfs.mount.dead import take_dead_away
from casfs.mount.figures import port_for
from casfs.mount.lifetime import Lifetime
from casfs.mount.operating import Operating
from casfs.mount.own_mount import OwnMount
from casfs.mount.privacy import keep_private
from casfs.mount.proof import Proof
from casfs.mount.reload import Reload
from casfs.mount.watcher import Watcher
from casfs.operate.notify import manager_of
from casfs.waiting import within

DESCRIPTORS = 65536
"""Open files wanted: two a connection and what libfuse takes; the usual soft limit of 1024 is for select()."""

NO_LOG = f"nobody takes log lines at {SYSLOG_SOCKET}, so that they are lost; --log-file FILE keeps them"

_log = logging.getLogger(__name__)

HANG_S = 5.0
"""How long the disk of a path is waited for that is only looked at."""


@dataclass(frozen=True, slots=True)
class MountRequest:
    """One mount to make.

    Attributes:
        source: as the user wrote it; what ``df`` and ``findmnt`` show.
        path: the directory, absolute and without symbolic links.
        config: everything else that was decided.
        binding: CASFS_FUSE, None where it is not set.
        read: decides anew, of the same command line; None where nothing is read anew.
        command: the process that was asked for it.
    """

    source: str
    path: Path
    config: Config
    binding: str | None = None
    read: Callable[[], Config] | None = None
    command: int = field(default_factory=os.getpid)


class Foreground:
    """The herald of a mount whose log is what the user looks at."""

    def warn(self, text: str) -> None:
        """Log what the user should know though the mount goes on."""
        _log.warning("%s", text)

    def ready(self) -> None:
        """Say nothing: it is in the log."""


def mount(request: MountRequest, warn: Callable[[str], None]) -> None:
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
        service = find_service(request.config)  # while there is a terminal to ask for a second factor
        detach(lambda herald: _serve_if_possible(request, service, herald), warn)


def attend(request: MountRequest, herald: Herald) -> None:
    """Be the mount until it has ended; tell *herald* when it answers.

    Raises:
        CasfsError: nothing was mounted.
    """
    keep_private()
    mountpoint.check(request.path, allow_other=request.config.allow_other)
    _serve_if_possible(request, find_service(request.config), herald)


def _serve_if_possible(request: MountRequest, service: Service, herald: Herald) -> None:
    """Be the mount, if the limits of this process leave what it takes; before anything else takes of it."""
    shortage.check(request.config.block_cache_size, request.config.connections)
    with shortage.named():
        _serve(request, service, herald)


def _serve(request: MountRequest, service: Service, herald: Herald) -> None:
    """Be the mount, having said nothing to standard error until it was made: a failure is one line."""
    config = request.config
    _check_outside(request, "log_file", config.log_file)
    _check_outside(request, "cache_dir", config.cache_dir)
    hide_credentials()
    watcher = Watcher(request.path)
    watcher.start()
    set_up_log(config.log_level, config.log_format, config.log_file, foreground=config.foreground)
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


def _check_outside(request: MountRequest, name: str, path: str | None) -> None:
    """Refuse a path that the mount would hide: what reads it there asks the mount itself."""
    if path is not None and _resolved(Path(path)).is_relative_to(request.path):
        raise ConfigError(f"{name}: {path} is below the mountpoint, and the mount would hide it")


def _resolved(path: Path) -> Path:
    """Return where *path* leads, as far as its disk says so in time: one that hangs is not waited for."""
    try:
        return within(HANG_S, path.resolve, str(path))
    except DeadlineError:
        return path.absolute()


def _make(request: MountRequest, service: Service, herald: Herald, errors: CapturedStderr, watcher: Watcher) -> None:
    """Make the mount, and let libfuse have this thread until it has ended."""
    _raise_limits()
    binding = load_binding(request.binding)
    own, handles = OwnMount(request.path, watcher.look_for), Handles()
    kernel = Kernel(str(request.path), own, handles)
    with Stages(request.config, service, interrupted=binding.interrupted, on_wrong=kernel.drop_pages) as stages:
        _admit(stages, herald)
        _log.info("%s, %s, credentials from %s", service.endpoint_url, binding.name, service.origin)
        _make_place(request)
        activity = Activity(stages, handles)
        operations = _operations(stages, handles, kernel, activity)
        operating = _operating(request, stages, own, handles, operations)
        ready = _announcement(request.config, operating, herald, errors)
        port = port_for(request.config.metrics, stages, handles.outputs, activity.expiry)
        lifetime = Lifetime(own, watcher, ready, operating.end, operating.on_signals())
        lifetime.start()
        port.begin()
        try:
            binding.serve(operations, str(request.path), _options(request, binding), own)
        finally:
            port.close()
            lifetime.ended()
        lifetime.check()


def _admit(stages: Stages, herald: Herald) -> None:
    """Ask the service once whether it may be asked."""
    try:
        stages.admit(herald.warn)
    except ProtocolError as error:
        endpoint_url = stages.service.endpoint_url
        raise MountError(f"{endpoint_url} does not answer like an archive service: {error}") from error


def _make_place(request: MountRequest) -> None:
    """Take away what died at the place of this mount, and see whether that can be used: as late as can be."""
    if take_dead_away(request.path):
        _log.warning("%s: took away what was mounted there by a process that has died", request.path)
        mountpoint.check(request.path, allow_other=request.config.allow_other)


def _operating(
    request: MountRequest, stages: Stages, own: OwnMount, handles: Handles, operations: Operations
) -> Operating:
    """Return what is done for the mount while it lives; nothing is started."""
    level, probe = Level(request.config.log_level), stages.outputs.probe
    return Operating(
        manager_of(os.environ, os.getpid(), request.command),
        stages,
        level,
        opened=handles.outputs,
        answered=lambda: operations.answered,
        answers=Proof(own, probe.text, probe.read).is_answered,
        reload=Reload(request.config, request.read, stages, level, operations.retell).run,
    )


def _announcement(config: Config, operating: Operating, herald: Herald, errors: CapturedStderr) -> Callable[[], None]:
    """Return what says that the mount answers."""

    def ready() -> None:
        errors.show()
        if is_lost(config.log_file, foreground=config.foreground):
            herald.warn(NO_LOG)
        operating.begin()
        herald.ready()

    return ready


def _operations(stages: Stages, handles: Handles, kernel: Kernel, activity: Activity) -> Operations:
    """Return what the kernel is answered, out of *stages*; nothing is started."""
    return Operations(
        stages.tree,
        stages.outputs,
        stages.stats,
        _view(stages.config),
        stages.config.options,
        handles=handles,
        kernel_takes=kernel.takes,
        activity=activity.line,
    )


def _options(request: MountRequest, binding: Binding) -> Options:
    config = request.config
    options = libfuse_options(
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
