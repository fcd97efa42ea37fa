"""Digests leave: once a minute each process looks whether any is due, and sends those that no other one does.

A digest is taken on in the database before it is sent, and said to be done once the mail server has it. A process that
is killed in between leaves it to the others after some minutes; had the mail server it already, the second one has the
same `Message-ID`, by which programs know it.
"""

import logging
from datetime import UTC, datetime, timedelta

from db import digests
from db.digests import DueDigest
from db.engine.database import Database
from domain.digests import subject_of, text_of
from gateway.mail import Mailer
from gateway.regularly import Regularly
from resolvers.digests import contents_of, reader_of
from resolvers.letters import Letter
from resolvers.operation import Context

EVERY_SECONDS = 60
PATIENCE = timedelta(minutes=10)
"""How long a digest that was taken on is left alone by others; it is tried again then, should it not have left."""

log = logging.getLogger("certgate")


class Digests(Regularly):
    """Those that one process sends."""

    def __init__(self, database: Database, mailer: Mailer) -> None:
        super().__init__("Sending digests", self._send_all, EVERY_SECONDS)
        self._database = database
        self._mailer = mailer

    def start(self) -> None:
        """From now on looks once a minute, where there is a mail server."""
        if self._mailer.sends:
            super().start()

    async def warn(self) -> None:
        """To be called when the server starts: says so where members wait for digests that nobody sends."""
        if not self._mailer.sends and (waiting := await digests.number(self._database)):
            members = f"{waiting} {'member' if waiting == 1 else 'members'}"
            log.warning("Digests by mail are due to %s, and CERTGATE_SMTP_URL is not set; none leaves.", members)

    async def send_due(self, now: datetime) -> int:
        """Sends all that is due and that no other process sends; how many."""
        sent = 0
        while not self.is_stopping() and (due := await digests.due(self._database, now)):
            for each in due:
                if self.is_stopping():
                    return sent
                sent += await self._send(each, now)
        return sent

    async def _send(self, due: DueDigest, now: datetime) -> bool:
        until = now + PATIENCE
        async with self._database.write() as transaction:
            if not await digests.take_on(transaction, due, until):
                return False
        context = Context(self._database, reader_of(due), now)
        contents = await contents_of(context, due.told_until)
        if not contents.is_empty:
            name, site = due.organization.name, self._mailer.site
            text = text_of(name, contents, due.told_until.date(), context.today, site)
            mark = f"digest.{due.digest.user_id}.{due.digest.organization_id}.{due.told_until:%Y%m%dT%H%M%S}"
            if not await self._mailer.send(Letter(due.email, subject_of(name, contents), text, mark)):
                return False
        async with self._database.write() as transaction:
            await digests.done(transaction, due, until, now)
        return not contents.is_empty

    async def _send_all(self) -> None:
        await self.send_due(datetime.now(UTC).replace(microsecond=0))
