"""What HTTP itself asks of every endpoint: conditional requests, preferences, and which methods there are."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import AlreadyAssigned, AlreadyExists, BadRequest, InvalidInput, PreconditionFailed, Violation
from domain.preconditions import Expected, Tags, digest, read_tags
from domain.validation import MAX_VIOLATIONS, Command
from rest_compat.endpoint import Endpoint
from rest_compat.problem import UnfitQuery
from rest_compat.wire import BODY_TYPES, asked, members, read_object

C = TypeVar("C", bound=Command)
T = TypeVar("T")

STRICT = "handling=strict"

_handling = re.compile(r'\s*handling\s*=\s*"?(strict|lenient)"?\s*(?:;|\Z)', re.IGNORECASE)


async def respond(request: Request, endpoint: Endpoint) -> Response:
    """The endpoint's answer, under the conditions and with the preferences of the request."""
    asks = bool(request.scope["query_string"])
    if asks:
        _check_query(request, endpoint)
    if request.method in ("GET", "HEAD"):
        response = _conditional(request, await endpoint.handler(request))
        if asks:
            response.headers.update(applied(request))
        return response
    matching = read_tags("If-Match", request.headers.getlist("if-match"))
    others = read_tags("If-None-Match", request.headers.getlist("if-none-match"))
    if matching is None and "if-unmodified-since" in request.headers:
        raise BadRequest(
            "Nothing here has a Last-Modified for If-Unmodified-Since; send If-Match with an ETag instead."
        )
    is_new = request.method == "POST"
    if is_new and others is not None and not (others.anything and endpoint.app != "account"):
        raise BadRequest(
            "If-None-Match is understood, as *, where an assignment or a product is made; leave it out here."
        )
    if matching is not None or (others is not None and not is_new):
        request.state.context.expected = Expected(matching, others)
    try:
        response = await endpoint.handler(request)
    except (AlreadyAssigned, AlreadyExists) as error:
        if others is None:
            raise
        raise PreconditionFailed(error.detail) from None
    response.headers.update(applied(request))
    return response


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


def options(methods: Collection[str]) -> Response:
    """The answer to OPTIONS: what the path can do (RFC 9110 section 9.3.7, RFC 5789 section 3.1)."""
    allowed = {*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}
    headers = {"Allow": ", ".join(sorted(allowed))}
    for method, name in (("PATCH", "Accept-Patch"), ("POST", "Accept-Post")):
        if method in methods:
            headers[name] = ", ".join(BODY_TYPES)
    return Response(status_code=204, headers=headers)


def _conditional(request: Request, response: Response) -> Response:
    """The answer to a GET, or 304 when the client has it already (RFC 9110 section 13)."""
    if response.status_code != 200:
        return response
    own = dict(response.raw_headers).get(b"etag")
    if own is None:
        # No single record stands behind it, a list for example, or only a part of one: it is named by what it says,
        # byte for byte.
        tag = digest(bytes(response.body))
        response.raw_headers.append((b"etag", f'"{tag}"'.encode()))
    else:
        tag = own[1:-1].decode("ascii")
    conditions = dict(request.scope["headers"])
    if b"if-match" in conditions:
        wanted = read_tags("If-Match", request.headers.getlist("if-match"))
        if wanted is not None:
            wanted.require(tag, "This is no longer what If-Match names; read it again without that header.")
    if b"if-none-match" in conditions:
        known = _known(request.headers.getlist("if-none-match"))
        if known is not None and known.match_weakly(tag):
            return Response(status_code=304, headers={"ETag": f'"{tag}"'})
    return response


def _known(values: Sequence[str]) -> Tags | None:
    try:
        return read_tags("If-None-Match", values)
    except BadRequest:
        # Who cannot say what is known gets the whole answer.
        return None


def is_strict(values: Sequence[str]) -> bool:
    """Whether the values of `Prefer` ask for strict handling; of several, the first counts (RFC 7240 section 2)."""
    for preference in ",".join(values).split(","):
        if found := _handling.match(preference):
            return found[1].lower() == "strict"
    return False


def applied(request: Request) -> dict[str, str]:
    """The header that says which preference was honoured, if one was."""
    return {"Preference-Applied": STRICT} if getattr(request.state, "strict", False) else {}


def _unknown(name: str) -> Violation:
    return Violation((name[:60],), "Extra inputs are not permitted", "extra_forbidden")


def _prefers_strict(request: Request) -> bool:
    """Whether what is not known is to be refused; the answer will say so."""
    strict = is_strict(request.headers.getlist("prefer"))
    if strict:
        request.state.strict = True
    return strict


def _check_query(request: Request, endpoint: Endpoint) -> None:
    """Raises `UnfitQuery` for a parameter that is given twice and, if the client prefers that, for an unknown one."""
    strict, known = _prefers_strict(request), endpoint.parameters
    unfit: dict[str, Violation] = {}
    given = set()
    for name, _ in request.query_params.multi_items():
        if name in known:
            if name in given:
                unfit[name] = Violation((name,), "Input should be given once", "given_twice")
            given.add(name)
        elif strict:
            unfit[name] = _unknown(name)
    if not unfit:
        return
    wrong = list(unfit.values())
    if known and endpoint.command is not None:
        # All that is wrong is said at once.
        try:
            endpoint.command.parse(asked(request))
        except InvalidInput as error:
            wrong = [*error.violations, *wrong]
    raise UnfitQuery(wrong[:MAX_VIOLATIONS])


async def read_command(request: Request, kind: type[C]) -> C:
    """The command in the body and the path. Raises `InvalidInput` that names every bad member.

    Unknown members are ignored, unless the client prefers to have them refused (contract A22).
    """
    sent = await read_object(request)
    if not _prefers_strict(request):
        return kind.parse(members(request, sent))
    known = kind.model_fields.keys() - request.path_params.keys()
    unknown = [_unknown(name) for name in sent if name not in known]
    try:
        command = kind.parse(members(request, sent))
    except InvalidInput as error:
        raise InvalidInput([*error.violations, *unknown][:MAX_VIOLATIONS]) from None
    if unknown:
        raise InvalidInput(unknown[:MAX_VIOLATIONS])
    return command
