"""Walks through the workbench as people take them, by the keyboard where it is pressed and with nothing from elsewhere.

One server and one browser for all of them: each walk begins signed in anew.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.keys import Keys

from tests.conftest import LiveServer, demo_server
from tests.web.conftest import waiting
from tests.web.test_graphiql import find, hosts_asked
from tests.web.test_sign_in_page import complaints, shows

TODAY = datetime.now(UTC).date()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with demo_server(tmp_path_factory.mktemp("walks")) as server:
        yield server


@pytest.fixture
def browser(browser: Chrome, server: LiveServer) -> Iterator[Chrome]:
    """Signed in as the demo's manager; no walk asks another host, breaks a policy or fails at something."""
    browser.get(f"{server.url}/app")
    find(browser, "#api-key").send_keys(server.api_key, Keys.ENTER)
    shows(browser, "main h1", "Today")
    yield browser
    assert hosts_asked(browser) <= {server.url.removeprefix("http://")}
    # A form that is refused is shown again with the status that says so.
    assert [said for said in complaints(browser) if "status of 422" not in said] == []


def press(browser: Chrome, *keys: str) -> None:
    """Presses keys where the focus is."""
    ActionChains(browser, duration=0).send_keys(*keys).perform()


def reach(browser: Chrome, css: str) -> None:
    """Goes to an element by the tabulator alone; it has to be on the way."""
    wanted = find(browser, css)
    for _ in range(150):
        if browser.execute_script("return document.activeElement === arguments[0]", wanted):
            return
        press(browser, Keys.TAB)
    raise AssertionError(f"{css} cannot be reached")


def type_day(browser: Chrome, day: str) -> None:
    """Types a day into the field that has the focus, as en-US browsers want it."""
    year, month, day_of_month = day.split("-")
    press(browser, month, day_of_month, year)


def test_invited_and_signed_in(browser: Chrome, server: LiveServer) -> None:
    with httpx2.Client(base_url=server.url, headers={"X-API-Key": server.api_key}) as client:
        (owner,) = client.get("/account/api/v1/whoami").json()["organizations"]
        sent = {"email": "walker@example.org", "role": "editor"}
        made = client.post(f"/account/api/v1/organizations/{owner['id']}/invitations", json=sent)
    browser.delete_all_cookies()
    browser.get(f"{server.url}/invitation?{made.json()['link'].partition('?')[2]}")
    reach(browser, "main form button")
    press(browser, Keys.ENTER)
    waiting(browser).until(lambda _: "invitation" not in browser.current_url)
    browser.get(f"{server.url}/app")
    shows(browser, "main h1", "Today")
    assert "editor" in find(browser, ".who span").get_attribute("title")  # type: ignore[operator]


def test_a_product_is_proven_as_of_last_march(browser: Chrome, server: LiveServer) -> None:
    browser.get(f"{server.url}/app/products/09520000000042")
    march = TODAY.replace(month=3, day=31, year=TODAY.year if TODAY.month > 3 else TODAY.year - 1)
    reach(browser, "#as_of")
    type_day(browser, str(march))
    press(browser, Keys.ENTER)
    shows(browser, ".note", "This is what held on")
    assert f"as_of={march}" in browser.current_url
    shows(browser, ".holding", "Current")


def test_lists_a_product_and_its_form_do_without_scripts(browser: Chrome, server: LiveServer) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(f"{server.url}/app/products?search=Demo")
    find(browser, "input[name=row]").click()
    find(browser, "#change button").click()
    find(browser, "#net_content").send_keys("333 g")
    find(browser, "button[value=try]").click()
    shows(browser, "ins", "333 g")
    find(browser, "button[value=do]").click()
    shows(browser, "[role=status]", "1 row was changed.")
    browser.get(f"{server.url}/app/products/09520000000059/edit")
    field = find(browser, "#net_content")
    field.clear()
    field.send_keys("n" * 101)
    field.submit()
    shows(browser, "#net_content-says", "100")
    field = find(browser, "#net_content")
    field.clear()
    field.send_keys("1 kg", Keys.ENTER)
    shows(browser, "[role=status]", "It is done")
