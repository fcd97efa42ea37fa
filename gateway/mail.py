"""How letters leave: this server's address, and the mail server that takes them."""

import asyncio
import logging
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from ipaddress import ip_network
from urllib.parse import unquote, urlsplit

from domain.receivers import Network
from gateway.settings import LOOPBACK, Settings
from resolvers.letters import Letter

SECONDS = 8
"""How long a caller waits for the mail server; less than an operation of GraphQL may take."""

_AT_ONCE = 4

log = logging.getLogger("certgate")


class Mailer:
    """The `Post` of a server that others reach at `site`."""

    def __init__(self, settings: Settings, site: str) -> None:
        self.site = site
        self.networks: Sequence[Network] = [ip_network(name) for name in settings.webhook_networks.split()]
        self._url = settings.smtp_url
        self._sender = settings.smtp_from
        self._free = asyncio.Semaphore(_AT_ONCE)

    @property
    def sends(self) -> bool:
        """Whether there is a mail server."""
        return bool(self._url)

    async def send(self, letter: Letter) -> bool:
        """Hands a letter to the mail server; False where there is none, or where it did not take it in time."""
        if not self._url:
            return False
        try:
            async with asyncio.timeout(SECONDS), self._free:
                await asyncio.to_thread(_deliver, self._url, self._message(letter))
        except (OSError, smtplib.SMTPException) as error:
            # Without the address, and without what the server repeats of it.
            log.warning("The mail server did not take a letter (%s).", type(error).__name__)
            return False
        return True

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = letter.to
        # What comes from a name may not end the header.
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = formatdate(usegmt=True)
        domain = self._sender.rpartition("@")[2]
        message["Message-ID"] = f"<{letter.mark}@{domain}>" if letter.mark else make_msgid(domain=domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message


def _deliver(url: str, message: EmailMessage) -> None:
    """Sends a message, encrypted wherever the server can. Raises `OSError` and `SMTPException`; runs in a thread."""
    parts = urlsplit(url)
    host, context = parts.hostname or "", ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
    with server:
        server.ehlo()
        encrypted = parts.scheme == "smtps" or host in LOOPBACK
        if server.has_extn("starttls"):
            server.starttls(context=context)
            encrypted = True
        if parts.username:
            if not encrypted:
                raise smtplib.SMTPNotSupportedError("it has no STARTTLS, and a password is not sent in the clear")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)
