"""A real Chromium that reaches this machine and nothing else."""

import os
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

SWITCHES = (
    "--headless=new",
    "--no-sandbox",  # tests also run as root, where Chromium refuses to start with it
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,800",
)


def waiting(browser: webdriver.Chrome) -> WebDriverWait[webdriver.Chrome]:
    """Waits until a page is as it should be, with an eye on it."""
    # What is looked at may be drawn anew meanwhile, which the driver says in more than one way.
    return WebDriverWait(browser, 30, poll_frequency=0.05, ignored_exceptions=[WebDriverException])


def _programs() -> tuple[str, str]:
    browsers = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    browser = next((path for name in browsers if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    missing = "chromium" if driver else "chromedriver"
    reason = f"The browser test needs {missing} on the path; on Debian: apt-get install chromium chromium-driver"
    if os.environ.get("CERTGATE_TEST_BROWSER") == "required":
        pytest.fail(reason)
    print(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A browser; skipped where there is none, unless CERTGATE_TEST_BROWSER=required."""
    binary, driver = _programs()
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SE_OFFLINE", "true")  # selenium must never fetch a browser or a driver
        # Days are typed in the order of the browser's language.
        service = Service(driver, env={**os.environ, "LANGUAGE": "en_US"})
        chrome = webdriver.Chrome(options=options, service=service)
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> webdriver.Chrome:
    """A browser without a past: a new tab without cookies. What else is kept is the server's, which has a port anew."""
    before = chromium.window_handles
    chromium.switch_to.new_window("tab")
    tab = chromium.current_window_handle
    for handle in before:
        chromium.switch_to.window(handle)
        chromium.close()
    chromium.switch_to.window(tab)
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    for kind in ("browser", "performance"):
        chromium.get_log(kind)  # type: ignore[no-untyped-call]
    return chromium
