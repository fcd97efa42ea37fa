"""The settings in a real browser: invited, a key made and revoked, a calendar subscribed to, a webhook tried."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.conftest import LiveServer, demo_server
from tests.processes import started
from tests.web.conftest import waiting
from tests.web.test_graphiql import find
from tests.web.test_sign_in_page import complaints, shows
from tests.web.test_workbench import enter


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A demo that sends webhooks to this machine, too."""
    with demo_server(tmp_path, CERTGATE_WEBHOOK_NETWORKS="127.0.0.0/8") as server:
        yield server


def go(browser: Chrome, section: str, act: str) -> None:
    """To a page of the settings by its links, and what can be done there."""
    find(browser, ".ways a[href$=settings]").click()
    find(browser, f".sections a[href$='{section}']").click()
    find(browser, f".head a[href$='{section}/{act}']").click()


def shown(browser: Chrome) -> str:
    """What is shown once, and is left then."""
    secret = find(browser, "#secret").get_attribute("value")
    assert secret is not None
    find(browser, ".setting .buttons a").click()
    return secret


def act_on(browser: Chrome, name: str, act: str) -> None:
    """What can be done to the thing of that name, by its menu, and what asks back."""
    thing = waiting(browser).until(lambda _: browser.find_element(By.XPATH, f"//li[contains(., '{name}')]"))
    thing.find_element(By.CSS_SELECTOR, ".acts summary").click()
    thing.find_element(By.CSS_SELECTOR, f".acts a[href$='/{act}']").click()
    find(browser, ".fields button").click()
    shows(browser, "[role=status]", ".")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_walk_through_the_settings(browser: Chrome, server: LiveServer, tmp_path: Path, scripts: bool) -> None:
    enter(browser, server, scripts=scripts)
    go(browser, "people", "invite")
    find(browser, "#email").send_keys("ann@example.org")
    find(browser, "#role option[value=manager]").click()
    find(browser, ".fields button").click()
    assert find(browser, "[data-copies]" if scripts else "#secret").is_displayed()
    link = shown(browser)
    shows(browser, "[aria-labelledby=invitations]", "ann@example.org")

    browser.get(link)
    find(browser, "main form button").click()
    waiting(browser).until(lambda _: "/invitation" not in browser.current_url)
    browser.get(f"{server.url}/app/settings")
    shows(browser, ".setting", "ann@example.org, manager")
    go(browser, "keys", "make")
    find(browser, "#name").send_keys("The till")
    find(browser, ".fields button").click()
    key = shown(browser)
    me = f"{server.url}/account/api/v1/whoami"
    assert httpx2.get(me, headers={"X-API-Key": key}).status_code == 200
    act_on(browser, "The till", "revoke")
    assert httpx2.get(me, headers={"X-API-Key": key}).status_code == 401

    find(browser, ".sections a[href$=views]").click()
    find(browser, ".thing .what a").click()
    find(browser, ".head a[href$='/calendar']").click()
    find(browser, ".fields button").click()
    assert "BEGIN:VCALENDAR" in httpx2.get(shown(browser)).text

    with started("-m", "tests.gateway.receiver", str(tmp_path / "received")) as receiver:
        go(browser, "webhooks", "make")
        find(browser, "#url").send_keys(f"http://127.0.0.1:{int(receiver.output.readline())}/200/till")
        find(browser, ".fields button").click()
        shown(browser)
        act_on(browser, "/200/till", "test")

        def answered(_: object) -> bool:
            if not scripts:
                find(browser, ".setting section .head a").click()
            return "200" in browser.find_element(By.CSS_SELECTOR, ".deliveries .badge").text

        waiting(browser).until(answered)
    assert complaints(browser) == []
