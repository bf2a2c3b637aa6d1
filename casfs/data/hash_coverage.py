"""Whether hashes come with the parts of an output, as far as it was seen."""


class HashCoverage:
    """What one output's parts were seen to come with, or those of a whole service.

    Parts that end with the output count apart from those within it: what Glacier's documentation calls aligned leaves
    them out. Source: "Checksums when downloading data", whose rule misses the nodes that touch the end.

    Threads: any; what was seen once stays seen.
    """

    __slots__ = ("_end_came", "_end_lacks", "_inner_came", "_inner_lacks")

    def __init__(self) -> None:
        self._inner_came = self._inner_lacks = self._end_came = self._end_lacks = False

    @property
    def has_hashes(self) -> bool:
        """Whether any part came with its hash."""
        return self._inner_came or self._end_came

    def came(self, *, at_end: bool) -> None:
        """Note that a part came with its hash."""
        if at_end:
            self._end_came = True
        else:
            self._inner_came = True

    def lacked(self, *, at_end: bool) -> None:
        """Note that a part had none, as often as it was tried."""
        if at_end:
            self._end_lacks = True
        else:
            self._inner_lacks = True

    def sends(self, *, at_end: bool) -> bool:
        """Say whether such parts came with their hashes."""
        return self._end_came if at_end else self._inner_came

    def lacks(self, *, at_end: bool) -> bool:
        """Say whether such parts had none, and none had one."""
        return not self.sends(at_end=at_end) and (self._end_lacks if at_end else self._inner_lacks)
