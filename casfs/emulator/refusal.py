"""An answer of the service that is an error, by the code that its documents give it."""


class Refusal(Exception):  # noqa: N818 - the service refuses; nothing went wrong
    """The service refuses a request.

    Attributes:
        code: one of the documented codes, e.g. ``ResourceNotFoundException``; the dialect knows its HTTP status.
        message: for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
