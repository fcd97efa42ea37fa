"""Walks through the workbench as people take them, by the keyboard where it is pressed and with nothing from elsewhere.

One server and one browser for all of them: each walk begins signed in.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx2
import icalendar
import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.conftest import LiveServer, demo_server
from tests.web.conftest import waiting
from tests.web.test_graphiql import find, hosts_asked
from tests.web.test_sign_in_page import complaints, shows

TODAY = datetime.now(UTC).date()

SHEET = """\
EAN,Name,Certification,Certificate number,Valid until,{unknown}
{gtin},Walked rice drink,USDA Organic,NOP-1,{year}-12-09,7
{other},Walked oat bar,USDA Organic,NOP-2,{year}-12-31,8
12,No product,USDA Organic,NOP-3,{year}-12-31,9
"""
SHEETS = {
    False: ("04006381333931", "04006381333948", "Shelf"),
    True: ("04006381333955", "04006381333962", "Rack"),
}

RENEWED = {
    False: [
        ("09520000000011", "EU_ORGANIC"),
        ("09520000000066", "USDA_ORGANIC"),
        ("09520000000073", "RAINFOREST_ALLIANCE"),
    ],
    True: [("09520000000011", "FAIRTRADE"), ("09520000000035", "FAIRTRADE"), ("09520000000080", "MSC")],
}
"""Certificates of the demo that lapse soon, and were not renewed yet."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with demo_server(tmp_path_factory.mktemp("walks")) as server:
        yield server


@pytest.fixture(scope="module")
def session(server: LiveServer) -> str:
    """Of the demo's manager, as the cookie has it."""
    signed_in = httpx2.post(f"{server.url}/sign-in", data={"api_key": server.api_key}, headers={"Origin": server.url})
    return signed_in.cookies["sessionid"]


@pytest.fixture
def browser(browser: Chrome, server: LiveServer, session: str) -> Iterator[Chrome]:
    """Signed in as the demo's manager; no walk asks another host, breaks a policy or fails at something."""
    browser.execute_cdp_cmd("Network.setCookie", {"name": "sessionid", "value": session, "url": server.url})
    yield browser
    assert hosts_asked(browser) <= {server.url.removeprefix("http://")}
    # A form that is refused is shown again with the status that says so.
    assert [said for said in complaints(browser) if "status of 422" not in said] == []


class Walker(NamedTuple):
    """Somebody in front of a browser, with a pointer or with a keyboard alone."""

    browser: Chrome
    server: LiveServer
    keyboard: bool

    def go(self, path: str) -> None:
        """Types an address."""
        self.browser.get(self.server.url + path)

    def reach(self, css: str) -> None:
        """Goes on by the tabulator, until an element has the focus; it has to be on the way."""
        find(self.browser, css)
        self.browser.execute_script(STOP_AT, css)
        for _ in range(8):
            self.press(*[Keys.TAB] * 20)
            if self.browser.execute_script("return document.activeElement.matches(arguments[0])", css):
                self.browser.execute_script("window.reached.abort()")
                return
        raise AssertionError(f"{css} cannot be reached")

    def press(self, *keys: str) -> None:
        """Presses keys where the focus is."""
        ActionChains(self.browser, duration=0).send_keys(*keys).perform()

    def use(self, css: str) -> None:
        """Follows a link, presses a button or opens what can be unfolded."""
        if self.keyboard:
            self.reach(css)
            self.press(Keys.ENTER)
        else:
            find(self.browser, css).click()

    def choose(self, css: str, value: str) -> None:
        """Chooses what has a value, by its words at the keyboard."""
        option = find(self.browser, f"{css} option[value='{value}']")
        if self.keyboard:
            words = option.text
            self.reach(css)
            self.press(words)
        else:
            option.click()

    def fill(self, css: str, *keys: str) -> None:
        """Types into a field; Enter at the end sends its form."""
        if self.keyboard:
            self.reach(css)
            self.press(*keys)
        else:
            find(self.browser, css).send_keys(*keys)

    def shows(self, css: str, text: str) -> None:
        """Waits for a text."""
        shows(self.browser, css, text)


