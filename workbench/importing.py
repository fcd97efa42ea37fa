"""Putting files in: a file is looked at first, each row with what it would change, and then put in."""

import re
from collections.abc import AsyncIterator, Mapping
from operator import itemgetter
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.access import Permission
from domain.errors import DomainError, InvalidInput, WrongColumns
from domain.importing import ImportedRows, ListImportedRows, StartImport
from domain.problem import KINDS
from domain.short_id import is_short_id
from domain.vocabulary import BulkPolicy, Existing, RowOutcome
from resolvers import imports
from resolvers.operation import Context
from workbench.rendering import moved, page
from workbench.texts import catalogue, text

PATH = "/app/import"
_PART = 1 << 16
_FOR_PROGRAMS = re.compile(r" \('[^']*' may be [\w.]+\)|; say in `map` .*", re.DOTALL)
"""Of a refusal of columns: what is to be sent, under names that nobody meets on the page."""
_CODE = re.compile(r" \(\w+\)\Z")
_MANY = 2_000
"""Fields of a form: two for each column of a file."""


async def importing(request: Request) -> Response:
    """The imports of late, and a form for another; what is sent with it begins one."""
    context: Context = request.state.context
    if request.method == "GET":
        return await _shown(request, {})
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(415)
    async with request.form(max_files=1, max_fields=_MANY) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return await _shown(request, _typed(form), wrong="file_missing")
        try:
            asked = StartImport.parse(_asked(form, file.filename))
            begun = await request.app.state.imports.jobs.start(context, asked, _parts(file))
        except DomainError as error:
            # What was said of columns stays so, though what is refused may be that.
            said = _asked(form, file.filename).get("map", {})
            known = {**error.columns, **said} if isinstance(error, WrongColumns) else None
            return await _shown(request, _typed(form), error=error, columns=known)
    return moved(request, f"{PATH}/{begun.id}")


async def one(request: Request) -> Response:
    """How far an import is, what its columns were taken for, and what became of its rows."""
    context: Context = request.state.context
    typed, id = request.query_params, request.path_params["id"]
    if not is_short_id(id):
        raise HTTPException(404)
    found = await imports.import_of_id(context, id)
    outcome = typed.get("outcome", "")
    sent: dict[str, Any] = {"id": found.id, "after": typed.get("after", "0")}
    if outcome:
        sent["outcome"] = outcome
    rows: ImportedRows = await request.app.state.imports.jobs.rows(context, ListImportedRows.parse(sent))
    return page(
        request,
        "import.html",
        of=found,
        refusals=[(_CODE.sub("", why), count) for why, count in found.counts.get("refusals", {}).items()],
        targets=_targets(request),
        in_words=in_words,
        # With those that were said to be nothing: they would be asked for again.
        columns=found.columns | found.map | found.columns,
        rows=rows.rows,
        next=rows.next,
        outcome=outcome,
        outcomes=[each.value for each in RowOutcome],
        left=found.remaining_seconds(context.now),
        may_write=context.caller.may(Permission.WRITE),
        policies=[each.value for each in BulkPolicy],
        existing=[each.value for each in Existing],
        typed={"policy": found.policy.value, "existing": found.existing.value},
    )


async def _shown(
    request: Request,
    typed: Mapping[str, str],
    *,
    wrong: str = "",
    error: DomainError | None = None,
    columns: Mapping[str, str] | None = None,
) -> Response:
    context: Context = request.state.context
    return page(
        request,
        "imports.html",
        status=422 if wrong else 200 if error is None else KINDS[error.code].status,
        every=await imports.latest_imports(context),
        typed=typed,
        wrong=wrong,
        said=_said(error),
        may_write=context.caller.may(Permission.WRITE),
        policies=[each.value for each in BulkPolicy],
        existing=[each.value for each in Existing],
        columns=columns,
        targets=_targets(request),
        in_words=in_words,
    )


def _targets(request: Request) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a column can be, part by part, each in words."""
    every: dict[str, list[tuple[str, str]]] = {}
    for target in request.app.state.imports.jobs.targets:
        part, _, _ = target.rpartition(".")
        every.setdefault(part or "row", []).append((target, in_words(target)))
    return [(text(f"import.parts.{part}"), sorted(choices, key=itemgetter(1))) for part, choices in every.items()]


def in_words(target: str) -> str:
    """What a column is, in words; of a note that it is one."""
    part, _, member = target.rpartition(".")
    if "metadata" in target.split("."):
        part, member = "", "metadata"
    names = (f"import.members.{part}_{member}", f"import.members.{member}", f"members.{member}")
    return next((str(text(name)) for name in names if name in catalogue()), target)


def _said(error: DomainError | None) -> list[str]:
    """Why a file is refused, in sentences; what programs would say of its columns is chosen on the page."""
    if isinstance(error, WrongColumns):
        problems = (_FOR_PROGRAMS.sub("", each.message) for each in error.violations)
        return [text("import.choose_below", problem=problem) for problem in problems]
    if isinstance(error, InvalidInput):
        return [each.message for each in error.violations]
    return [error.detail] if error is not None else []


def _typed(form: FormData) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _asked(form: FormData, name: str) -> dict[str, Any]:
    """What a form asks for, as the command takes it; what was left empty is left out."""
    asked: dict[str, Any] = {each: form[each] for each in ("policy", "existing", "encoding") if form.get(each)}
    pairs = zip(form.getlist("column"), form.getlist("member"), strict=False)
    columns = {str(column): str(member).strip() for column, member in pairs if str(member).strip()}
    for line in str(form.get("map", "")).splitlines():
        column, _, member = line.rpartition("=")
        if column.strip():
            columns[column.strip()] = member.strip()
    kept = {"map": columns} if columns else {}
    dry_run = "true" if form.get("do") != "put_in" else "false"
    clear_empty = "true" if form.get("clear_empty") else "false"
    return {**asked, **kept, "name": name[-100:], "dry_run": dry_run, "clear_empty": clear_empty}


async def _parts(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(_PART):
        yield part
