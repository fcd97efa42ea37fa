"""The workbench in a real browser: with and without JavaScript, by the keyboard alone, with nothing from elsewhere."""

import json

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.conftest import LiveServer
from tests.web.conftest import waiting
from tests.web.test_graphiql import find, hosts_asked, log
from tests.web.test_sign_in_page import complaints, shows

FIRST_LOAD = 120_000
LATER = 30_000


def enter(browser: Chrome, server: LiveServer, *, scripts: bool = True) -> None:
    """Asks for Today, signs in, and is there."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
    browser.get(f"{server.url}/app")
    field = find(browser, "#api-key")
    field.send_keys(server.api_key)
    find(browser, "main form button").click()
    shows(browser, "main h1", "Today")
    assert browser.current_url == f"{server.url}/app"


def received(browser: Chrome, server: LiveServer) -> int:
    """How many bytes came from the server since the last call; browsers have pages of their own, too."""
    events = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    ours = {
        event["params"]["requestId"]
        for event in events
        if event["method"] == "Network.requestWillBeSent" and event["params"]["request"]["url"].startswith(server.url)
    }
    finished = [event["params"] for event in events if event["method"] == "Network.loadingFinished"]
    return int(sum(each["encodedDataLength"] for each in finished if each["requestId"] in ours))


def test_pages_are_small_and_ask_nobody_else(browser: Chrome, live_server: LiveServer) -> None:
    enter(browser, live_server)
    first = received(browser, live_server)
    assert LATER / 10 < first < FIRST_LOAD
    for path in ("/app", "/app/certificates", "/app/claims", "/app/products", "/"):
        browser.get(live_server.url + path)
        waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, "main h1"))
        assert received(browser, live_server) < LATER, path
    browser.get(f"{live_server.url}/app/certificates")
    assert hosts_asked(browser) <= {live_server.url.removeprefix("http://")}
    assert complaints(browser) == []


def test_a_lapse_is_taken_on_by_the_keyboard_alone(browser: Chrome, live_server: LiveServer) -> None:
    enter(browser, live_server)
    body = find(browser, "body")
    body.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    for _ in range(80):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        if "taken-on" in (browser.switch_to.active_element.get_attribute("href") or ""):
            break
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    # What is to be typed has the focus at once.
    waiting(browser).until(lambda _: browser.switch_to.active_element.get_attribute("name") == "reason")
    browser.switch_to.active_element.send_keys("<i>The audit is on 20 January.</i>", Keys.ENTER)
    shows(browser, ".said", "<i>The audit is on 20 January.</i>")
    assert browser.current_url.partition("#")[0] == f"{live_server.url}/app"
    assert complaints(browser) == []


def test_a_list_is_narrowed_down_in_place(browser: Chrome, live_server: LiveServer) -> None:
    enter(browser, live_server)
    browser.get(f"{live_server.url}/app/certificates")
    before = len(browser.find_elements(By.CSS_SELECTOR, "tbody tr"))
    find(browser, "#status option[value=verified]").click()
    waiting(browser).until(lambda _: 0 < len(browser.find_elements(By.CSS_SELECTOR, "tbody tr")) < before)
    assert "status=verified" in browser.current_url
    assert browser.switch_to.active_element.get_attribute("id") == "status"
    browser.back()
    waiting(browser).until(lambda _: len(browser.find_elements(By.CSS_SELECTOR, "tbody tr")) == before)
    find(browser, "#total").text.endswith("in all")
    assert complaints(browser) == []


def test_all_of_it_works_without_scripts(browser: Chrome, live_server: LiveServer) -> None:
    enter(browser, live_server, scripts=False)
    find(browser, ".act .button").click()
    shows(browser, "main h1", "Take a lapse on")
    find(browser, "[name=reason]").send_keys("The audit is on 20 January.")
    find(browser, ".take button").click()
    shows(browser, "main h1", "Today")
    find(browser, ".ways a[href$=certificates]").click()
    find(browser, "#taken_on option[value=yes]").click()
    find(browser, ".filters button").click()
    waiting(browser).until(lambda _: "taken_on=yes" in browser.current_url)
    assert len(browser.find_elements(By.CSS_SELECTOR, "tbody tr")) == 2
    find(browser, ".ways a[href$=products]").click()
    find(browser, "[rel=next]").click()
    shows(browser, ".pages", "Previous")
    find(browser, ".who button").click()
    shows(browser, "main h1", "Certifications and claims of products")
    assert complaints(browser) == []
