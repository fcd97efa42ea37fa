"""What axe-core finds on the pages: nothing, in light and dark, on a desk and in a hand."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from rest_compat.inputs import EXAMPLE_VIEW, EXAMPLE_WEBHOOK
from tests.conftest import LiveServer
from tests.npm import installed
from tests.oauth.authority import Authority, free_port, new_keys
from tests.processes import running, succeeded
from tests.web.conftest import waiting

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

REFERENCE = {
    "/docs": ".opblock",
    "/docs?api=products": ".opblock",
    "/docs?api=account": ".opblock",
    "/docs#/Assignments/apps_certifications_api_update_product_certification": ".opblock.is-open .responses-table",
}

SIGNED_IN = {"/graphiql": ".identity .who strong"}

WORKBENCH = {
    "/": "main .cards",
    "/app": ".tiles",
    "/app/certificates": "tbody tr",
    "/app/claims?standing=upright&where=none": ".refused",
    "/app/products?search=coffee": "tbody tr",
    "/app/products?search=nothing+has+this": ".empty",
    "/app/certificates/09520000000042/FAIRTRADE/taken-on": "main h1",
    "/app/nowhere": "main ul",
    "/app/settings": ".settings-cards",
    "/app/settings/people": ".things",
    "/app/settings/keys": ".things",
    "/app/settings/keys/make": "form.fields",
    "/app/settings/views": ".things",
    f"/app/settings/views/{EXAMPLE_VIEW}": ".addresses",
    f"/app/settings/webhooks/{EXAMPLE_WEBHOOK}": ".deliveries",
    f"/app/settings/webhooks/{EXAMPLE_WEBHOOK}/edit": "fieldset",
    f"/app/settings/webhooks/{EXAMPLE_WEBHOOK}/remove": "button.ends",
    "/app/settings/reminders": ".things",
    "/app/settings/proof": ".addresses",
    "/app/settings/health": ".things",
}

SCHEMES: dict[str, dict[str, list[str]]] = {"light": {}, "dark": {"runOnly": ["color-contrast", "link-in-text-block"]}}
"""Each with what axe is to look for: in other colours, what depends on them."""

WIDTHS = (1440, 390)

RUN = """
const [sought, done] = arguments;
// Colours that are on their way to others are none that anybody reads.
const changing = document.getAnimations().filter((it) => it instanceof CSSTransition);
const changed = Promise.all(changing.map((it) => it.finished.catch(() => {})));
const options = {...sought, resultTypes: ["violations"]};
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
    browser.get("about:blank")  # another fragment alone would not load the page anew
    browser.get(url)
    waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, drawn), url)


def invitation(server: LiveServer) -> str:
    """The link of an invitation that nobody has accepted."""
    with httpx2.Client(base_url=server.url, headers={"X-API-Key": server.api_key}) as client:
        (owner,) = client.get("/account/api/v1/whoami").json()["organizations"]
        path = f"/account/api/v1/organizations/{owner['id']}/invitations"
        made = client.post(path, json={"email": "a.rather.long.name.of.somebody@a-long-domain.example.org"})
    return f"{server.url}/invitation?{made.json()['link'].partition('?')[2]}"


def found_on(browser: Chrome, axe: str, width: int, sought: dict[str, list[str]]) -> list[Any]:
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
        # It looks at the width once, as it is drawn.
        for width in WIDTHS:
            assert found_in(browser, axe, at(paths), width) == {}

    assert found_in(browser, axe, [*at(PAGES), (invitation(live_server), "main form")], *WIDTHS) == {}
    graphiql(GRAPHIQL)
    signed_in = [(live_server.sign_in_url, "main, .identity"), *at({"/sign-in": "main form"})]
    assert found_in(browser, axe, signed_in, *WIDTHS) == {}
    graphiql(SIGNED_IN)


def test_axe_finds_nothing_in_the_workbench(browser: Chrome, live_server: LiveServer, axe: str) -> None:
    browser.set_script_timeout(60)
    browser.get(f"{live_server.url}/app")
    browser.get(live_server.sign_in_url)
    waiting(browser).until(lambda _: browser.find_elements(By.CSS_SELECTOR, ".tiles"))
    pages = [(live_server.url + path, drawn) for path, drawn in WORKBENCH.items()]
    assert found_in(browser, axe, pages, *WIDTHS, 1920) == {}


def test_axe_finds_nothing_in_the_reference(browser: Chrome, live_server: LiveServer, axe: str) -> None:
    browser.set_script_timeout(60)
    pages = [(live_server.url + path, drawn) for path, drawn in REFERENCE.items()]
    assert found_in(browser, axe, pages, *WIDTHS) == {}


def found_in(browser: Chrome, axe: str, pages: list[tuple[str, str]], *widths: int) -> dict[Any, Any]:
    """What is found on which page in which colours and widths; pages are loaded for the first width.

    Only style sheets look at it, but for GraphiQL's.
    """
    found: dict[Any, Any] = {}
    for number, (url, drawn) in enumerate(pages):
        set_scheme(browser, "light")
        show(browser, url, drawn, widths[0])
        found |= {(number, url, *at): names for at, names in found_in_colours(browser, axe, *widths).items()}
    assert len(found) == len(SCHEMES) * len(widths) * len(pages)
    return {page: names for page, names in found.items() if names}


def found_in_colours(browser: Chrome, axe: str, *widths: int) -> dict[tuple[str, int], list[Any]]:
    """What is found on the page that is shown, by the colours and the width."""
    found = {}
    for scheme, sought in SCHEMES.items():
        # Other colours are drawn at once; loading the page anew would take longer than all that is looked at.
        set_scheme(browser, scheme)
        for width in widths:
            set_width(browser, width)
            found[scheme, width] = found_on(browser, axe, width, sought)
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
        found = found_in_colours(browser, axe, *WIDTHS)
        assert found == {(scheme, width): [] for scheme in SCHEMES for width in WIDTHS}


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
