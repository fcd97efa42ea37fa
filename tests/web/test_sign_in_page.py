"""Signing in with a key and out again in a real browser, which says of itself where its forms come from."""

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected

from tests.conftest import LiveServer
from tests.web.conftest import waiting


def shows(browser: Chrome, css: str, text: str) -> None:
    waiting(browser).until(expected.text_to_be_present_in_element((By.CSS_SELECTOR, css), text), text)


def enter(browser: Chrome, key: str) -> None:
    field = browser.find_element(By.ID, "api-key")
    field.send_keys(key)
    field.submit()


def complaints(browser: Chrome) -> list[str]:
    """What the console complained about, but for the 401 that a refusal is and the 404 of a page that is none."""
    entries: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    severe = [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
    return [message for message in severe if "status of 401" not in message and "status of 404" not in message]


def test_in_with_a_key_and_out_again(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(live_server.url + "/sign-in")
    enter(browser, "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098")
    shows(browser, "[role=alert]", "unknown")
    assert browser.get_cookies() == []

    enter(browser, live_server.api_key)
    shows(browser, ".who", "Sign out")
    assert browser.current_url == live_server.url + "/app"
    cookie = browser.get_cookie("sessionid")
    assert cookie is not None
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert live_server.api_key not in browser.page_source

    # The page of the form knows, too.
    browser.get(live_server.url + "/sign-in")
    shows(browser, "main", "You act for")
    # So does the one that says that there is none.
    browser.get(live_server.url + "/app/nowhere")
    shows(browser, ".top .who", "Sign out")
    browser.get(live_server.url + "/graphiql")
    shows(browser, ".identity", "Signed in as")
    shows(browser, ".top .who", "Sign out")
    browser.find_element(By.CSS_SELECTOR, ".top .who button").click()
    shows(browser, ".top .who", "Sign in")
    assert browser.get_cookie("sessionid") is None
    # Whoever signs in on a page comes back to it.
    browser.get(live_server.url + "/docs")
    browser.find_element(By.CSS_SELECTOR, ".top .who a").click()
    enter(browser, live_server.api_key)
    shows(browser, ".top .who", "Sign out")
    assert browser.current_url == live_server.url + "/docs"
    assert complaints(browser) == []
