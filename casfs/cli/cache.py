"""``casfs cache``: what the cache on disk holds, whether it is sound, and less of it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from casfs.cache.folder import CacheFolder, Entry, Inspection
from casfs.cli.options import checked, json_option, named_options
from casfs.cli.progress import Progress
from casfs.cli.results import Row, duration, size, write
from casfs.cli.statuses import warn
from casfs.config.cache import NAMES, CacheSettings, read_cache_settings
from casfs.config.values import size_bytes
from casfs.errors import CasfsError
from casfs.iso_time import iso_utc

Command = Callable[..., Any]

CONTENT = ("content", ">size", ">held", "checked", "expires", "seen last at")


@click.group()
def cache() -> None:
    """Look after a cache on disk: what is in it, whether it is sound, less of it.

    Mounts and programs may use it meanwhile.
    """


def of_cache(command: Command) -> Command:
    """Give *command* the options that say which cache is meant, and how results are written."""
    return named_options(NAMES)(json_option(command))


@cache.command()
@of_cache
def ls(as_json: bool, **given: str | None) -> None:  # noqa: FBT001 - click's arguments
    """Show every content: size, share held, checked, expiry, where it was seen last."""
    now_s = time.time()
    write((_row(entry, now_s) for entry in _opened(given)[1].entries()), CONTENT, as_json=as_json)


@cache.command()
@of_cache
def verify(as_json: bool, **given: str | None) -> None:  # noqa: FBT001 - as above
    """Read all of it again, and drop what is rotten.

    Ends with status 1 where something was.
    """
    _, folder = _opened(given)
    total, unsound = 0, list[Inspection]()
    used, inspections = folder.used_bytes(), folder.inspect()
    with Progress("verifying", used) as progress:

        def inspected() -> Iterator[Row]:
            nonlocal total
            for found in inspections:
                total += 1
                progress.advance(found.right << 20)
                if not found.is_sound:
                    unsound.append(found)
                yield Row(_fields_of(found), (found.digest, _verdict(found)), (found.digest[:16], _verdict(found)))

        write(inspected(), ("content", "verdict"), as_json=as_json)
    if unsound:
        dropped = sum(found.dropped for found in unsound)
        raise CasfsError(
            f"{folder.path}: {len(unsound)} of {total} contents were not sound; {dropped} blocks were dropped"
        )


@cache.command()
@of_cache
@click.option("--to", metavar="SIZE", help="How much may stay.  [--cache-size]")
def prune(as_json: bool, to: str | None, **given: str | None) -> None:  # noqa: FBT001 - as above
    """Make room: what was used longest ago goes first, and what is in use last."""
    settings, folder = _opened(given)
    target = settings.capacity_bytes if to is None else _size(to)
    before = folder.used_bytes()
    left = folder.shrink(target)
    freed = max(0, before - left)
    write([_freed(freed, left)], (">freed", ">left"), as_json=as_json)
    if left > target:
        raise CasfsError(f"{folder.path}: {size(left)} are left, not {size(target)}: the rest was in use just now")


@cache.command()
@of_cache
def clear(as_json: bool, **given: str | None) -> None:  # noqa: FBT001 - as above
    """Empty it; what is read just now is fetched again."""
    _, folder = _opened(given)
    before = folder.used_bytes()
    busy = [digest for digest, is_gone in folder.clear() if not is_gone]
    left = folder.used_bytes()
    write([_freed(max(0, before - left), left)], (">freed", ">left"), as_json=as_json)
    if busy:
        raise CasfsError(f"{folder.path}: {len(busy)} contents stay, since they are being written to")


def _opened(given: dict[str, str | None]) -> tuple[CacheSettings, CacheFolder]:
    texts = {name: text for name, text in given.items() if text is not None}
    for name, text in texts.items():
        checked(name, text)
    settings = read_cache_settings(texts)
    for text in settings.warnings:
        warn(text)
    return settings, CacheFolder.open(settings.path)


def _size(text: str) -> int:
    try:
        return size_bytes(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!a} {error}", param_hint="--to") from None


def _row(entry: Entry, now_s: float) -> Row:
    fields = _described(entry)
    place = "/".join(str(fields[name]) for name in ("endpoint", "account", "vault", "job") if fields[name]) or "-"
    held = f"{100 * entry.held // max(1, entry.blocks)}%"
    checked = _checked(entry)
    plain = (entry.digest, str(entry.size), held, checked, str(fields["expires"] or "-"), place)
    return Row(fields, plain, (entry.digest[:16], size(entry.size), held, checked, _expiry(entry, now_s), place))


def _described(entry: Entry) -> dict[str, object]:
    label = entry.label
    return {
        "content": entry.digest,
        "tree_hash": entry.tree_hash,
        "size": entry.size,
        "disk_bytes": entry.disk_bytes,
        "blocks": entry.blocks,
        "held": entry.held,
        "checked": entry.proven,
        "expires": iso_utc(label.expires_ns) if label and label.expires_ns is not None else None,
        "endpoint": label.endpoint if label else None,
        "account": label.account if label else None,
        "vault": label.vault if label else None,
        "job": label.job if label else None,
        "seen": iso_utc(label.seen_ns) if label else None,
    }


def _checked(entry: Entry) -> str:
    if entry.proven == entry.blocks:
        return "whole"
    return f"{entry.proven}/{entry.blocks}" if entry.proven else "none"


def _expiry(entry: Entry, now_s: float) -> str:
    if entry.label is None or entry.label.expires_ns is None:
        return "-"
    left_s = entry.label.expires_ns / 1e9 - now_s
    return f"in {duration(left_s)}" if left_s > 0 else f"{duration(-left_s)} ago"


def _verdict(found: Inspection) -> str:
    if found.identity is None:
        return "no content: taken away"
    lost = [f"{count} {what}" for count, what in ((found.dropped, "dropped"), (found.busy, "rotten and busy")) if count]
    return ", ".join([f"{found.right} right", *lost])


def _fields_of(found: Inspection) -> dict[str, object]:
    return {
        "content": found.digest,
        "tree_hash": found.identity.tree_hash if found.identity else None,
        "size": found.identity.size if found.identity else None,
        "right": found.right,
        "dropped": found.dropped,
        "busy": found.busy,
        "ok": found.is_sound,
    }


def _freed(freed: int, left: int) -> Row:
    return Row({"freed": freed, "left": left}, (str(freed), str(left)), (size(freed), size(left)))
