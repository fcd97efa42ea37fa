"""What surrounds both faces, once: the request id, who asks, the headers every answer carries, the last net for errors.

Pure ASGI: Starlette's own middleware class would cost a task and a queue for every request.
"""

import logging
import os
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random, SystemRandom
from typing import Any, NamedTuple, Self

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from db.engine import turns
from db.engine.database import Database, written
from domain.access import Caller
from domain.errors import DomainError, Forbidden, Unauthorized
from domain.idempotency import read_key
from domain.problem import ErrorPages, describe
from domain.vocabulary import Face
from execution.run.stopping import Abandoned, stoppable
from gateway.answer_headers import DecoratedSend
from gateway.auth.credentials import SAFE_METHODS, Credentials, mark_of
from gateway.limits.meter import Meter, RateLimits
from gateway.paths import own_path
from gateway.positions import HEADER, Positions, read
from resolvers.letters import Post
from resolvers.operation import Context
from rest_compat.openapi import DOCUMENT_PATHS
from rest_compat.problem import INTERNAL, refusal, render, scope_challenge
from schema.http import disconnected

GUARDED = ("/certifications/", "/products/api/", "/account/", "/graphql")
"""Where a credential is needed. Everything else (pages, health) is public and never sees a context."""

_GRAPHQL, _REST = Face.GRAPHQL.value, Face.REST.value
_POSITION = HEADER.lower().encode()
_request_id = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
# Names of requests need to be different, not secret, and asking the system for each would take a microsecond.
_random = Random()  # noqa: S311


def _begin_anew() -> None:
    _random.seed(SystemRandom().getrandbits(256))


_begin_anew()
if hasattr(os, "register_at_fork"):
    # Workers that were forked would give their requests the same names.
    os.register_at_fork(after_in_child=_begin_anew)


log = logging.getLogger("certgate")


