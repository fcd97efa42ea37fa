"""Signing in with OpenID Connect: authorization code with PKCE (RFC 7636) at the one configured provider.

Authlib makes the requests and PyJWT judges the ID token; nothing of either is imported before somebody signs in.
"""

import asyncio
import logging
from collections.abc import Mapping
from hmac import compare_digest
from secrets import token_urlsafe
from time import monotonic
from typing import Any, NamedTuple

from domain.email_address import is_email
from domain.errors import Busy
from domain.vocabulary import Role
from gateway.settings import Settings

MAX_AGE_SECONDS = 3600
RETRY_SECONDS = 10
"""How long the provider is left alone after it could not be reached."""

CALLBACK_PATH = "/openid-callback"

_LEEWAY_SECONDS = 30

log = logging.getLogger("certgate")


class Attempt(NamedTuple):
    """What only the browser that began to sign in knows: it keeps it in a cookie until it comes back."""

    state: str
    nonce: str
    verifier: str

    def sealed(self) -> str:
        """The cookie's value."""
        return ".".join(self)

    @classmethod
    def read(cls, cookie: str) -> "Attempt | None":
        """The attempt in a cookie, None where there is none."""
        parts = cookie.split(".")
        return cls(*parts) if len(parts) == 3 and all(parts) and cookie.isascii() else None


class Identity(NamedTuple):
    """Who has signed in at the provider: a verified address in lower case, and the organisation's name or ""."""

    email: str
    organization: str


class SignInRefused(Exception):
    """Why the provider's answer signs nobody in, in one sentence; `status` is that of the page that shows it."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


_AGAIN = "The sign-in service answered with what cannot be used, or was used before; start again."


class OpenIdProvider:
    """The provider of the settings, at which people sign in."""

    def __init__(self, settings: Settings) -> None:
        from gateway.auth.jwks import KeySet

        self.name = settings.oidc_name
        self.role: Role = Role(settings.oidc_role)
        """What they may do who are in an organisation only because the provider says so."""
        self._issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret
        self._scopes = settings.oidc_scopes
        self._algorithms = settings.oauth_algorithms.split()
        self._organization_claim = settings.oidc_organization_claim
        self._callback = settings.public_url + CALLBACK_PATH
        self._keys = KeySet(settings.oidc_issuer, "")
        self._fetching = asyncio.Lock()
        self._metadata: dict[str, Any] = {}
        self._fetched_at = self._failed_at = float("-inf")

    async def begin(self) -> tuple[str, Attempt]:
        """Where to send a browser that wants to sign in, and what it has to keep. Raises `Busy`."""
        metadata = await self._discover()
        attempt = Attempt(token_urlsafe(24), token_urlsafe(24), token_urlsafe(48))
        async with self._client(metadata) as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        return url, attempt

    async def finish(self, attempt: Attempt | None, answer: Mapping[str, str]) -> Identity:
        """Who came back with that answer in the address. Raises `SignInRefused`, or `Busy`."""
        if attempt is None or not compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SignInRefused("This sign-in was not begun in this browser, or took too long; start again.")
        # Another provider's answer (RFC 9207).
        if answer.get("iss", self._issuer) != self._issuer:
            raise SignInRefused(_AGAIN)
        if "error" in answer:
            log.info("The OpenID provider refused to sign somebody in: %.100r.", answer["error"])
            raise SignInRefused("The sign-in service did not sign you in; start again, or sign in another way.", 403)
        if not answer.get("code"):
            raise SignInRefused(_AGAIN)
        return self._identity(await self._claims_for(answer["code"], attempt))

    async def _claims_for(self, code: str, attempt: Attempt) -> dict[str, Any]:
        """What the provider says of the person, in the ID token or else where it tells more."""
        import httpx2
        from authlib.integrations.base_client import OAuthError

        metadata = await self._discover()
        try:
            async with self._client(metadata) as client:
                token = await client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=attempt.verifier)
                claims = await self.judge(str(token.get("id_token", "")), attempt.nonce)
                if "email" in claims or "userinfo_endpoint" not in metadata:
                    return claims
                told = (await client.get(metadata["userinfo_endpoint"])).raise_for_status().json()
        except OAuthError as error:
            log.warning("The OpenID provider refused a code (%s).", error)
            raise SignInRefused(_AGAIN) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise self._out_of_reach(error) from None
        if not isinstance(told, dict) or told.get("sub") != claims["sub"]:
            raise SignInRefused(_AGAIN)
        return {**told, **claims}

    async def judge(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core, 3.1.3.7). Raises `SignInRefused`, or `Busy`."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            algorithm, id = str(header.get("alg")), str(header.get("kid"))
            known = algorithm in self._algorithms and "crit" not in header
            key = await self._keys.find(id, algorithm) if known else None
            if key is None:
                raise SignInRefused(_AGAIN)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._client_id,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.InvalidTokenError, TypeError, ArithmeticError, RecursionError) as error:
            log.warning("The OpenID provider sent an ID token that is not valid (%s).", error)
            raise SignInRefused(_AGAIN) from None
        if claims.get("nonce") != nonce or claims.get("azp", self._client_id) != self._client_id:
            raise SignInRefused(_AGAIN)
        return claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        email, verified = claims.get("email"), claims.get("email_verified")
        # Some say it as a text.
        if not (verified is True or verified == "true") or not isinstance(email, str) or not is_email(email):
            raise SignInRefused(
                "The sign-in service does not say that your e-mail address is verified; have it verified there, or sign"
                " in another way.",
                403,
            )
        organization = claims.get(self._organization_claim) if self._organization_claim else None
        usable = isinstance(organization, str) and len(organization) <= 63 and organization.isprintable()
        return Identity(email.lower(), str(organization) if usable else "")

    def _client(self, metadata: Mapping[str, Any]) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        from gateway.auth.discovery import TIMEOUT_SECONDS

        # What is taken where nothing is said (RFC 8414).
        taken = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        secret = "client_secret_basic" if "client_secret_basic" in taken else "client_secret_post"
        return AsyncOAuth2Client(
            self._client_id,
            self._client_secret or None,
            token_endpoint_auth_method=secret if self._client_secret else "none",
            scope=self._scopes,
            redirect_uri=self._callback,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
        )

    async def _discover(self) -> dict[str, Any]:
        from gateway.auth.discovery import FETCH_ERRORS, metadata_of

        async with self._fetching:
            now = monotonic()
            if now - self._fetched_at < MAX_AGE_SECONDS:
                return self._metadata
            if now - self._failed_at < RETRY_SECONDS:
                raise _busy()
            try:
                found = await asyncio.to_thread(metadata_of, self._issuer)
                self._metadata = {**found, "token_endpoint": str(found["token_endpoint"])}
                str(found["authorization_endpoint"])
            except FETCH_ERRORS as error:
                self._failed_at = now
                raise self._out_of_reach(error) from None
            self._fetched_at = now
            return self._metadata

    def _out_of_reach(self, error: Exception) -> Busy:
        log.warning("The OpenID provider %s cannot be used (%s).", self._issuer, error)
        return _busy()


def _busy() -> Busy:
    return Busy(
        "The sign-in service cannot be reached at the moment; try again, or sign in another way.", RETRY_SECONDS
    )
