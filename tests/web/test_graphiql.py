"""The GraphiQL page in a real browser, against the real server, with every other host out of reach."""

import json
from typing import Protocol
from urllib.parse import urlsplit

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

NAME = "Nutella"  # of the product in the first example


class LiveServer(Protocol):
    """The parts of the running server that a browser needs."""

    url: str
    sign_in_url: str
    api_key: str


def waiting(browser: Chrome) -> WebDriverWait[Chrome]:
    return WebDriverWait(browser, 30)


def find(browser: Chrome, css: str) -> WebElement:
    return waiting(browser).until(expected.element_to_be_clickable((By.CSS_SELECTOR, css)))


def wait_for_text(browser: Chrome, css: str, text: str) -> None:
    waiting(browser).until(
        expected.text_to_be_present_in_element((By.CSS_SELECTOR, css), text), f"{text!r} in {css}"
    )


def log(browser: Chrome, kind: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = browser.get_log(kind)  # type: ignore[no-untyped-call]
    return entries


def console_errors(browser: Chrome) -> list[str]:
    """What the console complained about since the last call; the content policy's refusals are among it."""
    return [entry["message"] for entry in log(browser, "browser") if entry["level"] == "SEVERE"]


def hosts_asked(browser: Chrome) -> set[str]:
    """The host and port of every request since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    addresses = [
        urlsplit(event["params"]["request"]["url"])
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return {address.netloc for address in addresses if address.scheme in {"http", "https"}}


def run_operation(browser: Chrome) -> None:
    find(browser, ".graphiql-execute-button").click()


def test_signed_in_page_runs_its_first_example(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(live_server.sign_in_url)
    wait_for_text(browser, ".identity", "Signed in as")
    assert urlsplit(browser.current_url).path == "/graphiql"
    tabs = [tab.text for tab in browser.find_elements(By.CSS_SELECTOR, ".graphiql-tab")]
    assert tabs == ["ProductWithEverything", "AssignAClaim", "PatchACertification", "PageThroughProducts"]

    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", f'"{NAME}"')

    find(browser, "[aria-label='Show Documentation Explorer']").click()
    wait_for_text(browser, ".graphiql-plugin", "Mutation")
    find(browser, "[data-value='settings']").click()
    wait_for_text(browser, ".graphiql-dialog", "Theme")
    assert console_errors(browser) == []
    assert hosts_asked(browser) == {urlsplit(live_server.url).netloc}


def test_returning_visitor_finds_the_tabs_again(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(live_server.sign_in_url)
    find(browser, "[aria-label='Show Examples']").click()
    browser.find_elements(By.CSS_SELECTOR, ".example")[3].click()
    wait_for_text(browser, ".graphiql-tab-active", "PageThroughProducts")
    saved = "return localStorage.getItem('certgate:graphiql:tabState') || ''"
    waiting(browser).until(lambda page: '"activeTabIndex":3' in page.execute_script(saved))

    browser.refresh()
    wait_for_text(browser, ".graphiql-tab-active", "PageThroughProducts")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".graphiql-tab")) == 4
    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", '"products"')


def test_visitor_types_a_key_that_stays_in_memory(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(f"{live_server.url}/graphiql")
    wait_for_text(browser, ".identity", "Not signed in")
    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", '"unauthorized"')
    # The browser itself reports each 401; nothing else may be wrong.
    assert all("/graphql - " in error and "401" in error for error in console_errors(browser))

    key = find(browser, "#api-key")
    assert (key.get_attribute("type"), key.get_attribute("autocomplete")) == ("password", "off")
    key.send_keys(live_server.api_key, Keys.ENTER)
    wait_for_text(browser, ".identity", "Using a key of")
    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", f'"{NAME}"')
    find(browser, "[aria-label='Copy a link to this operation']").click()
    waiting(browser).until(expected.url_contains("#query="))

    everything_kept = browser.execute_script("""return JSON.stringify(
        [{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state]
    )""")
    assert "ProductWithEverything" in everything_kept
    assert live_server.api_key not in everything_kept
    assert console_errors(browser) == []
    assert hosts_asked(browser) == {urlsplit(live_server.url).netloc}

    browser.refresh()
    wait_for_text(browser, ".identity", "Not signed in")


def test_refused_key_is_explained(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(f"{live_server.url}/graphiql")
    find(browser, "#api-key").send_keys(live_server.api_key[:-1], Keys.ENTER)
    waiting(browser).until(lambda page: page.find_element(By.CSS_SELECTOR, ".refused").text)
    wait_for_text(browser, ".identity", "Not signed in")


def test_address_may_carry_an_operation_but_no_header(browser: Chrome, live_server: LiveServer) -> None:
    shared = "query=query+Shared+%7B+__typename+%7D&variables=%7B%22a%22:1%7D"
    header = f"headers=%7B%22X-API-Key%22:%22{live_server.api_key}%22%7D"
    browser.get(f"{live_server.url}/graphiql?{shared}&{header}")
    wait_for_text(browser, ".graphiql-tab-active", "Shared")
    wait_for_text(browser, ".graphiql-editor-tool", '"a": 1')
    wait_for_text(browser, ".identity", "Not signed in")
    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", '"unauthorized"')
