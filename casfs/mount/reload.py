"""What SIGHUP has done: credentials and what can change of the configuration are read anew, listings are forgotten."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from casfs.account import Stages, find_service
from casfs.config.config import Config
from casfs.errors import CasfsError
from casfs.log.level import Level
from casfs.operate.signals import Errand

log = logging.getLogger(__name__)

CHANGEABLE = frozenset({"ca_bundle", "cache_size", "list_ttl", "log_level"})
"""What can change while a mount lives. All else is what connections, memory and kernel were given once, or what open
files were promised."""
APART = frozenset({"access", "options", "warnings"})
"""What is no value of an option: where and who is looked at by itself, the others follow from the rest."""


class Reload:
    """Reads the configuration of a mount anew.

    Args:
        config: as it was decided for the mount.
        read: decides anew, of the same command line; None where there is nothing to read.
        stages: what the mount stands on.
        level: of the log.
        retell: called with the options of the mount, as one line of JSON, when they have changed.

    Threads: one at a time.
    """

    def __init__(
        self,
        config: Config,
        read: Callable[[], Config] | None,
        stages: Stages,
        level: Level,
        retell: Callable[[str], None],
    ) -> None:
        self._config = config
        self._read = read
        self._stages = stages
        self._level = level
        self._retell = retell
        self._resizing = Errand("cache size", self._resize)

    def run(self) -> None:
        """Read it, and keep what was where that fails; what was listed is forgotten in any case.

        The log file needs nothing: the next line goes to whatever has its name.
        """
        try:
            if self._read is not None:
                self._take(self._read())
        except CasfsError as error:
            log.warning("after SIGHUP, configuration and credentials stay as they were: %s", error)
        self._stages.tree.forget(self._config.list_ttl)
        log.info("forgot what was listed, after SIGHUP")

    def _take(self, config: Config) -> None:
        if self._is_another_service(config):
            log.warning("the configuration names another service or account now: only a new mount will be of that one")
            return
        service = find_service(config)
        self._stages.client.trust_anew(service.ca_bundle)
        self._stages.become(service)
        log.info("credentials from %s", self._stages.service.origin)
        for text in config.warnings:
            log.warning("%s", text)
        changed = list(self._changed(config))
        if changed:
            log.warning("changed in the configuration, which only a new mount follows: %s", ", ".join(changed))
        self._follow(config)

    def _is_another_service(self, config: Config) -> bool:
        def place(config: Config) -> tuple[object, ...]:
            access = config.access
            return config.provider, config.account, config.root_vault, access.endpoint_url, access.region, access.name

        return place(config) != place(self._config)

    def _changed(self, config: Config) -> Iterator[str]:
        """Yield the names of the options that have another value, and cannot."""
        for field in fields(Config):
            if field.name not in CHANGEABLE | APART and getattr(config, field.name) != getattr(
                self._config, field.name
            ):
                yield field.name
        if config.access.token_header != self._config.access.token_header:
            yield "token_header"

    def _follow(self, config: Config) -> None:
        read = json.loads(config.options)
        options = json.dumps(json.loads(self._config.options) | {name: read[name] for name in sorted(CHANGEABLE)})
        values = {field.name: getattr(config, field.name) for field in fields(Config) if field.name in CHANGEABLE}
        is_resized = config.cache_size != self._config.cache_size
        self._config = replace(self._config, options=options, **values)
        self._level.decide(config.log_level)
        if is_resized:
            self._resizing.run()  # aside: the disk may hang, and the service manager waits for the end of this
        self._retell(options)

    def _resize(self) -> None:
        disk, capacity_bytes = self._stages.disk, self._config.cache_size
        if disk is not None:
            disk.store.resize(capacity_bytes)
            log.info("the cache on disk has %d bytes from now on", capacity_bytes)
