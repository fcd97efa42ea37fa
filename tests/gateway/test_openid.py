"""Signing in at a real OpenID provider that has nothing to do with us (see `tests/oauth`)."""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from db.engine.database import Database
from db.sql import tables
from domain.people import Invitation
from domain.short_id import catalogue_id
from domain.vocabulary import Role
from gateway.app import create_app
from gateway.auth.openid import Attempt, OpenIdProvider, SignInRefused
from gateway.environment import load_settings
from gateway.settings import Settings, SettingsError
from resolvers.keys import set_member
from tests.oauth.authority import Authority, free_port, new_keys
from tests.world import NOON, World

HERE = "http://certgate.test"
ANN = "ann@example.org"
PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"email": "Ann@Example.org", "email_verified": True, "organization": "brand"},
    "lost": {"email": ANN, "email_verified": True, "organization": "nobody"},
    "odd": {"email": ANN, "email_verified": True, "organization": ["brand"]},
    "text": {"email": ANN, "email_verified": "true"},
    "unverified": {"email": ANN, "email_verified": False},
    "silent": {"email": ANN},
    "nameless": {"email_verified": True},
    "several": {"email": "ann@example.org,bob@example.org", "email_verified": True},
}
SITE = {"redirect_uri": f"{HERE}/openid-callback"}


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    clients = {"writer": {"organization": "brand", "alg": "RS256"}}
    with Authority(clients, people=PEOPLE, site=SITE) as server:
        server.start(new_keys())
        yield server


def settings_for(authority: Authority, **more: Any) -> Settings:
    given = {"public_url": HERE, "oidc_issuer": authority.issuer, "oidc_client_id": "site", **more}
    return Settings(**{"oidc_client_secret": "site's secret", **given})


@pytest.fixture
async def world(authority: Authority, world: World) -> AsyncIterator[World]:
    async with World(create_app(settings_for(authority), world.database), world.database) as other:
        other.keys, other.key_ids = world.keys, world.key_ids
        yield other


async def begun(world: World) -> httpx2.Response:
    response = await world.client.get("/openid")
    assert response.status_code == 303, response.text
    return response


