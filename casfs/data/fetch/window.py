"""Who wants parts ahead of a reader: the token by which they are asked for, kept and let go."""

from dataclasses import dataclass

from casfs.data.content import Content


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What one sequence of reads has ahead of it; each is one of its own, though two be of the same output.

    Attributes:
        content: whose blocks.
    """

    content: Content
