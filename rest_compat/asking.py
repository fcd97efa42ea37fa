"""What is asked: bodies and queries to commands."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from domain.commands import InTime
from domain.errors import Forbidden, InvalidInput, Violation
from domain.strict_json import decode
from domain.validation import MAX_VIOLATIONS, Command
from rest_compat import forms
from rest_compat.endpoint import Endpoint
from rest_compat.problem import UnfitQuery

T = TypeVar("T")

JSON_TYPES = ("application/json", "application/merge-patch+json")
BODY_TYPES = (*JSON_TYPES, forms.MEDIA_TYPE)
UNSUPPORTED = (
    "Send the body as JSON, with the header Content-Type: application/json;"
    f" {' and '.join(BODY_TYPES[1:])} are taken, too."
)


async def _read_object(request: Request) -> dict[str, Any]:
    """The body, one JSON object, or a form. Raises `NotJson`, domain errors, or `HTTPException` 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == forms.MEDIA_TYPE:
        if request.state.context.caller.is_session:
            # A form is what another site can make a browser send, and what it cannot preflight.
            raise Forbidden("A signed-in browser should send JSON; forms need an API key or a token.")
        return forms.read_form(await request.body())
    if media_type not in JSON_TYPES:
        accepted = "Accept-Patch" if request.method == "PATCH" else "Accept-Post"
        raise HTTPException(
            415,
            UNSUPPORTED,
            {accepted: ", ".join(BODY_TYPES)},
        )
    body = await request.body()
    if not body:
        raise InvalidInput([Violation((), "Field required", "missing")])
    value = decode(body)
    if not isinstance(value, dict):
        raise InvalidInput([Violation((), "The body should be a JSON object of members and their values", "dict_type")])
    return value


_handling = re.compile(r'\s*handling\s*=\s*"?(strict|lenient)"?\s*(?:;|\Z)', re.IGNORECASE)


def is_strict(values: Sequence[str]) -> bool:
    """Whether the values of `Prefer` ask for strict handling; of several, the first counts (RFC 7240 section 2)."""
    for preference in ",".join(values).split(","):
        if found := _handling.match(preference):
            return found[1].lower() == "strict"
    return False


def preferred(request: Request, offered: Mapping[str, T]) -> T:
    """What `Accept` prefers of the offered media types by name, else the first of them.

    Nothing is refused for it (RFC 9110 section 12.5.1), and `*/*` is what everybody sends.
    """
    weights: dict[str, float] = {}
    for entry in ",".join(request.headers.getlist("accept")).split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        if name in offered:
            weights[name] = max((_weight(text[2:]) for text in parameters if text.startswith("q=")), default=1.0)
    return offered[max(offered, key=lambda name: weights.get(name, 0.0))]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def prefers_strict(request: Request) -> bool:
    """Whether what is not known is to be refused; the answer will say so."""
    strict = is_strict(request.headers.getlist("prefer"))
    if strict:
        request.state.strict = True
    return strict


def check_query(request: Request, endpoint: Endpoint) -> None:
    """Raises `InvalidInput` for a parameter that is given twice, and for an unknown one where none is ignored.

    The documented API ignores them (contract A22), unless the client prefers that they are refused. Of ours nobody
    expects that, and an answer as of today to who asks for another day would be a wrong one anywhere.
    """
    strict, known = prefers_strict(request) or endpoint.is_ours, endpoint.parameters
    unfit: dict[str, Violation] = {}
    given = set()
    for name, _ in request.query_params.multi_items():
        if name in known:
            if name in given:
                unfit[name] = Violation((name,), "Input should be given once", "given_twice")
            given.add(name)
        elif name in InTime.model_fields:
            unfit[name] = Violation((name,), "Nothing here is as of another day; leave it out", "extra_forbidden")
        elif strict:
            unfit[name] = _unknown(name)
    if not unfit:
        return
    wrong = list(unfit.values())
    if known:
        _parse(endpoint.command, _asked(request), wrong)
    raise UnfitQuery(wrong[:MAX_VIOLATIONS])


def read_query(request: Request, endpoint: Endpoint) -> Command:
    """The command in the path and the query. Raises `InvalidInput` that names every bad member."""
    return endpoint.command.parse(_asked(request))


async def read_command(request: Request, endpoint: Endpoint) -> Command:
    """The command in the path and the body. Raises `InvalidInput` that names every bad member.

    Unknown members are ignored, unless the client prefers to have them refused (contract A22).
    """
    sent = await _read_object(request)
    known = endpoint.command.model_fields.keys() - request.path_params.keys()
    unknown = [_unknown(name) for name in sent if name not in known] if prefers_strict(request) else []
    return _parse(endpoint.command, {**sent, **request.path_params}, unknown)


def _unknown(name: str) -> Violation:
    return Violation((name[:60],), "Nothing is known by this name; correct it, or leave it out", "extra_forbidden")


def _asked(request: Request) -> dict[str, Any]:
    # Taking an empty query apart takes as long as all that is asked in the path, whose own parameters win.
    return {**request.query_params, **request.path_params} if request.scope["query_string"] else request.path_params


def _parse(kind: type[Command], members: Mapping[str, Any], wrong: list[Violation]) -> Command:
    """The command, unless something is wrong already: all that is wrong is said at once."""
    try:
        command = kind.parse(members)
    except InvalidInput as error:
        raise InvalidInput([*error.violations, *wrong][:MAX_VIOLATIONS]) from None
    if wrong:
        raise InvalidInput(wrong[:MAX_VIOLATIONS])
    return command
