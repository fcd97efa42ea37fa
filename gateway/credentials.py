"""Who asks: from an API key or a session cookie to a `Caller`."""

from datetime import datetime

from db.database import Database
from db.keys import Credential, find_key, find_session
from domain.access import Caller
from domain.api_keys import digest, is_well_formed
from domain.errors import Unauthorized

_MAX_CACHED = 10_000


class Credentials:
    """Looks credentials up, and remembers them until anything about keys may have changed, in whichever process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: dict[str, Credential] = {}
        self._epoch: object = None

    async def of_key(self, key: str, now: datetime) -> Caller:
        """The caller behind an API key. Raises `Unauthorized`."""
        if not is_well_formed(key):
            raise Unauthorized(
                "The X-API-Key header holds no certgate key; copy the whole key, csb_... to its checksum."
            )
        secret = digest(key)
        credential = self._remembered(secret)
        if credential is None:
            epoch = self._epoch
            credential = self._remember(secret, await find_key(self._database, secret), epoch)
        if credential is None:
            raise Unauthorized("This API key is unknown or was revoked; create another one.")
        return _unexpired(credential, now, "This API key has expired; create another one.")

    async def of_session(self, cookie: str, now: datetime) -> Caller:
        """The caller behind a session cookie. Raises `Unauthorized`."""
        secret = digest(cookie)
        credential = self._remembered(secret)
        if credential is None:
            epoch = self._epoch
            credential = self._remember(secret, await find_session(self._database, secret), epoch)
        if credential is None:
            raise Unauthorized("This session has ended; sign in again.")
        return _unexpired(credential, now, "This session has expired; sign in again.")

    def _remembered(self, secret: str) -> Credential | None:
        epoch = self._database.epoch()
        if epoch != self._epoch:
            self._found.clear()
            self._epoch = epoch
        return self._found.get(secret)

    def _remember(self, secret: str, credential: Credential | None, epoch: object) -> Credential | None:
        # What was read before a change was announced is not kept; unknown secrets never are.
        if credential is not None and epoch == self._epoch:
            if len(self._found) >= _MAX_CACHED:
                self._found.clear()
            self._found[secret] = credential
        return credential


def _unexpired(credential: Credential, now: datetime, otherwise: str) -> Caller:
    if credential.expires_at is not None and credential.expires_at <= now:
        raise Unauthorized(otherwise)
    return credential.caller
