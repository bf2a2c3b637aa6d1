"""What was decided for the mount, and what the machine has to give for that."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from casfs import shortage
from casfs.config.config import Config
from casfs.config.memory import memory_bytes
from casfs.data.disk.store import Store
from casfs.doctor.check import Check, Look, fail, ok, warn
from casfs.log.lines import is_lost
from casfs.log.outlets import SYSLOG_SOCKET
from casfs.mount.figures import check_port


def looks(config: Config) -> tuple[Look, ...]:
    """Return what is to be looked at."""
    return (
        Look("settings", lambda: _settings(config)),
        Look("memory", lambda: _memory(config)),
        Look("cache directory", lambda: _cache(config)),
        Look("log", lambda: _log(config)),
        Look("metrics", lambda: _metrics(config)),
    )


def _settings(config: Config) -> Iterator[Check]:
    yield ok("settings", "can be used; casfs config show tells where each comes from")
    for text in config.warnings:
        yield warn("settings", text)


def _memory(config: Config) -> Iterator[Check]:
    shortage.check(config.block_cache_size, config.connections)
    found, wanted = memory_bytes(), config.block_cache_size
    said = f"{wanted >> 20} MiB for blocks" + ("" if found is None else f", of {found >> 20} MiB")
    if found is not None and wanted > found // 2:
        yield warn("memory", said, "lower --block-cache-size to a quarter of the memory")
    else:
        yield ok("memory", said)


def _cache(config: Config) -> Iterator[Check]:
    name = "cache directory"
    if config.cache_dir is None:
        yield ok(name, "none is asked for")
        return
    path = Path(config.cache_dir)
    missing = _cannot_be_made(path)
    if missing:
        yield fail(name, missing[0], missing[1])
        return
    if path.is_dir() and any(path.iterdir()):
        Store.open(path, config.cache_size)
    free = shutil.disk_usage(_existing(path)).free
    said = f"{path}, up to {config.cache_size >> 20} MiB; {free >> 20} MiB are free"
    held = sum(file.stat().st_blocks for file in path.rglob("*")) * 512 if path.is_dir() else 0
    if free + held < config.cache_size:
        yield warn(name, said, "lower --cache-size, or make room: what does not fit is not kept")
    else:
        yield ok(name, said)


def _cannot_be_made(path: Path) -> tuple[str, str] | None:
    """Return why nothing can be written at *path*, and what mends it; None where something can."""
    there = _existing(path)
    if not there.is_dir():
        return f"{there} is no directory", "name another folder with --cache-dir"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} cannot be written", f"as root, run: install -d -o {os.geteuid()} -m 700 {path}"
    return None


def _existing(path: Path) -> Path:
    """Return *path*, or the nearest folder above it that is there."""
    return next(each for each in (path, *path.parents) if each.exists())


def _log(config: Config) -> Iterator[Check]:
    if is_lost(config.log_file, foreground=config.foreground):
        yield warn("log", f"nobody takes log lines at {SYSLOG_SOCKET}", "name a file with --log-file")
        return
    if config.log_file is not None:
        path = Path(config.log_file)
        is_writable = os.access(path, os.W_OK) if path.exists() else os.access(path.parent, os.W_OK | os.X_OK)
        if path.is_dir() or not is_writable:
            yield fail("log", f"{path} cannot be written", "make its folder, or name another file with --log-file")
            return
    yield ok("log", config.log_file or "the system log, or standard error")


def _metrics(config: Config) -> Iterator[Check]:
    if config.metrics is None:
        yield ok("metrics", "none are asked for")
        return
    check_port(config.metrics)
    yield ok("metrics", f"{config.metrics} can be had")
