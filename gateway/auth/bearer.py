"""OAuth bearer tokens: JWT access tokens of the one configured issuer (RFC 6750, RFC 9068, RFC 9728).

Nothing here is imported or asked of anybody before the first token arrives.
"""

import hashlib
import json
import re
from typing import Any, NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from domain.access import READ_SCOPE, WRITE_SCOPE
from domain.errors import Forbidden, Unauthorized
from gateway.settings import Settings

METADATA_PATH = "/.well-known/oauth-protected-resource"

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}\Z")
_MAX_NAME = 63
_LEEWAY_SECONDS = 30
# RFC 9068 names access tokens `at+jwt`; many issuers say `JWT` or nothing. Other types are not for us.
_TYPES = ("", "jwt", "at+jwt", "application/at+jwt")


class Claims(NamedTuple):
    """What a valid token says: who holds it, as one word, for which organisation, and what it permits."""

    holder: str
    organization: str
    may_write: bool


class BearerTokens:
    """Judges the tokens of one issuer."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oauth_issuer
        self._public_url = settings.public_url
        self._audience = settings.oauth_audience or settings.public_url
        self._algorithms = settings.oauth_algorithms.split()
        self._organization_claim = settings.oauth_organization_claim
        from gateway.auth.jwks import KeySet

        self.keys = KeySet(settings.oauth_issuer, settings.oauth_jwks_url)

    async def read(self, token: str) -> Claims:
        """The claims of a token. Raises `Unauthorized`, `Forbidden` for one without a scope of ours, or `Busy`."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, RecursionError):
            raise Unauthorized("The bearer token is not a signed JWT; send an access token as it was issued.") from None
        algorithm, id = header.get("alg"), header.get("kid")
        if algorithm not in self._algorithms or str(header.get("typ") or "").lower() not in _TYPES or "crit" in header:
            raise Unauthorized("The bearer token is signed in a way that is not accepted here.")
        key = await self.keys.find(id, algorithm) if isinstance(id, str) else None
        if key is None:
            raise Unauthorized("The bearer token is signed with a key that its issuer does not publish.")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The bearer token has expired; ask its issuer for another one.") from None
        except jwt.InvalidAudienceError:
            raise Unauthorized(
                f"The bearer token is for another audience; ask its issuer for one for {self._audience}."
            ) from None
        except (jwt.InvalidTokenError, TypeError, ArithmeticError, RecursionError):
            # The library expects moments to be finite, texts to be texts, and claims not to nest without end.
            raise Unauthorized("The bearer token is not valid; ask its issuer for another one.") from None
        return self._claims(claims)

    def challenge(self, status: int, answer: MutableHeaders, scope: Scope, headers: Headers) -> None:
        """Says on a 401, or a 403 for want of a scope, where a client finds out how to get a token (RFC 9728, 5.1)."""
        where = f'resource_metadata="{self._origin(scope, headers)}{METADATA_PATH}"'
        if status == 401:
            sent = headers.get("authorization", "")[:6].lower() == "bearer"
            error = 'error="invalid_token", ' if sent else ""
            answer.append("WWW-Authenticate", f"Bearer {error}{where}")
        elif answer.get("www-authenticate", "").startswith("Bearer "):
            answer["WWW-Authenticate"] = f"{answer['www-authenticate']}, {where}"

    def _origin(self, scope: Scope, headers: Headers) -> str:
        host = headers.get("host", "")
        # What a client sends as Host must not get out of the quotes.
        here = f"{scope['scheme']}://{host if _HOST.match(host) else 'localhost'}{scope.get('root_path', '')}"
        return self._public_url or here

    def _claims(self, claims: dict[str, Any]) -> Claims:
        scopes = _words(claims.get("scope")) | _words(claims.get("scp"))
        if not scopes & {READ_SCOPE, WRITE_SCOPE}:
            raise Forbidden(f"The bearer token has no scope for this API; ask for {READ_SCOPE}.", scope=READ_SCOPE)
        organization = claims.get(self._organization_claim)
        # Half a character and NUL, which are not printable, must not reach the database.
        if (
            not isinstance(organization, str)
            or not 0 < len(organization) <= _MAX_NAME
            or not organization.isprintable()
        ):
            raise Forbidden(
                f"The bearer token names no organisation in its claim {self._organization_claim!r};"
                " have its issuer put one in."
            )
        # The same client for the same person is the same caller, whichever token it shows.
        who = [self._issuer, claims.get("client_id") or claims.get("azp"), claims.get("sub"), organization]
        holder = "token:" + hashlib.sha256(json.dumps(who, default=str).encode()).hexdigest()[:32]
        return Claims(holder, organization, WRITE_SCOPE in scopes)


def _words(scope: object) -> set[str]:
    # A text of words (RFC 6749), or the list that some issuers send.
    if isinstance(scope, str):
        return set(scope.split())
    return {word for word in scope if isinstance(word, str)} if isinstance(scope, list) else set()


def bearer_routes(settings: Settings) -> list[BaseRoute]:
    """The protected resource's metadata (RFC 9728), where tokens are accepted at all."""
    return [Route(METADATA_PATH, _metadata)] if settings.oauth_issuer else []


async def _metadata(request: Request) -> Response:
    settings: Settings = request.app.state.settings
    here = settings.public_url or str(request.base_url).rstrip("/")
    # A client compares it with the address that it called.
    audience = settings.oauth_audience
    return JSONResponse(
        {
            "resource": audience if audience.startswith(("https://", "http://")) else here,
            "authorization_servers": [settings.oauth_issuer],
            "scopes_supported": [READ_SCOPE, WRITE_SCOPE],
            "bearer_methods_supported": ["header"],
            "resource_name": "certgate",
            "resource_documentation": f"{here}/docs",
        }
    )
