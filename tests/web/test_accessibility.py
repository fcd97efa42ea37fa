"""What axe-core finds on the pages: nothing, in light and dark, on a desk and in a hand."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from starlette.routing import compile_path

from tests.conftest import LiveServer
from tests.npm import installed
from tests.oauth.authority import Authority, free_port, new_keys
from tests.processes import running, succeeded
from tests.web.conftest import waiting
from tests.web.workbench_pages import FORMS, OWN_LEAD_TIMES, PRODUCT, SECTIONS
from tests.web.workbench_pages import PAGES as PAGES_OF_WORKBENCH
from workbench.routes import PAGES as ROUTES
from workbench.settings.sessions import OTHERS

PAGES = {
    "/": "main h1",
    "/sign-in": "main",
    "/sign-in?token=used": "main",
    "/invitation?token=used": "main",
    "/no/such/page": "main",
    "/docs/errors": "main table",
    "/docs/errors/not_found": "main pre",
}
"""Each with what is there once it is drawn."""

GRAPHIQL = {"/graphiql": ".graphiql-tabs .graphiql-tab-button"}

# Drawing it is dear: the first API is looked at once, with one operation open among all those that are not.
REFERENCE = {
    "/docs?api=products": ".opblock",
    "/docs?api=account": ".opblock",
    "/docs#/Assignments/apps_certifications_api_update_product_certification": ".opblock.is-open .responses-table",
}

SIGNED_IN = {"/graphiql": ".identity .who strong"}

COLOURS: dict[str, Any] = {"runOnly": ["color-contrast", "link-in-text-block"]}
LAID_OUT: dict[str, Any] = {"runOnly": ["target-size", "scrollable-region-focusable"]}
ALL: dict[str, Any] = {"rules": {"target-size": {"enabled": True}}}
"""What axe is to look for; the size of targets it leaves out unless asked."""

LONG_ADDRESS = "a.rather.long.name.of.somebody@a-long-domain.example.org"

WIDTHS = (1920, 1024, 390)
DESK, HAND = WIDTHS[0], WIDTHS[-1]

RUN = """
const [sought, done] = arguments;
// Colours that are on their way to others are none that anybody reads.
const changing = document.getAnimations().filter((it) => it instanceof CSSTransition);
const changed = Promise.all(changing.map((it) => it.finished.catch(() => {})));
const options = {...sought, resultTypes: ["violations"], preload: false};
changed.then(() => axe.run(document, options)).then((found) => done(found.violations.flatMap(
  (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`))));
"""


@pytest.fixture
def axe() -> str:
    return (installed(Path(__file__).parent / "axe") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def set_scheme(browser: Chrome, scheme: str) -> None:
    theme = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", theme)


def set_width(browser: Chrome, width: int) -> None:
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def show(browser: Chrome, url: str, drawn: str, width: int) -> None:
    set_width(browser, width)
    path, fragment, _ = url.partition("#")
    if fragment and browser.current_url.startswith(path):
        # Another fragment alone would not load the page anew. Others take the place of the page before in its process,
        # which knows what they have in common, and axe.
        browser.get("about:blank")
    browser.get(url)
    waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, drawn), url)


def invitation(server: LiveServer, role: str = "editor") -> str:
    """The link of an invitation that nobody has accepted."""
    with httpx2.Client(base_url=server.url, headers={"X-API-Key": server.api_key}) as client:
        (owner,) = client.get("/account/api/v1/whoami").json()["organizations"]
        path = f"/account/api/v1/organizations/{owner['id']}/invitations"
        made = client.post(path, json={"email": f"{role}.{LONG_ADDRESS}", "role": role})
    return f"{server.url}/invitation?{made.json()['link'].partition('?')[2]}"


def found_on(browser: Chrome, axe: str, width: int, sought: dict[str, Any]) -> list[Any]:
    if not browser.execute_script("return 'axe' in window"):
        browser.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})  # the pages' own policy permits no such script
    found: list[Any] = browser.execute_async_script(RUN, sought)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    return [*found, *([f"scrolls sideways: {wide}"] if wide > width else [])]


def test_axe_finds_nothing(browser: Chrome, live_server: LiveServer, axe: str) -> None:
    browser.set_script_timeout(60)

    def at(paths: dict[str, str]) -> list[tuple[str, str]]:
        return [(live_server.url + path, drawn) for path, drawn in paths.items()]

    def graphiql(paths: dict[str, str]) -> None:
        # Whether there is little room, it asks once, as it is drawn.
        for widths in (WIDTHS[:-1], [HAND]):
            assert found_in(browser, axe, at(paths), *widths) == {}

    assert found_in(browser, axe, [*at(PAGES), (invitation(live_server), "main form")], *WIDTHS) == {}
    graphiql(GRAPHIQL)
    signed_in = [(live_server.sign_in_url, "main, .identity"), *at({"/sign-in": "main form"})]
    assert found_in(browser, axe, signed_in, *WIDTHS) == {}
    graphiql(SIGNED_IN)


def enter(browser: Chrome, server: LiveServer, role: str = "manager") -> None:
    """As a member with that role, to whom all is shown that it may see."""
    browser.set_script_timeout(60)
    browser.get(invitation(server, role))
    press(browser, "main form button")
    waiting(browser).until(lambda _: "/invitation" not in browser.current_url)


def press(browser: Chrome, css: str) -> None:
    waiting(browser).until(lambda _: browser.find_element(By.CSS_SELECTOR, css)).click()


def test_every_page_of_the_workbench_is_looked_at() -> None:
    covered = set()
    for address in (*PAGES_OF_WORKBENCH, *SECTIONS, *FORMS):
        path = address.partition("?")[0]
        covered |= {next((page for page in ROUTES if compile_path(page.path)[0].match(path)), None)}
    missed = [page.path for page in ROUTES if "GET" in page.methods and page not in covered]
    # Who has signed in is a part of other pages.
    assert missed == ["/app/who"]


@pytest.mark.parametrize("pages", [PAGES_OF_WORKBENCH, SECTIONS], ids=["pages", "settings"])
def test_axe_finds_nothing_in_the_workbench(
    browser: Chrome, live_server: LiveServer, axe: str, pages: dict[str, str]
) -> None:
    enter(browser, live_server)
    assert found_in(browser, axe, [(live_server.url + path, drawn) for path, drawn in pages.items()], *WIDTHS) == {}


def test_axe_finds_nothing_in_forms(browser: Chrome, live_server: LiveServer, axe: str) -> None:
    """Two of many fields at all widths; they are drawn alike, and where there is least room each is looked at."""
    enter(browser, live_server)
    path, fields = OWN_LEAD_TIMES
    made = httpx2.post(live_server.url + path, data=fields, headers={"X-API-Key": live_server.api_key})
    assert made.status_code == 303
    forms = {live_server.url + path: drawn for path, drawn in FORMS.items()}
    others = live_server.url + OTHERS, forms.pop(live_server.url + OTHERS)
    assert found_in(browser, axe, [*forms.items()], HAND) == {}
    most = [form for form in forms.items() if form[0].endswith(("/certify", "/webhooks/make"))]
    assert found_in(browser, axe, most, *WIDTHS) == {}
    # Signed in twice, one can be signed out elsewhere.
    here = {"Origin": live_server.url, "Sec-Fetch-Site": "same-origin"}
    signed_in = httpx2.post(f"{live_server.url}/sign-in", data={"api_key": live_server.api_key}, headers=here)
    assert signed_in.status_code == 303
    browser.delete_all_cookies()
    browser.get(f"{live_server.url}/sign-in")
    browser.find_element(By.ID, "api-key").send_keys(live_server.api_key, Keys.ENTER)
    waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, ".who button"))
    assert found_in(browser, axe, [others], HAND) == {}


def test_axe_finds_nothing_in_what_forms_lead_to(
    browser: Chrome, live_server: LiveServer, axe: str, tmp_path: Path
) -> None:
    found = {}

    def looked_at(drawn: str) -> None:
        waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, drawn), drawn)
        found.update({(drawn, *at): names for at, names in found_in_colours(browser, axe, *WIDTHS).items() if names})
        set_scheme(browser, "light")
        set_width(browser, DESK)

    def enter_into(path: str, typed: dict[str, str], then: str = ".fields button") -> None:
        browser.get(live_server.url + path)
        for id, value in typed.items():
            field = waiting(browser).until(lambda _: browser.find_element(By.ID, id))  # noqa: B023
            if field.get_attribute("type") != "file":
                field.clear()
            field.send_keys(value)
        press(browser, then)

    enter(browser, live_server)
    # Rows of a list changed: asked for, tried, and done.
    browser.get(f"{live_server.url}/app/certificates?gtin=09520000000011")
    press(browser, "td.select input")
    press(browser, "#change button[value=change]")
    looked_at("main #certificate_number")
    browser.find_element(By.ID, "certificate_number").send_keys("ANEW-1")
    press(browser, "button[value=try]")
    looked_at("main ins")
    press(browser, "button[value=do]")
    looked_at("main > p a.button")
    # A file of which columns and rows are refused, and one that is no table.
    file = tmp_path / "odd.csv"
    file.write_text("EAN,Name,Colour\n09520000000011,Renamed,red\n123,Refused,blue\n", encoding="utf-8")
    enter_into("/app/import", {"file": str(file)}, "button[value=look]")
    looked_at(".state-done, .state-refused, .state-failed")
    file.write_text("nothing", encoding="utf-8")
    enter_into("/app/import", {"file": str(file)}, "button[value=look]")
    looked_at("main [role=alert]")
    enter_into("/app/settings/keys/make", {"name": "The till"})
    looked_at("#secret")
    enter_into(f"{PRODUCT}/edit", {"product_name": "n" * 300})
    looked_at(".bad [aria-invalid=true]")
    # Somebody was quicker.
    browser.get(f"{live_server.url}{PRODUCT}/edit")
    of = f"{live_server.url}/products/api/v1/products/{PRODUCT.rpartition('/')[2]}"
    httpx2.patch(of, json={"product_name": "Theirs"}, headers={"X-API-Key": live_server.api_key}).raise_for_status()
    browser.find_element(By.ID, "product_name").send_keys(" of ours")
    press(browser, ".fields button")
    looked_at(".theirs")
    browser.get(f"{live_server.url}{PRODUCT}/edit")
    browser.delete_all_cookies()
    press(browser, ".fields button")
    looked_at("main a[target=_blank]")
    enter(browser, live_server, "readonly")
    browser.get(f"{live_server.url}/app/settings/people")
    looked_at(".note.calm")
    enter_into(f"{PRODUCT}/archive", {})
    looked_at("main [role=alert]")
    assert found == {}


def test_axe_finds_nothing_in_the_reference(browser: Chrome, live_server: LiveServer, axe: str) -> None:
    browser.set_script_timeout(60)
    pages = [(live_server.url + path, drawn) for path, drawn in REFERENCE.items()]
    assert found_in(browser, axe, pages, DESK, HAND) == {}


def found_in(browser: Chrome, axe: str, pages: list[tuple[str, str]], *widths: int) -> dict[Any, Any]:
    """What is found on which page in which colours and widths; pages are loaded for the first width.

    Only style sheets look at it, but for GraphiQL's.
    """
    found: dict[Any, Any] = {}
    for number, (url, drawn) in enumerate(pages):
        set_scheme(browser, "light")
        show(browser, url, drawn, widths[0])
        found |= {(number, url, *at): names for at, names in found_in_colours(browser, axe, *widths).items()}
    assert len(found) == (len(widths) + len({widths[0], widths[-1]})) * len(pages)
    return {page: names for page, names in found.items() if names}


def found_in_colours(browser: Chrome, axe: str, *widths: int) -> dict[tuple[str, int], list[Any]]:
    """What is found on the page that is shown, by the colours and the width.

    All of axe's rules are for the first and the last width, and those of colours for both in other colours. Between
    them nothing is shown that neither shows, but it is laid out in another way.
    """
    outer, between = {widths[0]: ALL, widths[-1]: ALL}, dict.fromkeys(widths[1:-1], LAID_OUT)
    found = {}
    for scheme, sought in ("light", outer | between), ("dark", dict.fromkeys(outer, COLOURS)):
        # Other colours are drawn at once; loading the page anew would take longer than all that is looked at.
        set_scheme(browser, scheme)
        for width, rules in sought.items():
            set_width(browser, width)
            found[scheme, width] = found_on(browser, axe, width, rules)
    return found


def test_axe_finds_nothing_on_every_way_to_sign_in(browser: Chrome, live_server: LiveServer, axe: str) -> None:
    browser.set_script_timeout(60)
    port, nowhere = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "CERTGATE_DATABASE_URL": live_server.database_url,
        "CERTGATE_PORT": str(port),
        "CERTGATE_PUBLIC_URL": url,
        "CERTGATE_SMTP_URL": f"smtp://127.0.0.1:{nowhere}",
        "CERTGATE_SMTP_FROM": "certgate@example.org",
        "CERTGATE_OIDC_ISSUER": f"http://127.0.0.1:{nowhere}",
        "CERTGATE_OIDC_CLIENT_ID": "certgate",
        "CERTGATE_OIDC_NAME": "the account of a company with a rather long name",
    }
    pages = [
        (f"{url}/sign-in", "main #email"),
        (f"{url}/sign-in?link={live_server.sign_in_url.rpartition('=')[2]}", "main form"),
        (f"{url}/openid", "main [role=alert]"),
        (f"{url}/openid-callback", "main [role=alert]"),
    ]
    with running("serve", until="answers on", **settings):
        assert found_in(browser, axe, pages, *WIDTHS) == {}
        # The form of an address leads to a page that says the same to everybody.
        show(browser, f"{url}/sign-in", "main #email", WIDTHS[0])
        field = browser.find_element(By.ID, "email")
        field.send_keys("nobody@example.org")
        field.submit()
        waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, "main [role=status]"))
        assert not any(found_in_colours(browser, axe, *WIDTHS).values())


def test_axe_finds_nothing_where_somebody_chooses_an_organisation(
    browser: Chrome, live_server: LiveServer, axe: str
) -> None:
    browser.set_script_timeout(60)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    site = {"redirect_uri": f"{url}/openid-callback"}
    where = {"CERTGATE_DATABASE_URL": live_server.database_url}
    succeeded("organizations", "create", "long", "--name", "An organisation with a rather long name " * 4, **where)
    for organization in ("demo", "long"):
        succeeded("members", "set", "--organization", organization, "--role", "editor", "ann@example.org", **where)
    people = {"ann": {"email": "ann@example.org", "email_verified": True}}
    with Authority({}, people=people, site=site) as authority:
        authority.start(new_keys())
        settings = {
            **where,
            "CERTGATE_PORT": str(port),
            "CERTGATE_PUBLIC_URL": url,
            "CERTGATE_OIDC_ISSUER": authority.issuer,
            "CERTGATE_OIDC_CLIENT_ID": "site",
            "CERTGATE_OIDC_CLIENT_SECRET": "site's secret",
        }
        with running("serve", until="answers on", **settings):
            assert found_in(browser, axe, [(f"{url}/openid", "main form + form button")], *WIDTHS) == {}
            browser.find_element(By.CSS_SELECTOR, "main form button").click()
            waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, ".top .who button"))


def test_the_keyboard_leaves_the_editors(browser: Chrome, live_server: LiveServer) -> None:
    browser.get(live_server.sign_in_url)
    browser.get(f"{live_server.url}/graphiql")
    waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, SIGNED_IN["/graphiql"]))
    editor = browser.find_element(By.CSS_SELECTOR, ".graphiql-query-editor textarea")
    inside = ".graphiql-query-editor .CodeMirror :focus"
    editor.send_keys("\t")
    # The box that scrolls comes behind what is typed into.
    for _ in range(2):
        if browser.find_elements(By.CSS_SELECTOR, inside):
            browser.switch_to.active_element.send_keys("\t")
    assert not browser.find_elements(By.CSS_SELECTOR, inside)
    assert browser.execute_script("return document.activeElement !== document.body")
