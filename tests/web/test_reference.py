"""The API reference in a real browser that reaches no other host."""

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.conftest import LiveServer
from tests.web.conftest import waiting


def element(browser: webdriver.Chrome, css: str) -> WebElement:
    return waiting(browser).until(lambda driver: driver.find_element(By.CSS_SELECTOR, css))


def complaints(browser: webdriver.Chrome) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call]


def executed(browser: webdriver.Chrome, operation: str) -> str:
    """The status of the answer to an operation of the shown API, sent as the page fills it in."""
    shown = f"#operations-{operation}"
    element(browser, f"{shown} button.opblock-summary-control").click()
    element(browser, f"{shown} .try-out__btn").click()
    element(browser, f"{shown} .execute").click()
    status = element(browser, f"{shown} .live-responses-table tbody .response-col_status")
    waiting(browser).until(lambda _: status.text)
    return status.text.split()[0]


def test_reference_draws_every_api_and_tries_some_out(browser: webdriver.Chrome, live_server: LiveServer) -> None:
    browser.get(f"{live_server.url}/docs")
    assert element(browser, "#reference .title").text.startswith("Certifications API")
    tabs = [tab.text for tab in browser.find_elements(By.CSS_SELECTOR, "#apis a")]
    assert tabs == ["Certifications", "Products", "Account"]

    element(browser, ".authorize").click()
    element(browser, "#api_key_value").send_keys(live_server.api_key)
    element(browser, ".auth-btn-wrapper .authorize").click()
    element(browser, ".close-modal").click()
    assert executed(browser, "Claims-apps_certifications_api_list_claims") == "200"
    assert executed(browser, "Assignments-apps_certifications_api_get_product_claim") == "200"
    assert executed(browser, "Assignments-apps_certifications_api_create_product_claim") == "201"
    assert executed(browser, "Imports-apps_certifications_api_start_import") == "202"
    assert complaints(browser) == []

    browser.find_elements(By.CSS_SELECTOR, "#apis a")[1].click()
    waiting(browser).until(
        lambda driver: driver.find_element(By.CSS_SELECTOR, "#reference .title").text.startswith("Products API")
    )
    assert complaints(browser) == []


def test_page_of_an_error_is_styled(browser: webdriver.Chrome, live_server: LiveServer) -> None:
    browser.get(f"{live_server.url}/docs/errors/not_found")
    assert element(browser, "h1").text == "Not Found"
    assert element(browser, "main").value_of_css_property("max-width") != "none"
    element(browser, "main a[href='../errors']").click()
    assert element(browser, "h1").text == "Refusals"
    narrow = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert complaints(browser) == []
