"""The public keys of an authorization server: fetched, kept, and fetched again when it changes them."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from domain.errors import Busy
from gateway.auth.discovery import FETCH_ERRORS, fetch_json, metadata_of

if TYPE_CHECKING:
    from jwt import PyJWK

MAX_AGE_SECONDS = 3600
"""A key that the server has withdrawn is honoured for so long at most, while the server can be reached."""

MAX_FETCHES, PER_SECONDS = 5, 60
"""How often tokens signed with keys never heard of can make this process ask."""

log = logging.getLogger("certgate")


class KeySet:
    """The keys of one issuer by their id. `jwks_url` may be empty: then the issuer's metadata say where they are."""

    def __init__(self, issuer: str, jwks_url: str, clock: Callable[[], float] = monotonic) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._clock = clock
        self._keys: dict[str, dict[str, Any]] | None = None
        self._ready: dict[tuple[str, str], PyJWK] = {}
        self._fetched_at = 0.0
        self._asked: deque[float] = deque(maxlen=MAX_FETCHES)
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, id: str, algorithm: str) -> "PyJWK | None":
        """The key of that id for that algorithm; None when the issuer has none.

        An id that is not known makes the set be fetched again, within limits. Raises `Busy` when it was never had.
        """
        if self._keys is None or id not in self._keys:
            await self._renew()
        elif self._clock() - self._fetched_at > MAX_AGE_SECONDS:
            # Nobody waits for that: the keys at hand are good until the others are there.
            self._start()
        if self._keys is None:
            raise Busy("The keys of the authorization server cannot be had at the moment; try again later.", 10)
        return self._prepared(id, algorithm)

    def _prepared(self, id: str, algorithm: str) -> "PyJWK | None":
        from jwt import PyJWK
        from jwt.exceptions import PyJWTError

        assert self._keys is not None
        entry = self._keys.get(id)
        if entry is None or entry.get("alg", algorithm) != algorithm:
            return None
        if (id, algorithm) not in self._ready:
            try:
                self._ready[id, algorithm] = PyJWK(entry, algorithm)
            except (PyJWTError, ValueError, TypeError, KeyError):  # a key of another type, or a broken one
                return None
        return self._ready[id, algorithm]

    async def _renew(self) -> None:
        fetching = self._start()
        if fetching is not None:
            # Many may wait for one fetch, and any of them may be cancelled.
            await asyncio.shield(fetching)

    def _start(self) -> "asyncio.Task[None] | None":
        """The fetch under way, or a new one; None when there were too many of late."""
        if self._fetching is None or self._fetching.done():
            now = self._clock()
            if len(self._asked) == MAX_FETCHES and now - self._asked[0] < PER_SECONDS:
                return None
            self._asked.append(now)
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            keys = await asyncio.to_thread(_keys_of, self._issuer, self._jwks_url)
        except FETCH_ERRORS as error:
            kept = "" if self._keys is None else "; the keys of the last time stay in use"
            log.warning("The keys of %s could not be fetched (%s)%s.", self._issuer, error, kept)
            return
        self._keys, self._ready, self._fetched_at = keys, {}, self._clock()


def _keys_of(issuer: str, jwks_url: str) -> dict[str, dict[str, Any]]:
    """The issuer's signature keys by id. Raises what urllib, JSON and unexpected documents raise; runs in a thread."""
    document = fetch_json(jwks_url or str(metadata_of(issuer)["jwks_uri"]))
    return {
        key["kid"]: key
        for key in document["keys"]
        if isinstance(key.get("kid"), str) and key.get("use", "sig") == "sig" and key.get("kty") != "oct"
    }
