"""The GraphiQL page in a real browser, against the real server, with every other host out of reach."""

import json
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as expected

from tests.web.conftest import waiting

NAME = "Demo Arabica coffee beans"  # of the product in the first example


class LiveServer(Protocol):
    """The parts of the running server that a browser needs."""

    url: str
    sign_in_url: str
    api_key: str


def find(browser: Chrome, css: str) -> WebElement:
    return waiting(browser).until(expected.element_to_be_clickable((By.CSS_SELECTOR, css)))


def wait_for_text(browser: Chrome, css: str, text: str) -> None:
    waiting(browser).until(expected.text_to_be_present_in_element((By.CSS_SELECTOR, css), text), f"{text!r} in {css}")


def choose(browser: Chrome, css: str, text: str) -> None:
    """Click the element with that text; the list may be drawn anew while it is looked at."""

    def chosen(_: Chrome) -> bool:
        for element in browser.find_elements(By.CSS_SELECTOR, css):
            if element.text == text:
                element.click()
                return True
        return False

    waiting(browser).until(chosen)


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


def operations_sent(browser: Chrome) -> list[dict[str, Any]]:
    """What was posted to /graphql since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    requests = [event["params"]["request"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [
        json.loads(request["postData"])
        for request in requests
        if request["method"] == "POST" and request["url"].endswith("/graphql")
    ]


def run_operation(browser: Chrome) -> None:
    find(browser, ".graphiql-execute-button").click()


def tabs(browser: Chrome) -> list[str]:
    return [tab.text for tab in browser.find_elements(By.CSS_SELECTOR, ".graphiql-tab")]


def open_example(browser: Chrome, title: str) -> None:
    find(browser, ".example")
    (example,) = (it for it in browser.find_elements(By.CSS_SELECTOR, ".example") if title in it.text)
    example.click()


def test_signed_in_page_runs_its_first_example_and_explains_the_schema(
    browser: Chrome, live_server: LiveServer
) -> None:
    browser.get(f"{live_server.sign_in_url}&to=/graphiql")
    wait_for_text(browser, ".identity", "Signed in as")
    assert urlsplit(browser.current_url).path == "/graphiql"
    assert tabs(browser) == ["ProductWithEverything"]
    # On a first visit the tour is offered, numbered, with a mark on what changes data.
    offered = [example.text for example in browser.find_elements(By.CSS_SELECTOR, ".example")]
    assert len(offered) >= 12
    assert offered[0].startswith("A product with everything")
    assert any("changes data" in text for text in offered)
    # The schema comes with the page: fetching it again would do nothing.
    assert not browser.find_element(By.CSS_SELECTOR, "[aria-label='Re-fetch GraphQL schema']").is_displayed()

    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", f'"{NAME}"')

    # The docs are searched by name, also for what is inside a type.
    find(browser, "[aria-label='Show Documentation Explorer']").click()
    wait_for_text(browser, ".graphiql-plugin", "Mutation")
    find(browser, ".graphiql-doc-explorer-search input").send_keys("verificationst")
    wait_for_text(browser, ".graphiql-doc-explorer-search", "CertificationAssignment.verificationStatus")
    choose(browser, ".graphiql-doc-explorer-search [role='option']", "CertificationAssignment.verificationStatus")
    wait_for_text(browser, ".graphiql-plugin", "How far the certificate was confirmed against its issuer's registry.")
    # Values of enumerations are explained there too.
    for link in browser.find_elements(
        By.CSS_SELECTOR, ".graphiql-doc-explorer-content .graphiql-doc-explorer-type-name"
    ):
        link.click()
    wait_for_text(browser, ".graphiql-plugin", "nobody has compared it with the issuer's registry")
    find(browser, "[data-value='settings']").click()
    wait_for_text(browser, ".graphiql-dialog", "Theme")
    assert console_errors(browser) == []
    assert hosts_asked(browser) == {urlsplit(live_server.url).netloc}


def test_example_opens_in_a_tab_without_complaints(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(f"{live_server.sign_in_url}&to=/graphiql")
    wait_for_text(browser, ".identity", "Signed in as")
    find(browser, "[aria-label='Show Documentation Explorer']").click()
    wait_for_text(browser, ".graphiql-plugin", "Mutation")
    find(browser, "[aria-label='Show Examples']").click()
    open_example(browser, "Assign a claim")
    wait_for_text(browser, ".graphiql-tab-active", "AssignAClaim")
    wait_for_text(browser, ".graphiql-editor-tool", '"claimId"')
    wait_for_text(browser, ".example[aria-current]", "Assign a claim")
    # Members with an empty default may be left out, and the editor knows.
    marks = """const { CodeMirror } = document.querySelector('.graphiql-editor-tool .CodeMirror');
        CodeMirror.performLint();
        return CodeMirror.getAllMarks().filter((mark) => /lint/.test(mark.className)).length"""
    waiting(browser).until(lambda page: page.execute_script(marks) == 0)
    # A second click finds the tab again.
    open_example(browser, "Assign a claim")
    assert tabs(browser) == ["ProductWithEverything", "AssignAClaim"]

    find(browser, "[aria-label='Say with each answer what it costs']").click()
    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", '"ClaimAssigned"')
    find(browser, ".graphiql-response .CodeMirror-scroll")
    shown = browser.execute_script("return document.querySelector('.result-window .CodeMirror').CodeMirror.getValue()")
    assert json.loads(shown)["extensions"]["cost"]["breakdown"]
    assert console_errors(browser) == []


def test_returning_visitor_finds_the_tabs_again(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(f"{live_server.sign_in_url}&to=/graphiql")
    open_example(browser, "Page through a list")
    wait_for_text(browser, ".graphiql-tab-active", "PageForward")
    saved = "return localStorage.getItem('certgate:graphiql:tabState') || ''"
    # GraphiQL saves a tab in several steps, half a second after the last change.
    waiting(browser).until(
        lambda page: all(part in page.execute_script(saved) for part in ('"activeTabIndex":1', "PageForward"))
    )

    browser.refresh()
    wait_for_text(browser, ".graphiql-tab-active", "PageForward")
    assert tabs(browser) == ["ProductWithEverything", "PageForward"]
    assert browser.find_elements(By.CSS_SELECTOR, ".example") == []
    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", '"products"')


def test_link_to_an_operation_fills_a_tab_and_runs_nothing(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(f"{live_server.sign_in_url}&to=/graphiql")
    open_example(browser, "Assign a claim")
    wait_for_text(browser, ".graphiql-tab-active", "AssignAClaim")
    wait_for_text(browser, ".graphiql-editor-tool", '"claimId"')
    find(browser, "[aria-label='Copy a link to this operation']").click()
    waiting(browser).until(expected.url_contains("#query="))
    link = browser.current_url
    fragment = parse_qs(urlsplit(link).fragment)
    assert fragment.keys() == {"query", "variables"}
    assert "mutation AssignAClaim" in fragment["query"][0]
    assert json.loads(fragment["variables"][0])["input"]["gtin"]

    # Somebody else opens it: signed in, even, and with tabs of their own.
    browser.execute_script("localStorage.clear()")
    browser.get("about:blank")
    operations_sent(browser)
    browser.get(link)
    wait_for_text(browser, ".graphiql-tab-active", "AssignAClaim")
    wait_for_text(browser, ".graphiql-editor-tool", '"claimId"')
    wait_for_text(browser, ".identity", "Signed in as")
    find(browser, "[aria-label='Show Documentation Explorer']").click()
    wait_for_text(browser, ".graphiql-plugin", "Mutation")  # the schema has arrived: all is loaded that ever will be
    sent = operations_sent(browser)
    assert {operation["operationName"] for operation in sent} == {"WhoAmI"}
    assert (
        browser.execute_script("return document.querySelector('.result-window .CodeMirror').CodeMirror.getValue()")
        == ""
    )

    run_operation(browser)
    wait_for_text(browser, ".graphiql-response", '"ClaimAssigned"')


def test_an_operation_in_the_address_outlives_signing_in(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(f"{live_server.url}/graphiql#query=query+Shared+%7B+__typename+%7D")
    wait_for_text(browser, ".graphiql-tab-active", "Shared")
    browser.execute_script("localStorage.clear()")
    find(browser, ".top .who a").click()
    find(browser, "#api-key").send_keys(live_server.api_key, Keys.ENTER)
    wait_for_text(browser, ".identity", "Signed in as")
    wait_for_text(browser, ".graphiql-tab-active", "Shared")
    assert urlsplit(browser.current_url).fragment.startswith("query=query+Shared")


def test_narrow_window_shows_one_thing_above_the_other(browser: Chrome, live_server: LiveServer) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(f"{live_server.sign_in_url}&to=/graphiql")
    wait_for_text(browser, ".identity", "Signed in as")
    assert browser.find_elements(By.CSS_SELECTOR, ".example") == []
    editors, response = find(browser, ".graphiql-editors"), find(browser, ".graphiql-response")
    assert editors.rect["y"] + editors.rect["height"] < response.rect["y"] + 1  # pixels are rounded
    assert min(editors.rect["width"], response.rect["width"]) > 300
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390

    find(browser, "[aria-label='Show Examples']").click()
    pane = find(browser, ".graphiql-plugin")
    assert pane.rect["width"] > 300
    open_example(browser, "Page through a list")
    wait_for_text(browser, ".graphiql-tab-active", "PageForward")
    run_operation(browser)  # which the pane would cover
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
