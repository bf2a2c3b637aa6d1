"""Settings of the stages where nobody decided anything: all defaults are in the option table."""

from typing import Any

from casfs.api.client import ClientSettings
from casfs.config.options import BY_NAME
from casfs.tree.tree import TreeSettings


def default(name: str) -> Any:
    """Return the value that the option *name* has where nobody gives one."""
    option = BY_NAME[name]
    return None if option.default is None else option.kind.read(option.default)


def client_settings(**decided: Any) -> ClientSettings:
    """Return those of a client."""
    defaults = {
        "account": default("account"),
        "connect_timeout_s": default("connect_timeout"),
        "read_timeout_s": default("read_timeout"),
        "connections": default("connections"),
    }
    return ClientSettings(**(defaults | decided))


def tree_settings(**decided: Any) -> TreeSettings:
    """Return those of a tree of all vaults."""
    defaults = {"list_ttl_s": default("list_ttl"), "root_vault": None}
    return TreeSettings(**(defaults | decided))
