"""Files that are put in: taken as they come, done behind the request, and asked about until they are done."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from domain.access import Permission, require
from domain.importing import GetImport, GetImportReport, Import, ImportedRows, ListImportedRows, StartImport
from domain.validation import Command
from resolvers import imports
from resolvers.operation import Context
from rest_compat import forms
from rest_compat.endpoint import Endpoint
from rest_compat.exports import FORMATS, SentFile
from rest_compat.outputs import IMPORT, IMPORTED_ROWS
from rest_compat.wire import JSON, encoded

if TYPE_CHECKING:
    from files.jobs import Jobs


class Importing:
    """The imports of this process; what they need is imported with the first, for most processes have none."""

    def __init__(self, database: Any, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._jobs: Jobs | None = None

    @property
    def jobs(self) -> "Jobs":
        """What does them."""
        if self._jobs is None:
            from files.jobs import Jobs

            self._jobs = Jobs(self._database, self._folder)
        return self._jobs

    async def resume(self) -> None:
        """To be called when the server starts: goes on with what another process has left."""
        if any(self._folder.glob("*")):
            await self.jobs.resume()

    async def stop(self) -> None:
        """To be called when it stops: ends what goes on between two batches."""
        if self._jobs is not None:
            await self._jobs.stop()


MEDIA_TYPES = (*list(FORMATS)[:3], "text/tab-separated-values", "application/json", "application/octet-stream")
"""What a file may be declared as; what it is shows from what is in it."""


async def starting(context: Context, command: StartImport) -> StartImport:
    """What a file is to be put in as, which is known before it comes. Raises `Forbidden`."""
    require(context.caller, Permission.WRITE)
    return command


async def start(request: Request, command: StartImport, _: StartImport) -> Response:
    """Takes the body in as the file, and answers with the import."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == forms.MEDIA_TYPE or media_type.startswith("multipart/"):
        detail = f"Send the file itself as the body, declared as one of {', '.join(MEDIA_TYPES)}; not a form."
        raise HTTPException(415, detail, {"Accept-Post": ", ".join(MEDIA_TYPES)})
    context: Context = request.state.context
    begun = await request.state.imports.jobs.start(context, command, request.stream())
    headers = {"Location": f"{request.scope['path']}/{begun.id}"}
    return Response(encoded(IMPORT, "one", command, begun, context.now), 202, headers, JSON)


async def one(context: Context, command: GetImport) -> Import:
    """Raises `NotFound`."""
    return await imports.import_of_id(context, command.id)


async def every(context: Context, command: Command) -> list[Import]:
    """The newest of the caller's organisation."""
    return await imports.latest_imports(context)


async def of_rows(context: Context, command: ListImportedRows) -> Import:
    """The import whose rows are asked for. Raises `NotFound`."""
    return await imports.import_of_id(context, command.id)


async def of_report(context: Context, command: GetImportReport) -> Import:
    """The same of all of its rows."""
    return await imports.import_of_id(context, command.id)


async def rows(request: Request, command: ListImportedRows, _: Import) -> Response:
    """Answers with what became of some of its rows."""
    found: ImportedRows = await request.state.imports.jobs.rows(request.state.context, command)
    return Response(encoded(IMPORTED_ROWS, "one", command, found, request.state.context.now), media_type=JSON)


async def refused(request: Request, command: GetImport, found: Import) -> Response:
    """Answers with the file of the rows that were refused."""
    file = await request.state.imports.jobs.refused_rows(request.state.context, command.id)
    if file is None:
        return Response(b"", media_type="text/csv")
    types: dict[str, Any] = {".csv": "text/csv", ".jsonl": "application/jsonl"}
    return FileResponse(file, media_type=types[file.suffix], filename=f"refused{file.suffix}")


async def report(request: Request, command: GetImportReport, _: Import) -> Response:
    """Answers with what became of all of its rows."""
    parts = await request.state.imports.jobs.report(request.state.context, command)
    headers = {"Content-Disposition": 'attachment; filename="rows.csv"'}
    return SentFile(parts, headers=headers, media_type="text/csv")


def endpoints(base: str) -> list[Endpoint]:
    """The endpoints of imports, below the base of their API."""
    path = f"{base}/imports"
    return [
        Endpoint(
            "GET",
            path,
            every,
            name="list_imports",
            summary="List imports",
            description="The newest hundred imports of your organisation, the newest first.",
            answer=IMPORT,
            form="list",
        ),
        Endpoint(
            "POST",
            path,
            starting,
            name="start_import",
            summary="Put a file in",
            description="Takes a table of products, and of what they hold and claim: CSV, Excel, JSON lines or JSON, as"
            " the body itself. What it is shows from what is in it. The rows are done behind the request; ask at"
            " `Location` how far they are.",
            answer=IMPORT,
            send=start,
            takes=MEDIA_TYPES,
        ),
        Endpoint(
            "GET",
            f"{path}/{{id}}",
            one,
            name="get_import",
            summary="Get an import",
            description="How far an import is, and what became of its rows.",
            answer=IMPORT,
        ),
        Endpoint(
            "GET",
            f"{path}/{{id}}/rows",
            of_rows,
            name="list_imported_rows",
            summary="List what became of rows",
            description="What became of the rows of an import, in their order, from a place on; kept for 30 days.",
            answer=IMPORTED_ROWS,
            send=rows,
        ),
        Endpoint(
            "GET",
            f"{path}/{{id}}/report",
            of_report,
            name="get_import_report",
            summary="Get what became of rows as a file",
            description="The same of all rows, as a CSV; of those so far while the import goes on. It spends 5 units of"
            " the rate limit besides that of the request.",
            media_types=("text/csv",),
            send=report,
        ),
        Endpoint(
            "GET",
            f"{path}/{{id}}/refused",
            one,
            name="get_refused_rows",
            summary="Get the refused rows as a file",
            description="The rows that were refused, with all of their own columns and one for the reason, to be"
            " corrected and put in again.",
            media_types=("text/csv", "application/jsonl"),
            send=refused,
        ),
    ]
