"""The least that is logged: as it was decided, or all of it for a while."""

import logging


class Level:
    """The level of the log of this process.

    Args:
        decided: ``debug``, ``info``, ``warning`` or ``error``.

    Threads: any.
    """

    def __init__(self, decided: str) -> None:
        self._decided = decided
        self._is_debug = False

    def decide(self, level: str) -> None:
        """Log from *level* on, unless everything is logged for a while."""
        self._decided = level
        self._set()

    def turn(self) -> str:
        """Log everything, or no longer; return the level that holds now."""
        self._is_debug = not self._is_debug
        return self._set()

    def _set(self) -> str:
        level = "debug" if self._is_debug else self._decided
        logging.getLogger().setLevel(level.upper())
        return level
