"""What SIGHUP has done: credentials and what can change of the configuration are read anew, listings are forgotten."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from casfs.account import Stages, find_service
from casfs.config.config import Config
from casfs.errors import CasfsError
from casfs.log.level import Level

log = logging.getLogger(__name__)

CHANGEABLE = frozenset({"log_level", "list_ttl"})
"""What can change while a mount lives. All else is what connections, memory and kernel were given once."""
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
        self._stages.become(find_service(config))
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
        for name in ("token_header", "ca_bundle"):
            if getattr(config.access, name) != getattr(self._config.access, name):
                yield name

    def _follow(self, config: Config) -> None:
        values = {name: getattr(config, name) for name in sorted(CHANGEABLE)}
        options = json.dumps(json.loads(self._config.options) | values)
        self._config = replace(self._config, options=options, **values)
        self._level.decide(config.log_level)
        self._retell(options)
