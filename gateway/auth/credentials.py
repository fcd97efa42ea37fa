"""Who asks: from an API key, a bearer token or a session cookie to a `Caller`."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s

from starlette.datastructures import Headers
from starlette.types import Scope

from db import organizations
from db.engine.database import Database
from db.keys import Credential, find_key, find_session
from domain.access import Caller
from domain.api_keys import digest, is_well_formed
from domain.errors import Forbidden, Unauthorized
from domain.records import Organization
from domain.vocabulary import Role
from gateway.auth.bearer import BearerTokens
from gateway.auth.last_used import LastUsed
from gateway.cache import DatabaseCache

SESSION_COOKIE = "sessionid"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_MAX_CACHED = 10_000
_bearer = re.compile(r"bearer +(\S+) *\Z", re.IGNORECASE)


@dataclass(eq=False, repr=False)
class Credentials:
    """Looks credentials up, and remembers them until anything about them may have changed, in whichever process.

    A session that was not used for `idle` has ended. Without `tokens`, no bearer token is accepted.
    Pages of `origins` may use the session's cookie as our own may.
    """

    database: Database
    tokens: BearerTokens | None = None
    idle: timedelta = timedelta(hours=1)
    public_url: str = ""
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.last_used = LastUsed(self.database)
        # By the mark of a key, by the digest of a session's secret.
        self._found: DatabaseCache[bytes | str, Credential] = DatabaseCache(self.database, _MAX_CACHED)
        self._organizations: DatabaseCache[str, Organization] = DatabaseCache(self.database, _MAX_CACHED)

    async def of_request(self, scope: Scope, headers: Headers, now: datetime) -> Caller:
        """The caller of a request. What was sent on purpose comes before what a browser adds by itself.

        Raises `Unauthorized`, or `Forbidden` for a browser that another site made ask, or a token without scope.
        """
        key = headers.get("x-api-key")
        if key is not None:
            return await self.of_key(key, now)
        # Another scheme is somebody else's, a proxy's say.
        authorization = headers.get("authorization", "")
        if authorization[:6].lower() == "bearer":
            return await self.of_token(authorization)
        cookie = session_cookie(headers)
        if cookie is None:
            raise Unauthorized("Send an API key in the X-API-Key header, or sign in.")
        if scope["method"] not in SAFE_METHODS and headers.get("origin") not in self.origins:
            refuse_cross_site(scope["method"], headers, self.public_url)
        return await self.of_session(cookie, now)

    def at_hand(self, mark: bytes, now: datetime) -> Caller | None:
        """The caller whose API key has this mark, if it is remembered and valid; None leaves it to `of_request`."""
        credential = self._found.get(mark) if mark else None
        if credential is None or (credential.expires_at is not None and credential.expires_at <= now):
            return None
        return self._used(credential.caller, now)

    async def of_key(self, key: str, now: datetime) -> Caller:
        """The caller behind an API key. Raises `Unauthorized`."""
        mark = mark_of(key.encode())
        credential = self._found.get(mark)
        if credential is None:
            if not is_well_formed(key):
                raise Unauthorized(
                    "The X-API-Key header holds no certgate key; copy the whole key, csb_... to its checksum."
                )
            credential = await self._found.read(mark, find_key(self.database, digest(key)))
        if credential is None:
            raise Unauthorized("This API key is unknown or was revoked; create another one.")
        return self._used(_unexpired(credential, now, "This API key has expired; create another one."), now)

    async def of_session(self, cookie: str, now: datetime) -> Caller:
        """The caller behind a session cookie. Raises `Unauthorized`."""
        secret = digest(cookie)
        credential = self._found.get(secret)
        # Another process may know of a later use than the one remembered here.
        if credential is None or self._is_idle(secret, credential, now):
            credential = await self._found.read(secret, find_session(self.database, secret))
        if credential is None:
            raise Unauthorized("This session has ended; sign in again.")
        caller = _unexpired(credential, now, "This session has expired; sign in again.")
        if self._is_idle(secret, credential, now):
            raise Unauthorized("This session was not used for too long; sign in again.")
        self.last_used.session(secret, now)
        return self._used(caller, now)

    async def of_token(self, authorization: str) -> Caller:
        """The caller behind an `Authorization: Bearer` header. Raises `Unauthorized`, `Forbidden` or `Busy`."""
        sent = _bearer.match(authorization)
        if self.tokens is None or sent is None:
            raise Unauthorized("No bearer token is accepted here as it was sent; send an API key in X-API-Key.")
        claims = await self.tokens.read(sent[1])
        organization = await self._organization(claims.organization)
        if organization is None:
            raise Forbidden("The organisation that the bearer token names is not known here; ask the operator.")
        role = Role.EDITOR if claims.may_write else Role.READONLY
        return Caller(None, None, role, organization, holder=claims.holder)

    async def _organization(self, name: str) -> Organization | None:
        """The organisation of that slug, or else of that id."""
        known = self._organizations.get(name)
        found = known or await self._organizations.read(name, organizations.find_by_slug(self.database, name))
        return found or await self._organizations.read(name, organizations.find(self.database, name))

    def _is_idle(self, secret: str, credential: Credential, now: datetime) -> bool:
        used = credential.used_at
        return used is not None and self.last_used.of_session(secret, used) + self.idle <= now

    def _used(self, caller: Caller, now: datetime) -> Caller:
        if caller.key_id is not None:
            self.last_used.key(caller.key_id, now)
        return caller


def mark_of(key: bytes) -> bytes:
    """What a key is remembered by instead of itself; found in half the time of the digest that is stored."""
    return blake2s(key).digest()


def _unexpired(credential: Credential, now: datetime, otherwise: str) -> Caller:
    if credential.expires_at is not None and credential.expires_at <= now:
        raise Unauthorized(otherwise)
    return credential.caller


def session_cookie(headers: Headers) -> str | None:
    """The secret in the session cookie, None without one.

    Of several the first counts: browsers put that of the longest path first (RFC 6265 section 5.4), and below a path
    ours is that one, while another application may have one of the same name for the whole host.
    """
    for pair in headers.get("cookie", "").split(";"):
        name, _, value = pair.partition("=")
        if name.strip() == SESSION_COOKIE:
            return value.strip().strip('"')
    return None


def refuse_cross_site(method: str, headers: Headers, public_url: str) -> None:
    """Raises `Forbidden` for a request that another site made a browser send, or that may be one.

    A browser attaches the cookie to whatever another site makes it send, but it also says where that came from.
    """
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    # Behind a proxy the server may be called by another name than the browser knows it by.
    ours = {headers.get("host", ""), public_url.partition("://")[2].partition("/")[0]} - {""}
    foreign = origin is not None and origin.partition("://")[2] not in ours
    # An old browser says neither, but what it lets another site's form send is a POST and never JSON.
    silent = site is None and origin is None and method == "POST" and not _is_json(headers.get("content-type", ""))
    if site not in (None, "same-origin", "none") or foreign or silent:
        raise Forbidden(
            "A signed-in browser may change data from this site's own pages only; use an API key elsewhere."
        )


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
