"""The public proof in a real browser: within the policy, accessible, and a label that another site shows."""

import httpx2
from selenium.webdriver import Chrome

from tests.conftest import LiveServer
from tests.web.conftest import waiting
from tests.web.test_accessibility import WIDTHS, axe, found_in
from tests.web.test_dashboard_page import origin
from tests.web.test_graphiql import console_errors

__all__ = ["axe", "origin"]

PAGE = "/products/09520000000011"
SWITCH_ON = "mutation { setPublicProof(input: {isEnabled: true}) { __typename } }"


def test_a_public_proof_breaks_no_policy_and_axe_finds_nothing(
    browser: Chrome, live_server: LiveServer, axe: str, origin: str
) -> None:
    browser.set_script_timeout(60)
    asked = httpx2.post(
        f"{live_server.url}/graphql", json={"query": SWITCH_ON}, headers={"X-API-Key": live_server.api_key}
    )
    assert asked.json() == {"data": {"setPublicProof": {"__typename": "PublicProofSet"}}}
    assert found_in(browser, axe, [(live_server.url + PAGE, "#verified")], *WIDTHS) == {}
    assert '"@context"' in browser.execute_script(
        "return document.querySelector('script[type=\"application/ld+json\"]').textContent"
    )
    assert console_errors(browser) == []
    # A page of another origin, as a shop is.
    browser.get(origin)
    browser.execute_script(
        "document.body.append(Object.assign(new Image(), {src: arguments[0]}))", f"{live_server.url}{PAGE}/label.svg"
    )
    waiting(browser).until(lambda page: page.execute_script("return document.images[0].naturalWidth") > 0)
