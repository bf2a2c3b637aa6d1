"""Fault plans as text: TOML with ``[[fault]]`` tables, or the same as JSON.

::

    [[fault]]
    kind = "cut"
    operation = "get_job_output"
    at = 3145728
    times = "forever"
"""

import json
import tomllib
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from casfs.emulator.faults import Fault, Kind
from casfs.errors import ConfigError

FOREVER = "forever"


def parse(text: str, where: str = "faults") -> list[Fault]:
    """Return the faults of a plan, in its order.

    Args:
        text: the plan.
        where: it was found, for complaints.

    Raises:
        ConfigError: it is neither TOML nor JSON, or a fault has an unknown key or an impossible value.
    """
    try:
        return _faults(text)
    except _PlanError as error:
        raise ConfigError(f"{where}: {error}") from error


class _PlanError(ValueError):
    """What is wrong with a plan."""


def _faults(text: str) -> list[Fault]:
    plan = _plan(text)
    tables = plan.get("fault") if isinstance(plan, dict) and plan.keys() == {"fault"} else plan
    if not isinstance(tables, list):
        raise _PlanError("a plan is a list of [[fault]] tables and nothing else")
    return [_fault(number, table) for number, table in enumerate(tables, 1)]


def _plan(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _PlanError(f"neither TOML nor JSON: {error}") from error


def _fault(number: int, table: object) -> Fault:
    if not isinstance(table, dict) or "kind" not in table:
        raise _PlanError(f"number {number} has no kind")
    values = {name.replace("-", "_"): value for name, value in table.items()}
    unknown = values.keys() - {field.name for field in fields(Fault)}
    if unknown:
        raise _PlanError(f"number {number} has an unknown key: {', '.join(sorted(unknown))}")
    if values.get("times") == FOREVER:
        values["times"] = None
    return Fault(**{name: _checked(number, name, value) for name, value in values.items()})


def _checked(number: int, name: str, value: object) -> Any:
    """Return *value* as the field of that name wants it.

    Raises:
        _PlanError: it is of another type, or no kind.
    """
    wanted = get_type_hints(Fault)[name]
    if wanted is Kind:
        if not isinstance(value, str) or value not in list(Kind):
            raise _PlanError(f"number {number}: kind is one of {', '.join(Kind)}")
        return Kind(value)
    types = get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
    if isinstance(value, int) and float in types:
        value = float(value)
    if not isinstance(value, types) or isinstance(value, bool) != (bool in types):
        known = [kind.__name__ for kind in types if kind is not NoneType] + [FOREVER] * (name == "times")
        raise _PlanError(f"number {number}: {name} is no {' or '.join(known)}: {value!r}")
    return value
