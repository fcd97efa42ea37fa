"""Every status that a document names is answered by that operation, and every header too; and nothing beside them.

Each operation is asked in every way that its document says it refuses. What no request can bring about on its own (a
token without scope, a first request with the same idempotency key, a defect, a busy database) is raised in its place.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx2
import pytest
from starlette.types import ASGIApp

from domain.errors import Busy, Forbidden, IdempotencyKeyInUse
from gateway.app import create_app
from rest_compat.endpoint import Endpoint
from rest_compat.manners import respond
from rest_compat.openapi import HEADERS
from rest_compat.routes import ENDPOINTS
from tests.conftest import SETTINGS
from tests.contract.test_endpoints import NOBODY, ROWS, documented, furnish, judge, on_sqlite
from tests.operations.mutations import SPARE_PEOPLE
from tests.world import GTIN, NOTHING, VEGAN, World

FILES_IN = {"start_import", "get_refused_rows", "get_import_report"}
"""What takes a file, and what sends one that is there once rows were refused: see tests/files/test_jobs.py."""

OPERATIONS = [
    pytest.param(endpoint, id=f"{endpoint.app}-{endpoint.name}")
    for endpoint in ENDPOINTS
    if endpoint.name not in FILES_IN
]
MOST = 1024

COMMON = {
    "cache-control",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "vary",
    "x-content-type-options",
    "x-frame-options",
}
"""What HTTP and browsers ask of an answer, whatever it says."""

ON_CLAIM: dict[str, Any] = {"get_product_claim": None, "update_product_claim": {}, "delete_product_claim": None}
"""Operations on a claim that the product has to make first -> the body."""


class Asked(NamedTuple):
    """A request that is right: what fills the path, what is asked."""

    filling: tuple[str, ...]
    query: str
    body: Any


def right(endpoint: Endpoint, world: World) -> Asked:
    """The first request of the contract's row that succeeds."""
    if endpoint.name in ON_CLAIM:
        return Asked((GTIN, VEGAN), "", ON_CLAIM[endpoint.name])
    names = {"brand": world.brand, "rival": world.rival, **world.key_ids, **SPARE_PEOPLE}
    case = next(case for case in ROWS[endpoint.operation_id].cases if case.status == endpoint.status)
    return Asked(tuple(part.format(**names) for part in case.path), case.query.format(**names), case.body)


class Asker:
    """Asks one operation, and judges what is answered by its document."""

    def __init__(self, world: World, endpoint: Endpoint) -> None:
        self.world = world
        self.endpoint = endpoint
        self.asked = right(endpoint, world)
        self.seen: set[tuple[int, str]] = set()
        """Status and documented header of every answer."""

    async def ask(
        self,
        last: str | None = None,
        query: str | None = None,
        body: Any = ...,
        key: str = "manager",
        app: ASGIApp | None = None,
        strictly: bool = False,
        **headers: str,
    ) -> int:
        """The status of the answer to a request that differs in this from the right one; `last` ends the path."""
        filling = [*self.asked.filling[:-1], last] if last else self.asked.filling
        body, query = self.asked.body if body is ... else body, self.asked.query if query is None else query
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if strictly:
            sent["Prefer"] = "handling=strict"
        if key:
            sent["X-API-Key"] = self.world.keys[key]
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            sent = {"Content-Type": "application/json", **sent}
        transport = httpx2.ASGITransport(app=app or self.world.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://certgate.test") as client:
            path = re.sub("{[^}]*}", "{}", self.endpoint.path).format(*filling)
            url = f"{path}?{query}" if query else path
            answer = await client.request(self.endpoint.method, url, headers=sent, content=content)
        if answer.status_code != 304:
            judge(self.endpoint, answer)
        found = {name for name in HEADERS if name in answer.headers}
        self.seen |= {(answer.status_code, name) for name in found}
        rest = {name.lower() for name in answer.headers} - {name.lower() for name in found}
        assert rest <= COMMON, f"{answer.status_code} has headers that nobody has heard of"
        return answer.status_code


def declared(endpoint: Endpoint) -> dict[int, set[str]]:
    """Status -> the headers that the document names for it."""
    whole = documented(endpoint.app)
    found = {}
    for status, response in whole["paths"][endpoint.path][endpoint.method.lower()]["responses"].items():
        shared = whole["components"]["responses"].get(response.get("$ref", "").rpartition("/")[2])
        found[int(status)] = set((shared or response)["headers"])
    return found


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | None], None]:
    """Sets what every endpoint raises from then on; with None they answer again."""

    def set_to(error: Exception | None) -> None:
        async def failing(*_: Any) -> Any:
            assert error is not None
            raise error

        monkeypatch.setattr("rest_compat.application.respond", failing if error else respond)

    return set_to


KNOWN = {"page": "1", "is_active": "true", "where": "{}", "format": "json", "as_of": "2026-12-24"}
"""A parameter that a read may know -> a value of it."""

ON_ANY = {"Retry-After": {409, 503}, "WWW-Authenticate": {403}, "Preference-Applied": {403, 404, 409, 412, 422, 503}}
"""Headers of refusals that all operations share, though not each sends them -> the statuses."""