# The tabulator stops where it was to go, so that it can be pressed often at once.
STOP_AT = """
const css = arguments[0];
window.reached = new AbortController();
document.addEventListener("keydown", (event) => {
  if (event.key === "Tab" && document.activeElement.matches(css)) event.preventDefault();
}, { signal: window.reached.signal });
"""

BOTH_WAYS = pytest.mark.parametrize("walker", [False, True], ids=["pointer", "keyboard"], indirect=True)


@pytest.fixture
def walker(browser: Chrome, server: LiveServer, request: pytest.FixtureRequest) -> Walker:
    return Walker(browser, server, getattr(request, "param", True))


def typed(day: date) -> str:
    """A day as it is typed into a field of an English browser."""
    return f"{day:%m%d%Y}"


def test_invited_and_signed_in(walker: Walker) -> None:
    browser, server = walker.browser, walker.server
    with httpx2.Client(base_url=server.url, headers={"X-API-Key": server.api_key}) as client:
        (owner,) = client.get("/account/api/v1/whoami").json()["organizations"]
        sent = {"email": "walker@example.org", "role": "editor"}
        made = client.post(f"/account/api/v1/organizations/{owner['id']}/invitations", json=sent)
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.get(f"{server.url}/invitation?{made.json()['link'].partition('?')[2]}")
    walker.use("main form button")
    waiting(browser).until(lambda _: "invitation" not in browser.current_url)
    walker.go("/app")
    walker.shows("main h1", "Today")
    assert "editor" in find(browser, ".who span").get_attribute("title")  # type: ignore[operator]


@pytest.mark.parametrize("walker", [False, True], ids=["without scripts", "keyboard"], indirect=True)
def test_a_sheet_is_put_in(walker: Walker, tmp_path: Path) -> None:
    browser, server = walker.browser, walker.server
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not walker.keyboard})
    gtin, other, unknown = SHEETS[walker.keyboard]
    sheet = tmp_path / "own.csv"
    sheet.write_text(SHEET.format(gtin=gtin, other=other, unknown=unknown, year=TODAY.year + 1), encoding="utf-8")

    def send(button: str) -> None:
        # The dialog in which files are chosen is the system's.
        browser.find_element(By.ID, "file").send_keys(str(sheet))
        walker.use(f"button[value={button}]")

    def ended(*, stored: bool) -> bool:
        if not walker.keyboard and browser.find_elements(By.TAG_NAME, "progress"):
            find(browser, "#progress p a").click()
        text = browser.find_element(By.CSS_SELECTOR, ".head .total").text
        return "Done" in text and ("nothing of it was stored" in text) is not stored

    walker.go("/app")
    walker.use(".ways a[href$=import]")
    send("look")
    walker.shows("[role=alert]", f"Nobody knows the column '{unknown}'")
    walker.choose("#c6", "nothing")
    send("look")
    waiting(browser).until(lambda _: ended(stored=False))
    walker.shows("#progress", "it is not a GTIN")
    walker.choose("#policy", "IGNORE_FAILED")
    send("put_in")
    waiting(browser).until(lambda _: ended(stored=True))
    refused = find(browser, "#progress a[href$='/refused']").get_attribute("href")
    assert refused
    with httpx2.Client(headers={"X-API-Key": server.api_key}) as client:
        assert "NOP-3" in client.get(refused).text
    walker.go(f"/app/products/{gtin}")
    walker.shows("main h1", "Walked rice drink")
    walker.shows(".holding", "NOP-1")


@BOTH_WAYS
def test_what_lapses_is_found_from_today(walker: Walker) -> None:
    walker.go("/app")
    walker.use(".age a")
    waiting(walker.browser).until(lambda _: "anew=1" in walker.browser.current_url)
    within_30_days = ".horizon tbody tr:first-child td:nth-of-type(3) a"
    number = int(find(walker.browser, within_30_days).text)
    walker.use(within_30_days)
    walker.shows("main h1", "Certificates")
    walker.shows("#total", f"{number} in all")
    assert len(walker.browser.find_elements(By.CSS_SELECTOR, ".list tbody tr")) == number >= 1
    walker.use(".list td.product a[href$='/09520000000028']")
    walker.shows("main h1", "Demo dark chocolate 70 %")