async def agreed(url: str, person: str) -> str:
    """Where the provider sends the browser of a person who signs in there."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        address = f"{url}&login_hint={person}"
        while not address.startswith(HERE):
            response = await browser.get(address)
            assert response.status_code == 303, response.text
            address = str(response.url.join(response.headers["location"]))
    return address


async def signed_in(world: World, person: str = "ann") -> httpx2.Response:
    """The answer to a person who comes back; the browser has what cookies it was given."""
    world.client.cookies.clear()
    back = await agreed((await begun(world)).headers["location"], person)
    return await world.client.get(back)


async def who(world: World) -> Any:
    response = await world.client.get("/account/api/v1/whoami")
    assert response.status_code == 200
    return response.json()


def refused(response: httpx2.Response, status: int, said: str) -> None:
    assert (response.status_code, said in response.text) == (status, True), response.text
    assert "sessionid" not in response.headers.get("set-cookie", "")
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert response.headers["cache-control"] == "no-store"


async def test_a_member_signs_in_by_the_verified_address(world: World) -> None:
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    page = await world.client.get("/sign-in")
    assert '<a class="button" href="openid">Sign in with single sign-on</a>' in page.text
    response = await signed_in(world)
    assert (response.status_code, response.headers["location"]) == (303, "/app")
    told = await who(world)
    assert (told["email"], [each["name"] for each in told["organizations"]]) == (ANN, ["Brand"])
    assert world.client.cookies.get("signingin") is None


async def test_what_the_provider_is_asked(world: World, authority: Authority) -> None:
    response = await begun(world)
    url = urlsplit(response.headers["location"])
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    attempt = Attempt.read(response.cookies["signingin"])
    assert attempt is not None
    assert f"{url.scheme}://{url.netloc}" == authority.issuer
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked == {
        "response_type": "code",
        "client_id": "site",
        "redirect_uri": f"{HERE}/openid-callback",
        "scope": "openid email",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    cookie = response.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "max-age=600", "path=/openid-callback"))
    another = Attempt.read((await begun(world)).cookies["signingin"])
    assert another is not None
    assert not set(another) & set(attempt)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("site", "tells", "secret"),
    [
        ({"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "ES256"}, False, None),
        ({"token_endpoint_auth_method": "none", "id_token_signed_response_alg": "EdDSA"}, False, ""),
    ],
)
async def test_providers_differ(
    database: Database, world: World, site: dict[str, str], tells: bool, secret: str | None
) -> None:
    """In how a client shows who it is, in algorithms, and in where they tell the address."""
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    with Authority({}, people=PEOPLE, site={**SITE, **site}, tells=tells) as other:
        other.start(new_keys())
        settings = settings_for(other, **({} if secret is None else {"oidc_client_secret": secret}))
        async with World(create_app(settings, world.database), world.database) as here:
            assert (await signed_in(here)).status_code == 303
            assert (await who(here))["email"] == ANN


async def test_whoever_belongs_to_several_organisations_chooses(world: World) -> None:
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    await set_member(world.database, "rival", ANN, Role.READONLY)
    page = await signed_in(world)
    assert page.status_code == 200
    assert "set-cookie" not in page.headers or "sessionid" not in page.headers["set-cookie"]
    offered = re.findall(r'name="token" value="([\w-]+)">\n<button type="submit">(\w+) \((\w+)\)', page.text)
    assert [(name, role) for _, name, role in offered] == [("Brand", "editor"), ("Rival", "readonly")]
    chosen = await world.client.post(
        "/sign-in", data={"token": offered[1][0]}, headers={"Origin": "http://certgate.test"}
    )
    assert chosen.status_code == 303
    assert [each["name"] for each in (await who(world))["organizations"]] == ["Rival"]


async def test_open_invitations_are_accepted_by_signing_in(world: World) -> None:
    later = NOON.replace(year=2099)
    async with world.database.write() as transaction:
        for email, expires_at in ((ANN, later), ("bob@example.org", later)):
            invitation = Invitation(catalogue_id("i", email), world.brand, email, Role.EDITOR, NOON, expires_at)
            values = {name: getattr(invitation, name) for name in invitation.__struct_fields__}
            await transaction.insert(tables.invitations, {**values, "digest": email})
    assert (await signed_in(world)).status_code == 303
    assert (await who(world))["email"] == ANN
    (member,) = await world.rows(tables.memberships)
    assert member[2] is Role.EDITOR
    assert [row[2] for row in await world.rows(tables.invitations)] == ["bob@example.org"]


async def test_whom_nobody_invited_is_told_so_and_leaves_nothing(world: World) -> None:
    refused(await signed_in(world), 403, f"{ANN} is no member of an organisation here")
    assert await world.rows(tables.users) == await world.rows(tables.sessions) == []


async def test_a_claim_may_say_who_belongs_where(authority: Authority, world: World) -> None:
    settings = settings_for(authority, oidc_organization_claim="organization", oidc_role="editor")
    async with World(create_app(settings, world.database), world.database) as here:
        refused(await signed_in(here, "lost"), 403, "is no member")
        refused(await signed_in(here, "odd"), 403, "is no member")
        assert await world.rows(tables.users) == []
        assert (await signed_in(here)).status_code == 303
        assert [row[2] for row in await world.rows(tables.memberships)] == [Role.EDITOR]
        # What managers say of a member counts, and the claim chooses among several.
        await set_member(world.database, "brand", ANN, Role.READONLY)
        await set_member(world.database, "rival", ANN, Role.MANAGER)
        assert (await signed_in(here)).status_code == 303
        assert [each["name"] for each in (await who(here))["organizations"]] == ["Brand"]
        assert sorted(row[2] for row in await world.rows(tables.memberships)) == [Role.MANAGER, Role.READONLY]


@pytest.mark.parametrize("person", ["unverified", "silent", "nameless", "several"])
async def test_an_address_that_is_not_verified_signs_nobody_in(world: World, person: str) -> None:
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    refused(await signed_in(world, person), 403, "does not say that your e-mail address is verified")


async def test_a_text_may_say_that_it_is_verified(world: World) -> None:
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    assert (await signed_in(world, "text")).status_code == 303


async def test_whoever_declines_is_not_signed_in(world: World) -> None:
    refused(await signed_in(world, "stranger"), 403, "did not sign you in")


async def test_an_answer_is_good_once_and_in_the_browser_that_asked(world: World) -> None:
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    first = await begun(world)
    cookie = first.cookies["signingin"]
    back = await agreed(first.headers["location"], "ann")
    state, nonce, verifier = cookie.split(".")
    again = "is answered with what cannot be used"
    cases = [
        ("", "was not begun in this browser"),
        ("junk", "was not begun in this browser"),
        (f"x{state}.{nonce}.{verifier}", "was not begun in this browser"),
        ("..", "was not begun in this browser"),
    ]
    for value, said in cases:
        world.client.cookies.clear()
        refused(await world.client.get(back, headers={"Cookie": f"signingin={value}"}), 400, said)
    for changed in (back.replace("state=", "state=x"), back.replace("state=", "other="), f"{HERE}/openid-callback"):
        refused(await world.client.get(changed, headers={"Cookie": f"signingin={cookie}"}), 400, "was not begun")
    again = "answered with what cannot be used"
    without = re.sub(r"code=[^&]+&?", "", back)
    elsewhere = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Felsewhere.test", back)
    for changed in (without, elsewhere):
        refused(await world.client.get(changed, headers={"Cookie": f"signingin={cookie}"}), 400, again)
    world.client.cookies.clear()
    taken = await world.client.get(back, headers={"Cookie": f"signingin={cookie}"})
    assert taken.status_code == 303
    assert 'signingin=""' in taken.headers["set-cookie"] or "signingin=;" in taken.headers["set-cookie"]
    world.client.cookies.clear()
    refused(await world.client.get(back, headers={"Cookie": f"signingin={cookie}"}), 400, again)
    assert len(await world.rows(tables.sessions)) <= 1


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_another_nonce_or_verifier_is_refused(world: World, place: int) -> None:
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    first = await begun(world)
    parts = first.cookies["signingin"].split(".")
    parts[place] = "x" * len(parts[place])
    back = await agreed(first.headers["location"], "ann")
    world.client.cookies.clear()
    refused(await world.client.get(back, headers={"Cookie": f"signingin={'.'.join(parts)}"}), 400, "start again")
    assert await world.rows(tables.sessions) == []


async def test_a_code_that_was_made_up_is_refused(world: World) -> None:
    state = (await begun(world)).cookies["signingin"].partition(".")[0]
    refused(await world.client.get(f"/openid-callback?code=made-up&state={state}"), 400, "start again")


async def test_tokens_that_the_provider_would_not_issue_are_refused(authority: Authority) -> None:
    provider = OpenIdProvider(settings_for(authority))
    now = int(datetime.now(UTC).timestamp())
    good = {"iss": authority.issuer, "aud": "site", "sub": "ann", "iat": now, "exp": now + 60, "nonce": "n"}
    assert (await provider.judge(authority.signed(good), "n"))["sub"] == "ann"
    assert await provider.judge(authority.signed({**good, "aud": ["site", "b"], "azp": "site"}, "ec-1", "ES256"), "n")
    odd: list[Any] = [10**400, float("inf"), True, {}, ["x"], "\ud800", "é"]
    wrong: list[dict[str, Any]] = [
        {"iss": "https://elsewhere.test"},
        {"aud": "another"},
        {"aud": ["site", "another"], "azp": "another"},
        {"exp": now - 60},
        {"iat": now + 600},
        {"nbf": now + 600},
        {"nonce": "m"},
        *({name: None} for name in good),
        *({name: value} for name in good for value in odd),
    ]
    # Long ago and never are moments, and any text is a subject.
    harmless: list[dict[str, Any]] = [{"iat": True}, {"sub": "\ud800"}, {"sub": "é"}]
    harmless += [{"exp": 10**400}, {"exp": float("inf")}]
    for changed in [each for each in wrong if each not in harmless]:
        with pytest.raises(SignInRefused, match="start again"):
            await provider.judge(authority.signed({**good, **changed}), "n")
    stranger = new_keys()
    kept, authority.keys = authority.keys, stranger
    try:
        forged = authority.signed(good)
    finally:
        authority.keys = kept
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"rsa-1"}').rstrip(b"=").decode()
    payload = authority.signed(good).split(".")[1]
    for token in (forged, f"{header}.{payload}.", "", "a.b.c", "é", authority.token()):
        with pytest.raises(SignInRefused, match="start again"):
            await provider.judge(token, "n")


async def test_a_provider_that_is_down_is_trouble_and_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    clock = [1000.0]
    monkeypatch.setattr("gateway.auth.openid.monotonic", lambda: clock[0])
    with Authority({}, people=PEOPLE, site=SITE, port=free_port()) as other:
        settings = settings_for(other)
        async with World(create_app(settings, world.database), world.database) as here:
            down = await here.client.get("/openid")
            assert (down.status_code, "retry-after" in down.headers) == (503, True)
            assert "cannot be reached" in down.text
            assert 'name="api_key"' in down.text
            other.start(new_keys())
            clock[0] += 11
            back = await agreed((await begun(here)).headers["location"], "ann")
            other.stop()
            down = await here.client.get(back)
            assert (down.status_code, "retry-after" in down.headers) == (503, True)
            assert "cannot be reached" in down.text
            # Nobody has taken what the browser keeps: once the provider is back it may try again.
            assert here.client.cookies.get("signingin") is not None
            other.start(other.keys)
            assert (await signed_in(here)).status_code == 303


async def test_a_provider_that_is_down_is_not_asked_by_everybody(world: World) -> None:
    with Authority({}, port=free_port()) as down:
        async with World(create_app(settings_for(down), world.database), world.database) as here:
            answers = await asyncio.gather(*(here.client.get("/openid") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["retry-after"] for answer in answers} == {"10"}


async def test_without_a_provider_there_is_no_way_to_one(database: Database, world: World) -> None:
    async with World(create_app(Settings(), world.database), world.database) as here:
        assert (await here.client.get("/openid")).status_code == 404
        assert (await here.client.get("/openid-callback")).status_code == 404
        assert "openid" not in (await here.client.get("/sign-in")).text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_issuer": "http://login.example.org"}, "CERTGATE_OIDC_ISSUER is wrong: should be an https URL"),
        ({"oidc_issuer": "https://login.example.org"}, "CERTGATE_OIDC_CLIENT_ID is missing"),
        (
            {"oidc_issuer": "https://login.example.org", "oidc_client_id": "site"},
            "CERTGATE_OIDC_CLIENT_ID is wrong: it should be what the provider calls this server",
        ),
        ({"oidc_scopes": "email"}, "CERTGATE_OIDC_SCOPES is wrong: should name openid"),
        ({"oidc_role": "owner"}, "CERTGATE_OIDC_ROLE is wrong"),
    ],
)
def test_settings_that_do_not_fit_are_said(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(**given)
    assert said in str(error.value)
