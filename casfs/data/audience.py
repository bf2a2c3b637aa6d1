"""Who has an output open, and who of them may have been served bytes that may yet prove wrong."""


class Seat:
    """One reader's place.

    Attributes:
        keep_pages: whether what the kernel held of the output before may be served to it.
        is_exposed: whether it may have been served bytes that the root of the job had not proved.
        is_deceived: whether such bytes have proved wrong since.
    """

    __slots__ = ("is_deceived", "is_exposed", "keep_pages")

    def __init__(self, *, keep_pages: bool, is_exposed: bool) -> None:
        self.keep_pages = keep_pages
        self.is_exposed = is_exposed
        self.is_deceived = False


class Audience:
    """The readers of one output.

    The kernel serves a page that one program has read to all others and tells nobody: what is served to one counts as
    served to all that have the output open.

    Threads: any; whoever serves bytes, opens or closes holds the lock of the flights.
    """

    __slots__ = ("_are_exposed", "_seats")

    def __init__(self) -> None:
        self._are_exposed = False
        # A tuple that is replaced, not changed, so that others may walk it; an output that nobody has open shares one.
        self._seats: tuple[Seat, ...] = ()

    def __len__(self) -> int:
        """Return how many have the output open."""
        return len(self._seats)

    def open(self, *, keep_pages: bool, is_exposed: bool) -> Seat:
        """Return the seat of one more reader."""
        seat = Seat(keep_pages=keep_pages, is_exposed=is_exposed)
        self._seats += (seat,)
        self._are_exposed = self._are_exposed and is_exposed
        return seat

    def close(self, seat: Seat) -> None:
        """Let a reader go."""
        self._seats = tuple(other for other in self._seats if other is not seat)

    def expose(self) -> None:
        """Note that bytes are being served that may yet prove wrong."""
        if self._are_exposed:
            return
        for seat in self._seats:
            seat.is_exposed = True
        self._are_exposed = True

    def deceive(self) -> None:
        """Note that such bytes have proved wrong."""
        for seat in self._seats:
            seat.is_deceived = seat.is_deceived or seat.is_exposed