@BOTH_WAYS
def test_three_renewals_are_typed(walker: Walker) -> None:
    for gtin, code in RENEWED[walker.keyboard]:
        walker.go(f"/app/products/{gtin}")
        holding = f".holding:has(h3 a[href$='/{code}'])"
        walker.use(f"{holding} .acts summary")
        walker.use(f"{holding} .acts a[href$='/renew']")
        walker.shows("main h1", "Renew certificate")
        walker.fill("#expiration_date", typed(date(TODAY.year + 2, 5, 31)))
        walker.fill("#certificate_number", f"WALK-{code}", Keys.ENTER)
        walker.shows("[role=status]", "It is done")
        walker.shows(holding, f"WALK-{code}")
        find(walker.browser, f"{holding} .days time[datetime='{TODAY.year + 2}-05-31']")
        walker.shows(holding, "1 earlier certificate")


def test_a_product_is_proven_as_of_last_march(walker: Walker) -> None:
    # Its certificate began 400 days ago, and lapsed 35 days ago.
    marches = [date(year, 3, 15) for year in (TODAY.year, TODAY.year - 1)]
    march = max(each for each in marches if each <= TODAY - timedelta(days=35))
    walker.go("/app/products/09520000000042")
    walker.shows(".holding", "Lapsed")
    walker.fill("#as_of", typed(march), Keys.ENTER)
    walker.shows(".note", "This is what held on")
    assert f"as_of={march}" in walker.browser.current_url
    walker.shows(".holding", "Current")


@BOTH_WAYS
def test_a_view_made_of_a_list_is_subscribed_to_as_a_calendar(walker: Walker) -> None:
    name = f"Fairtrade, {'typed' if walker.keyboard else 'clicked'}"
    walker.go("/app/certificates")
    walker.choose("#certification", "FAIRTRADE")
    waiting(walker.browser).until(lambda _: "certification=FAIRTRADE" in walker.browser.current_url)
    walker.use(".tools summary")
    walker.fill("#view-name", name, Keys.ENTER)
    walker.shows("main h1", name)
    walker.use(".tools a[href*='/app/settings/views/']")
    walker.use(".head a[href$='/calendar']")
    walker.use(".fields button")
    address = find(walker.browser, "#secret").get_attribute("value")
    assert address
    events = icalendar.Calendar.from_ical(httpx2.get(address).content).walk("VEVENT")
    assert any("Demo dark chocolate 70 %" in str(event["SUMMARY"]) for event in events)


@BOTH_WAYS
def test_a_body_is_suspended_and_its_letter_drafted(walker: Walker) -> None:
    walker.go("/app/products/09520000000028")
    walker.use(".holding h3 a[href$='/FAIRTRADE']")
    walker.use(".head .total a")
    walker.shows("main h1", "Fairtrade International")
    day = TODAY + timedelta(days=7)
    walker.fill("#from", typed(day), Keys.ENTER)
    waiting(walker.browser).until(lambda _: f"from={day}" in walker.browser.current_url)
    find(walker.browser, "#draft")
    lost = [each.text for each in walker.browser.find_elements(By.CSS_SELECTOR, ".list td.product .under")]
    walker.shows(".lead-small", f"{len(lost)} certificates of yours")
    walker.fill("#draft", "P.S. We are in touch with them.")
    letter = find(walker.browser, "#draft").get_attribute("value") or ""
    assert f"certificates of Fairtrade International no longer hold from {day} on" in letter
    assert "- Demo dark chocolate 70 % (GTIN 09520000000028), certificate FT-DEMO-1002" in letter
    assert "certified besides as: V-Label Vegan" in letter
    assert [gtin for gtin in lost if gtin not in letter] == []
    assert "P.S." in letter


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
