"""What can be done in the settings: each is a form of its command's members, or a question that is answered once."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from secrets import token_urlsafe
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import REFUSALS, AlreadyExists
from domain.idempotency import OneWrite
from resolvers.operation import Context, WriteOperation
from workbench.forms import Entered, FilledForm, FormMember, read_form, refused_form
from workbench.rendering import moved, page

ROOT = "/app/settings"

_BETWEEN = re.compile(r"[\s,;]+")
_ONCE = re.compile(r"[\w-]{20,64}")
_MINUTES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")


class ActedOn(NamedTuple):
    """What something is done to, and what its form begins with."""

    called: str = ""
    values: Mapping[str, str] = {}
    choices: Mapping[str, Sequence[tuple[str, str]]] = {}
    """Of the fields whose choices are stored."""
    back: str = ""
    """Where the form leads to, done or not; empty for the page of its section."""


class SettingsAct(NamedTuple):
    """Something that can be done."""

    does: WriteOperation[Any, Any]
    finds: Callable[[Context, str], Awaitable[ActedOn]]
    """What it is done to, by the id in the address. Raises `NotFound`, and `Forbidden` for who may not even see it."""
    of: str = ""
    """The command's name for that id; empty for what makes something."""
    fields: tuple[FormMember, ...] = ()
    fixed: Mapping[str, Any] = {}
    """Members that nobody is asked for."""
    shows: str = ""
    """The member of the answer that is shown this once."""
    ends: bool = False
    """Whether something ends by it that nobody can bring back."""


def acting(section: str, name: str, act: SettingsAct) -> Callable[[Request], Awaitable[Response]]:
    """The page that asks for what has to be known, and does it."""

    async def answer(request: Request) -> Response:
        context: Context = request.state.context
        id = request.path_params.get("id", "")
        on = await act.finds(context, id)
        if request.method == "GET":
            form = FilledForm({each.name: on.values.get(each.name, "") for each in act.fields})
            return _asking(request, section, name, act, on, form)
        entered = await read_form(request)
        typed = {each.name: " ".join(entered.get(each.name, [])).replace("\r\n", "\n") for each in act.fields}
        if act.shows:
            _once(context, entered.one("once"))
        try:
            done = await act.does(context, act.does.command.parse(_members(context, act, id, entered)))
        except REFUSALS as error:
            was_shown = act.shows != "" and isinstance(error, AlreadyExists)
            form = FilledForm(typed, error=error) if was_shown else refused_form(typed, error, act.fields)
            return _asking(request, section, name, act, on, form, was_shown=was_shown)
        if act.shows:
            return _shown(request, section, name, act, on, getattr(done.after, act.shows))
        return moved(request, f"{on.back or f'{ROOT}/{section}'}?done={section}.{name}")

    return answer


def _once(context: Context, token: str) -> None:
    """What is shown once is made once, however often the form is sent."""
    if _ONCE.fullmatch(token):
        context.idempotency = OneWrite(context.caller.principal, token)


def _members(context: Context, act: SettingsAct, id: str, entered: Entered) -> dict[str, Any]:
    caller = context.caller
    # What is somebody's is the caller's unless the address says whose; commands pass over what they do not know.
    members = {"organization_id": caller.organization.id, "user_id": caller.user_id, **act.fixed}
    if act.of:
        members[act.of] = id
    for each in act.fields:
        value = _value(each, entered)
        if value is not None:
            members[each.name] = value
    return members


def _value(asked: FormMember, entered: Entered) -> Any:
    text = entered.one(asked.name)
    if asked.kind in ("types", "days"):
        parts = [part for each in entered.get(asked.name, []) for part in _BETWEEN.split(each) if part]
        is_number = asked.kind == "days"
        return [int(part) if is_number and part.isascii() and part.isdigit() else part for part in parts]
    if asked.kind == "moment" and _MINUTES.fullmatch(text):
        # As browsers send a moment, in UTC, without saying so.
        return f"{text}Z"
    if asked.kind in ("moment", "cursor", "choice", "view", "certification") and not text:
        return None
    return text.replace("\r\n", "\n")


def _asking(
    request: Request,
    section: str,
    name: str,
    act: SettingsAct,
    on: ActedOn,
    form: FilledForm,
    *,
    was_shown: bool = False,
) -> Response:
    return page(
        request,
        "settings/act.html",
        status=form.status,
        section=section,
        name=name,
        act=act,
        on=on,
        form=form,
        was_shown=was_shown,
        back=on.back or f"{ROOT}/{section}",
        once=token_urlsafe(18) if act.shows else "",
    )


def _shown(request: Request, section: str, name: str, act: SettingsAct, on: ActedOn, secret: str | None) -> Response:
    return page(
        request,
        "settings/shown.html",
        section=section,
        name=name,
        kind=act.shows,
        on=on,
        secret=secret,
        back=on.back or f"{ROOT}/{section}",
    )
