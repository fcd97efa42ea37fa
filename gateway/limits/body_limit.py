"""The end of patience with a request's body: what is larger is refused, announced or streamed.

Starlette's own middleware would answer in plain text, even over a refusal that the application has made.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.paths import own_path
from rest_compat.problem import Show


class BodyLimit:
    """Wraps the application; `max_body` is in bytes, and for some paths it is another: `others`.

    `refuse` shows a refusal as the application does.
    """

    def __init__(self, app: ASGIApp, max_body: int, refuse: Show, others: Mapping[str, int] | None = None) -> None:
        # ASGI's own type knows nothing of stopping: what is wrapped here are async functions.
        self.app = cast("Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]", app)
        self.max_body = max_body
        self.refuse = refuse
        self.others = others or {}
        self._least = min([max_body, *self.others.values()])

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Handles one request; other scopes pass through."""
        come = scope.get("body")
        if come is not None and len(come) <= self._least:
            return self.app(scope, receive, send)
        return self._limited(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.others.get(own_path(scope), self.max_body) if self.others else self.max_body
        detail = f"The body is larger than {most} bytes; send less in one request."
        announced = dict(scope["headers"]).get(b"content-length", b"")
        # The server has judged the form of the header; whatever it let pass is counted below.
        if announced.isdigit() and int(announced[:20]) > most:
            await self.refuse(Request(scope), HTTPException(413, detail))(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                # Raised where the body is read, so the application's handlers make a problem of it.
                raise HTTPException(413, detail)
            return message

        await self.app(scope, counted, send)
