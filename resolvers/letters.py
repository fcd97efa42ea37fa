"""What is told to people outside: where they reach this server, and letters that lead them there."""

from typing import NamedTuple, Protocol


class Letter(NamedTuple):
    """An e-mail in plain text."""

    to: str
    subject: str
    text: str
    mark: str = ""
    """What tells it from others: one that is sent again has the same. "" for one that is not."""


class Post(Protocol):
    """How letters get to people."""

    site: str
    """The address under which others reach this server, without a slash at its end."""

    async def send(self, letter: Letter) -> bool:
        """Hands a letter to the mail server; False where there is none, or where it did not take it."""
