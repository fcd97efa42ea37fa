"""Lists as files, sent while they are read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from domain.commands import Export
from domain.errors import DomainError
from domain.filter_input import read_where
from domain.filters import Where, every
from domain.vocabulary import FileFormat, ViewKind
from resolvers import views
from resolvers.listed import LISTS, ListOperations
from resolvers.operation import Context
from rest_compat.asking import preferred
from rest_compat.wire import LINKED_DATA

MEDIA_TYPES = {
    FileFormat.CSV: "text/csv",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.JSON_LINES: "application/jsonl",
    FileFormat.JSON_LD: LINKED_DATA,
    FileFormat.GS1_US: LINKED_DATA,
}
"""What each format is called on the wire; GS1 US's is JSON-LD, too."""

FORMATS = {MEDIA_TYPES[form]: form for form in FileFormat if form is not FileFormat.GS1_US}
"""Media type -> the format that `Accept` asks for with it; the first where it asks for none of them."""

HIDDEN = frozenset({"evidence_url", "evidence_note"})
"""What never leaves by REST (contract 2.8)."""


class BrokenOff(RuntimeError):
    """An answer that has begun cannot be ended; the connection is closed before its end, so that the client knows."""


class SentFile(StreamingResponse):
    """A file that is sent in parts. It fails after its beginning by breaking the connection, never by ending early."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it; of a HEAD request only what is said of it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            try:
                async for part in self.body_iterator:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            except DomainError as error:
                raise BrokenOff(f"The export broke off: {error.detail}") from error
        await send({"type": "http.response.body", "body": b""})


class AskedList(NamedTuple):
    """Which of a list are asked for."""

    listed: ListOperations
    where: Where


def asking(name: str) -> Callable[[Context, Export], Awaitable[AskedList]]:
    """What reads the filter of a list; that is read once its form is known."""

    async def asked(context: Context, command: Export) -> AskedList:
        listed = LISTS[name]
        where = read_where(listed.of.fields, command.where, context.today)
        if command.view is not None:
            where = every([where, await views.narrowed_by(context, command.view, ViewKind(name))])
        return AskedList(listed, where)

    return asked


def sending(name: str) -> Callable[[Request, Export, AskedList], Awaitable[Response]]:
    """What answers with a list."""

    async def send(request: Request, command: Export, asked: AskedList) -> Response:
        # Most start without it.
        from files.export import export

        context: Context = request.state.context
        form = command.format or preferred(request, FORMATS)
        parts = export(context, *asked, form, for_excel=command.excel, without=HIDDEN)
        # What is refused is a refusal as everywhere, as long as nothing was sent. Of the head alone nothing is read.
        first = b"" if request.method == "HEAD" else await anext(parts, b"")
        disposition = f'attachment; filename="{name}-{context.today}.{SUFFIXES.get(form, form)}"'
        return SentFile(_all(first, parts), 200, {"Content-Disposition": disposition}, MEDIA_TYPES[form])

    return send


SUFFIXES = {FileFormat.GS1_US: "jsonld"}
"""What the name of a file ends with, where that is not the format."""


async def _all(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in others:
        yield part