@on_sqlite
@pytest.mark.parametrize("endpoint", OPERATIONS)
async def test_an_operation_answers_what_its_document_says(
    world: World, endpoint: Endpoint, raised: Callable[[Exception | None], None]
) -> None:
    if endpoint.name in ON_CLAIM:
        await world.client.post(
            f"/certifications/api/v1/products/{GTIN}/claims",
            json={"claim_id": VEGAN},
            headers={"X-API-Key": world.keys["manager"]},
        )
    await furnish(world, endpoint.operation_id)
    asker = Asker(world, endpoint)
    refusals = await refused(asker, raised)
    # The last, since it changes or removes what the refused requests were about.
    if endpoint.method == "GET":
        known = next((f"{name}={KNOWN[name]}" for name in KNOWN if name in endpoint.parameters), "")
        query = "&".join(filter(None, (asker.asked.query, known)))
        successes = {await asker.ask(query=query, If_None_Match=known, strictly=True) for known in ('"other"', "*")}
    else:
        successes = {await asker.ask(Idempotency_Key="once", strictly=True)}
        again = await asker.ask(Idempotency_Key="once")
        assert again == (409 if endpoint.is_shown_once else endpoint.status)
    if endpoint.method == "POST":
        refusals |= {await asker.ask(), await asker.ask(If_None_Match="*")} - successes

    whole = declared(endpoint)
    assert successes == {status for status in whole if status < 400}
    assert refusals == {status for status in whole if status >= 400}
    sent = {status: {name for found, name in asker.seen if found == status} for status in whole}
    for status, names in whole.items():
        assert sent[status] <= names, status
        absent = {name for name in names - sent[status] if status not in ON_ANY.get(name, ())}
        assert absent <= {"Accept-Patch", "Accept-Post"} - {f"Accept-{endpoint.method.title()}"}, status


UNKNOWN = {"gtin": (NOBODY, "1234567")}
"""Parameter of a path -> a value that nothing has, and one that is none."""


async def refused(asker: Asker, raised: Callable[[Exception | None], None]) -> set[int]:
    """The statuses of everything that can be wrong with a request to the operation."""
    endpoint = asker.endpoint
    unknown = f"{asker.asked.query}&nobody_knows=1".removeprefix("&")
    found = {await asker.ask(key=""), await asker.ask(query=unknown, strictly=True)}
    if endpoint.method == "GET" and endpoint.send is None:
        found |= {await asker.ask(If_Match="unquoted"), await asker.ask(If_Match='"other"')}
    elif endpoint.method != "GET":
        found |= {await asker.ask(Idempotency_Key='""'), await asker.ask(key="readonly")}
        if endpoint.method != "POST":
            found |= {await asker.ask(If_Match='"other"'), await asker.ask(If_None_Match="*")}
    if asker.asked.filling:
        parameter = endpoint.path.rpartition("{")[2].partition("}")[0]
        absent, malformed = UNKNOWN.get(parameter, (NOTHING, "x"))
        found |= {await asker.ask(absent), await asker.ask(malformed)}
    elif endpoint.parameters:
        number = next((name for name in ("page", "limit") if name in endpoint.parameters), None)
        found.add(await asker.ask(query=f"{number}=0" if number else "format=pdf"))
    if "view" in endpoint.parameters:
        found.add(await asker.ask(query=f"view={NOTHING}"))
    if endpoint.body:
        found |= {
            await asker.ask(body=[]),
            await asker.ask(body={**asker.asked.body, "nobody_knows": 1}, strictly=True),
            await asker.ask(body=b"{"),
            await asker.ask(body=b" " * (MOST + 1), app=_limited(asker.world, max_body_bytes=MOST)),
            await asker.ask(Content_Type="text/plain"),
            await asker.ask(Content_Encoding="gzip"),
        }
    return found | await _raised(asker, raised) | {await _exhausted(asker)}


async def _raised(asker: Asker, raised: Callable[[Exception | None], None]) -> set[int]:
    errors: list[Exception] = [RuntimeError("a defect"), Busy("The database is busy; try again.")]
    errors.append(Forbidden("The token has no scope.", scope="certifications:read"))
    if asker.endpoint.method != "GET":
        errors.append(IdempotencyKeyInUse("The first request is being worked on; try again."))
    found = set()
    for error in errors:
        raised(error)
        found.add(await asker.ask())
    raised(None)
    return found


def _limited(world: World, **settings: Any) -> ASGIApp:
    return create_app(SETTINGS.model_copy(update=settings), world.database)


async def _exhausted(asker: Asker) -> int:
    app = _limited(asker.world, rate_limit_per_minute=1)
    await asker.ask(If_Match="unquoted", app=app)
    return await asker.ask(app=app)


def test_nothing_is_excused_that_no_document_names() -> None:
    named: set[tuple[str, int]] = set()
    for endpoint in ENDPOINTS:
        named |= {(name, status) for status, names in declared(endpoint).items() for name in names}
    assert {(name, status) for name, statuses in ON_ANY.items() for status in statuses} <= named