@dataclass(eq=False, repr=False)
class GatewayEdge:
    """Wraps the applications. `database` is open by the time the first request arrives.

    `rest` answers the guarded paths, but for those of `direct`, which have an application each; `pages` all others.
    What `rest` only reads is stopped when its client has gone. `public_path` is what a proxy strips from the paths
    before they come here: pages find it in ASGI's `root_path` again.
    """

    pages: ASGIApp
    rest: Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]
    direct: Mapping[str, ASGIApp]
    database: Database
    limits: RateLimits
    credentials: Credentials
    error_pages: ErrorPages
    post: Post
    public_path: str = ""
    positions: Positions | None = None
    """Up to where callers have written, where the database has servers that follow it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; other scopes pass through."""
        if scope["type"] != "http":
            await self.pages(scope, receive, send)
            return
        # The server hands the same memo to all requests with the same headers.
        memo = scope.get("memo", {})
        sent: _Sent = memo.get("edge") or memo.setdefault("edge", _Sent.of(scope["headers"]))
        if scope.get("root_path"):
            scope = {**scope, "path": own_path(scope)}
        is_api = scope["path"].startswith(GUARDED)
        if is_api and scope["path"].endswith("/"):
            # One path with or without the slash: a redirect would make clients drop the body, or the key.
            scope = {**scope, "path": scope["path"][:-1]}
        guarded = is_api and scope["path"] not in DOCUMENT_PATHS
        meter = Meter(self.limits, scope.get("client"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = sent.request_id or f"{_random.getrandbits(128):032x}"
        state["meter"] = meter
        answer = DecoratedSend(send, scope, meter, self.credentials.tokens, guarded=guarded)
        try:
            if guarded:
                await self._answer_caller(scope, sent, receive, answer, meter)
            else:
                await self._answer_anybody(scope, sent, receive, answer, meter if is_api else None)
        except DomainError as error:
            await meter.ask()
            document = describe(error, at=datetime.now(UTC), error_pages=self.error_pages)
            await render(document, headers=scope_challenge(error))(scope, receive, answer)
        except Abandoned:
            # Nobody is there to be answered.
            return
        except Exception:
            log.exception("request %s failed: %s %s", request_id, scope["method"], scope["path"])
            if not answer.started:
                await meter.ask()
                await refusal("internal_error", INTERNAL, self.error_pages)(scope, receive, answer)

    async def _answer_caller(self, scope: Scope, sent: "_Sent", receive: Receive, send: Send, meter: Meter) -> None:
        """Answers what needs a credential, once it is known who asks and the request is paid for."""
        now = datetime.now(UTC)
        if sent.has_two_keys:
            await meter.charge(1)
            raise Unauthorized("The request has several headers X-API-Key, and they differ; send one.")
        caller = self.credentials.at_hand(sent.mark, now) or await self._identify(scope, now, meter)
        meter.belongs_to(caller)
        turns.caller.set(caller.principal)
        charging = meter.begin_charge(1)
        if charging is not None:
            await charging
        reads = scope["method"] in SAFE_METHODS
        database = self.database
        if self.positions is not None:
            following = self._following(self.positions, scope, sent, caller.principal)
            database = following if reads else database
        key = None if reads or not sent.idempotency_keys else read_key(sent.idempotency_keys)
        face = _GRAPHQL if scope["path"] in self.direct else _REST
        scope["state"]["context"] = Context(
            database,
            caller,
            now,
            idempotency_key=key,
            charge=meter.charge,
            post=self.post,
            face=face,
            request_id=scope["state"]["request_id"],
        )
        direct = self._refuse_coded if sent.is_coded and not reads else self.direct.get(scope["path"])
        if direct is not None:
            await direct(scope, receive, send)
        elif reads:
            await stoppable(self.rest(scope, receive, send), lambda: disconnected(receive))
        else:
            await self.rest(scope, receive, send)

    def _following(self, positions: Positions, scope: Scope, sent: "_Sent", who: str) -> Database:
        """Where this request reads if it does nothing else; takes note of what it writes."""
        state = scope["state"]

        def note(position: int) -> None:
            state["position"] = position
            positions.note(who, position)

        written.set(note)
        following = state["following"] = self.database.since(max(read(sent.position), positions.of(who)))
        return following

    async def _answer_anybody(
        self, scope: Scope, sent: "_Sent", receive: Receive, send: Send, meter: Meter | None
    ) -> None:
        """Answers what needs no credential. A document of an API says what the meter of the address shows."""
        # Whoever asked before, in the same task, was somebody.
        turns.caller.set("")
        if sent.is_coded and scope["method"] not in SAFE_METHODS:
            await self._refuse_coded(scope, receive, send)
            return
        if meter is not None:
            await meter.ask()
        root = self.public_path or scope.get("root_path", "")
        below = {**scope, "root_path": root, "path": root + scope["path"]} if root else scope
        try:
            await self.pages(below, receive, send)
        finally:
            scope["state"]["operation"] = below.get("route")

    async def _identify(self, scope: Scope, now: datetime, meter: Meter) -> Caller:
        """Who asks. The request is charged to the address of whoever shows no valid credential."""
        try:
            return await self.credentials.of_request(scope, Headers(scope=scope), now)
        except (Unauthorized, Forbidden):
            await meter.charge(1)
            raise

    async def _refuse_coded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses a body that is compressed (RFC 9110 section 15.5.16)."""
        detail = "Bodies are taken as they are; send it uncompressed, without the header Content-Encoding."
        response = refusal("unsupported_media_type", detail, self.error_pages, {"Accept-Encoding": "identity"})
        await response(scope, receive, send)


class _Sent(NamedTuple):
    """What the headers of a request say to the edge."""

    request_id: str
    """The name it came with, if that is a plain short one; another could forge log lines. "" for none."""
    mark: bytes
    """That of its API key; b"" without one."""
    has_two_keys: bool
    """Whether it has different API keys, between which only a proxy or an attacker would want a choice."""
    idempotency_keys: list[str]
    is_coded: bool
    """Whether a body that comes with it is compressed."""
    position: str
    """The position behind a write that it is to see; "" for none."""

    @classmethod
    def of(cls, headers: Sequence[tuple[bytes, bytes]]) -> Self:
        """What these say. Of those that were sent several times the first counts."""

        def values(wanted: bytes) -> list[bytes]:
            return [value for name, value in headers if name == wanted]

        ids, keys = values(b"x-request-id")[:1], values(b"x-api-key")
        codings = {coding.strip().lower() for coding in b",".join(values(b"content-encoding")).split(b",")}
        return cls(
            str(ids[0], "ascii") if ids and _request_id.match(ids[0]) else "",
            mark_of(keys[0]) if keys else b"",
            len(set(keys)) > 1,
            [str(key, "latin-1") for key in values(b"idempotency-key")],
            not codings <= {b"", b"identity"},
            str(b"".join(values(_POSITION)[:1]), "latin-1"),
        )
