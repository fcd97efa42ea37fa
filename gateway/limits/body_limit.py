"""The end of patience with a request's body: what is larger is refused, announced or streamed.

Starlette's own middleware would answer in plain text, even over a refusal that the application has made.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.problem import ErrorPages
from rest_compat.problem import refusal


class BodyLimit:
    """Wraps the application; `max_body` is in bytes."""

    def __init__(self, app: ASGIApp, max_body: int, error_pages: ErrorPages) -> None:
        self.app = app
        self.max_body = max_body
        self.error_pages = error_pages
        self.detail = f"The body is larger than {max_body} bytes; send less in one request."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; other scopes pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"")
        # The server has judged the form of the header; whatever it let pass is counted below.
        if announced.isdigit() and int(announced[:20]) > self.max_body:
            await refusal("payload_too_large", self.detail, self.error_pages)(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.max_body:
                # Raised where the body is read, so the application's handlers make a problem of it.
                raise HTTPException(413, self.detail)
            return message

        await self.app(scope, counted, send)
