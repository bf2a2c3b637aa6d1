"""All looks, in the order in which one leads to the next."""

from collections.abc import Iterator
from dataclasses import replace

from casfs.account import Service, Stages, find_service
from casfs.api.http.proxies import proxy_for
from casfs.config.config import Config
from casfs.doctor import fuse, machine, network, permissions, settings
from casfs.doctor.check import Check, Look, Verdict, fail, looked, ok, warn
from casfs.errors import ConfigError

KEYS_S = 60.0
"""For those who give keys to an instance or a role."""
PERMISSIONS_S = 300.0
"""For four requests to each of fifty vaults."""


def examined(config: Config | ConfigError | None, version: str) -> Iterator[Check]:
    """Look at everything that a mount takes, and yield what was seen as it is seen.

    Args:
        config: of the mount; why there is none; None where nobody says what is to be mounted.
        version: of casfs.
    """
    decided = config if isinstance(config, Config) else None
    for look in (*machine.looks(version), *fuse.looks(decided)):
        yield from looked(look)
    match config:
        case None:
            yield warn("settings", "nobody says where the service is", "name a SOURCE to have it looked at")
        case Config():
            yield from _of_mount(config)
        case _:
            yield fail("settings", str(config))


def _of_mount(config: Config) -> Iterator[Check]:
    for look in settings.looks(config):
        yield from looked(look)
    found: list[Service] = []

    def keys() -> list[Check]:
        found.append(find_service(config))
        return [ok("keys", f"from {found[0].origin}" if found[0].origin else "are there")]

    seen = list(looked(Look("keys", keys, KEYS_S)))
    yield from seen
    if found and seen[-1].verdict is Verdict.OK:
        yield from _of_service(config, found[0])


def _of_service(config: Config, service: Service) -> Iterator[Check]:
    way = list(looked(Look("network", lambda: network.way_to(service.endpoint_url), network.ASK_S)))
    yield from way
    if any(check.verdict is Verdict.FAIL for check in way):
        return
    proxy = proxy_for(service.endpoint_url)
    with Stages(_without_disk(config), service) as stages:
        question = network.Question(stages.client, service.endpoint_url, service.origin, proxy, config.root_vault)
        yield from looked(Look("service", question.checks, config.connect_timeout + 2 * network.ASK_S))
        if question.is_answered:
            names = None if question.vaults is None else [vault.name for vault in question.vaults]
            yield from looked(
                Look(
                    "permissions",
                    lambda: permissions.checks(stages.client, names, config.root_vault),
                    PERMISSIONS_S,
                )
            )


def _without_disk(config: Config) -> Config:
    return replace(config, cache_dir=None, keep_expired=False)
