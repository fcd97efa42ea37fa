"""What leaves this server: letters to people, who reach it where it says, and webhooks, as far as they may go."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from domain.receivers import Network


class Letter(NamedTuple):
    """An e-mail in plain text."""

    to: str
    subject: str
    text: str
    mark: str = ""
    """What tells it from others: one that is sent again has the same. "" for one that is not."""


class Post(Protocol):
    """How that gets out."""

    site: str
    """The address under which others reach this server, without a slash at its end."""
    networks: Sequence[Network]
    """Those that webhooks may be sent to besides the internet."""

    @property
    def sends(self) -> bool:
        """Whether there is a mail server."""

    async def send(self, letter: Letter) -> bool:
        """Hands a letter to the mail server; False where there is none, or where it did not take it."""
