"""What a browser meets beside the pages themselves: a slash too many, an address that is none."""

import re
from typing import NoReturn

import pytest

from domain.errors import Busy
from tests.conftest import SETTINGS
from tests.world import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/graphiql/", "/docs/", "/docs/errors/"])
async def test_a_last_slash_leads_to_the_page(world: World, path: str) -> None:
    moved = await world.client.get(path)
    assert (moved.status_code, moved.headers["location"]) == (308, path.rstrip("/"))
    assert (await world.client.get(moved.headers["location"])).status_code == 200


async def test_a_browser_that_is_lost_gets_a_page_and_a_program_a_problem(world: World) -> None:
    page = await world.client.get("/no/such/page", headers=BROWSER)
    assert page.status_code == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    ways = re.findall(r'<a href="([^"]+)"', page.text)
    assert len(ways) > 3
    for path in ways:
        shown = await world.client.get(path, follow_redirects=True)
        assert (shown.status_code, shown.url.path) == (200, "/sign-in" if path == "/app" else path)
    for accept in ("*/*", "application/json"):
        problem = await world.client.get("/no/such/page", headers={"Accept": accept})
        assert problem.status_code == 404
        assert problem.headers["content-type"] == "application/problem+json"
    # The API's own paths are for programs, whoever asks.
    assert (await world.client.get("/products/api/v1/none", headers=BROWSER)).headers["content-type"] != "text/html"


@pytest.mark.parametrize("accept", [BROWSER["Accept"], "application/json"])
async def test_what_goes_wrong_on_a_page_is_a_page_where_a_browser_asks(
    world: World, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    def fails(*_: object) -> NoReturn:
        raise RuntimeError("a cause that nobody is told")

    def is_busy(*_: object) -> NoReturn:
        raise Busy("The database is starting; try again.", 3)

    is_page = accept != "application/json"
    monkeypatch.setattr("workbench.home.page", fails)
    monkeypatch.setattr("resolvers.sessions.find_link", is_busy)
    for method, path, status in (("GET", "/", 500), ("DELETE", "/docs", 405), ("GET", "/sign-in?link=x", 503)):
        answer = await world.client.request(method, path, headers={"Accept": accept, "X-Request-ID": "r-7"})
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html" if is_page else "application/problem+json")
        assert answer.headers["x-request-id"] == "r-7"
        assert ("r-7" in answer.text) is is_page
        assert "nobody is told" not in answer.text
        assert answer.headers.get("retry-after") == ("3" if status == 503 else None)
        assert ("GET" in answer.headers.get("allow", "")) is (status == 405)


async def test_a_body_that_is_too_large_is_a_page_where_a_browser_sends_it(world: World) -> None:
    form = {"reason": "x" * (SETTINGS.max_body_bytes + 1)}
    for headers, media_type in ((BROWSER, "text/html; charset=utf-8"), ({}, "application/problem+json")):
        refused = await world.client.post("/app/certificates/change", data=form, headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (413, media_type)
        assert "send less in one request" in refused.text
