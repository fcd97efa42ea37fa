"""The example dashboard as a page of another site: shown where the gateway lets that in, and explained where not."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.conftest import ROOT, demo_server
from tests.processes import succeeded
from tests.web.conftest import waiting
from tests.web.test_graphiql import log

FOLDER = ROOT / "docs" / "examples" / "dashboard" / "browser"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[str]:
    """The example's folder as another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(FOLDER))) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()
        thread.join()


def shows(browser: Chrome, css: str) -> str:
    """The text of what has one, once it has."""
    return str(waiting(browser).until(lambda page: page.find_element(By.CSS_SELECTOR, css).text))


def fill_in(browser: Chrome, form: str, **fields: str) -> None:
    for name, value in fields.items():
        field = browser.find_element(By.CSS_SELECTOR, f"#{form} [name={name}]")
        field.clear()
        field.send_keys(value)
    browser.find_element(By.CSS_SELECTOR, f"#{form} button").click()


@pytest.mark.parametrize("is_let_in", [True, False])
def test_the_dashboard_is_shown_where_it_is_let_in(
    browser: Chrome, origin: str, tmp_path: Path, is_let_in: bool
) -> None:
    with demo_server(tmp_path, CERTGATE_CORS_ORIGINS=origin if is_let_in else "https://other.example") as server:
        made = ("keys", "create", "--organization", "demo", "--role", "readonly", "--kind", "cpk", "--quiet")
        key = succeeded(*made, CERTGATE_DATABASE_URL=server.database_url).strip()
        browser.get(origin)
        fill_in(browser, "gateway", url=server.url, key=key)
        if not is_let_in:
            said = shows(browser, "#trouble")
            assert f"CERTGATE_CORS_ORIGINS={origin}" in said
            assert server.url in said
            return
        assert int(shows(browser, "#number")) > 0
        assert len(browser.find_elements(By.CSS_SELECTOR, "#certificates tr")) > 0
        fill_in(browser, "search", words="chocolate")
        first, _, every = shows(browser, "#found").partition(" of ")
        assert int(first) == 5 < int(every)
        browser.find_element(By.ID, "more").click()
        waiting(browser).until(lambda page: len(page.find_elements(By.CSS_SELECTOR, "#list li")) > 5)
        assert [entry["message"] for entry in log(browser, "browser") if entry["level"] == "SEVERE"] == []
        # What the gateway says of a key is shown as it says it.
        fill_in(browser, "gateway", url=server.url, key=f"{key[:-1]}x")
        assert "key" in shows(browser, "#trouble")
