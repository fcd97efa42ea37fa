"""Bearer tokens of a real authorization server that has nothing to do with us (see `tests/oauth`)."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from db.engine.database import Database
from db.sql import tables
from gateway.app import create_app
from gateway.auth.jwks import MAX_FETCHES
from gateway.environment import load_settings
from gateway.settings import Settings, SettingsError
from tests.oauth.authority import Authority, new_keys
from tests.world import GTIN, NON_GMO, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, World, populate

AUDIENCE = "https://certgate.test"
LIST = f"/certifications/api/v1/products/{GTIN}/certifications"
CLAIMS = f"/certifications/api/v1/products/{GTIN}/claims"
METADATA = 'resource_metadata="https://certgate.test/.well-known/oauth-protected-resource"'

CLIENTS = {
    "writer": {"organization": "brand", "alg": "RS256"},
    "elliptic": {"organization": "brand", "alg": "ES256"},
    "edwards": {"organization": "brand", "alg": "EdDSA"},
    "unpinned": {"organization": "brand", "alg": "PS256"},
    "stranger": {"organization": "nobody", "alg": "RS256"},
    "rival": {"organization": "rival", "alg": "RS256"},
}


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority(CLIENTS) as server:
        server.start(new_keys())
        yield server


def app_for(authority: Authority, database: Database, **more: Any) -> Any:
    return create_app(Settings(public_url=AUDIENCE, oauth_issuer=authority.issuer, **more), database)


@pytest.fixture
async def world(authority: Authority, world: World) -> AsyncIterator[World]:
    async with World(app_for(authority, world.database), world.database) as other:
        other.keys, other.key_ids = world.keys, world.key_ids
        yield other


async def ask(world: World, token: str, path: str = LIST, method: str = "GET", **more: Any) -> httpx2.Response:
    return await world.client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)


async def assign(world: World, token: str, gtin: str = GTIN) -> httpx2.Response:
    path = f"/certifications/api/v1/products/{gtin}/claims"
    return await ask(world, token, path, "POST", json={"claim_id": NON_GMO})


def refused_as(response: httpx2.Response, detail: str) -> None:
    assert response.status_code == 401, response.text
    assert detail in response.json()["detail"]
    challenges = response.headers.get_list("www-authenticate")
    assert challenges == ['ApiKey realm="certgate", header="X-API-Key"', f'Bearer error="invalid_token", {METADATA}']


@pytest.mark.parametrize("client", ["writer", "elliptic", "edwards"])
async def test_a_token_reads_and_writes_for_its_organisation(world: World, authority: Authority, client: str) -> None:
    token = authority.token(client)
    assert (await ask(world, token)).status_code == 200
    assert (await assign(world, token)).status_code == 201
    refused = await assign(world, token, OTHERS_GTIN)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "forbidden")
    assert "www-authenticate" not in refused.headers
    assert len(await world.rows(tables.claim_assignments)) == 1


async def test_a_token_acts_in_graphql_too(world: World, authority: Authority) -> None:
    query = "{ viewer { kind role canWrite organization { slug } } }"
    answer = await ask(world, authority.token(scope="certifications:read"), "/graphql", "POST", json={"query": query})
    viewer = {"kind": None, "role": "READONLY", "canWrite": False, "organization": {"slug": "brand"}}
    assert answer.json() == {"data": {"viewer": viewer}}


async def test_reading_alone_does_not_write(world: World, authority: Authority) -> None:
    token = authority.token(scope="certifications:read")
    assert (await ask(world, token)).status_code == 200
    refused = await assign(world, token)
    assert refused.status_code == 403
    assert refused.headers["www-authenticate"] == (
        f'Bearer error="insufficient_scope", scope="certifications:write", {METADATA}'
    )
    assert await world.rows(tables.claim_assignments) == []


async def test_a_token_for_other_things_does_nothing_here(world: World, authority: Authority) -> None:
    refused = await ask(world, authority.token(scope="other"))
    assert refused.status_code == 403
    assert refused.headers["www-authenticate"] == (
        f'Bearer error="insufficient_scope", scope="certifications:read", {METADATA}'
    )


async def test_private_definitions_are_those_of_the_tokens_organisation(world: World, authority: Authority) -> None:
    for client, own, others in (("writer", PRIVATE, OTHERS_PRIVATE), ("rival", OTHERS_PRIVATE, PRIVATE)):
        token = authority.token(client)
        assert (await ask(world, token, f"/certifications/api/v1/certifications/{own}")).status_code == 200
        assert (await ask(world, token, f"/certifications/api/v1/certifications/{others}")).status_code == 404


async def test_another_audience_is_refused(world: World, authority: Authority) -> None:
    refused_as(await ask(world, authority.token(resource="https://elsewhere.test")), "audience")


@pytest.mark.parametrize(("shift", "detail"), [(-7200, "expired"), (7200, "not valid")])
async def test_a_token_of_another_time_is_refused(database: Database, shift: int, detail: str) -> None:
    with Authority(CLIENTS, clock_shift=shift) as server:
        server.start(new_keys())
        async with World(app_for(server, database), database) as world:
            await populate(world)
            refused_as(await ask(world, server.token()), detail)


def moment(seconds: int) -> int:
    return int(datetime.now(UTC).timestamp()) + seconds


async def test_what_a_token_must_say(world: World, authority: Authority) -> None:
    assert (await ask(world, authority.forged())).status_code == 200
    for claims in (
        {"exp": None},
        {"iss": None},
        {"aud": None},
        {"iss": "http://127.0.0.1:1"},
        {"nbf": moment(3600)},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"nbf": float("inf")},
    ):
        assert (await ask(world, authority.forged(**claims))).status_code == 401, claims
    # Clocks differ by some seconds.
    assert (await ask(world, authority.forged(nbf=moment(10)))).status_code == 200
    assert (await ask(world, authority.forged(aud=["https://elsewhere.test", AUDIENCE]))).status_code == 200
    assert (await ask(world, authority.forged(scope=None, scp=["certifications:read"]))).status_code == 200


async def test_the_organisation_comes_from_the_claim(world: World, authority: Authority) -> None:
    refused = await ask(world, authority.token("stranger"))
    assert (refused.status_code, refused.json()["error_code"]) == (403, "forbidden")
    for wrong in (None, "", 7, ["brand"], "a\0b"):
        assert (await ask(world, authority.forged(organization=wrong))).status_code == 403, wrong
    assert (await ask(world, authority.forged(organization=world.rival))).status_code == 200
    who = await ask(world, authority.forged(organization=world.rival), "/account/api/v1/whoami")
    assert who.json() == {
        "user_id": None,
        "email": None,
        "organizations": [{"id": world.rival, "name": "Rival"}],
        "metadata": {},
        "api_key": None,
    }


OTHER_KINDS: list[Any] = [
    *("\ud800", "brand\udfff", "a\0b", "b" * 8_000, 7, 1.5, True, [], {}, {"a": 1}, ["\ud800", {}]),
    *(10**400, float("inf"), json.loads("[" * 900 + "]" * 900)),
]


async def test_a_claim_of_any_other_kind_is_a_refusal(world: World, authority: Authority) -> None:
    """An issuer that is trusted with its keys need not be trusted with what it writes."""
    stated = authority.stated()
    for value in OTHER_KINDS:
        for name in ("organization", "scope", "scp", "aud", "iss"):
            without = {"scope": None} if name == "scp" else {}
            answer = await ask(world, authority.signed({**stated, **without, name: value}))
            assert answer.status_code in (401, 403), (name, value, answer.text)
        # Long ago and never are moments, and whoever holds it is called by a digest of whatever is said.
        for name in ("exp", "nbf", "iat", "sub", "client_id", "azp", "jti", "other"):
            answer = await ask(world, authority.signed({**stated, name: value}))
            assert answer.status_code in (200, 401), (name, value, answer.text)
        header = base64.urlsafe_b64encode(json.dumps({"alg": value, "kid": value, "typ": value}).encode())
        assert (await ask(world, f"{header.rstrip(b'=').decode()}.e30.AAAA")).status_code == 401


async def test_another_claim_can_be_chosen(authority: Authority, database: Database) -> None:
    app = app_for(authority, database, oauth_organization_claim="tenant")
    async with World(app, database) as world:
        await populate(world)
        assert (await ask(world, authority.token())).status_code == 403
        assert (await ask(world, authority.forged(tenant="rival", organization=None))).status_code == 200


def parts(token: str) -> list[Any]:
    header, payload, signature = token.split(".")
    return [*(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload)), signature]


def joined(header: dict[str, Any], payload: dict[str, Any], signature: str) -> str:
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload)]
    return ".".join([*encoded, signature])


def by_secret(header: dict[str, Any], payload: dict[str, Any], secret: bytes) -> str:
    unsigned = joined(header, payload, "").removesuffix(".")
    digest = hmac.digest(secret, unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


async def test_what_was_tampered_with_is_refused(world: World, authority: Authority) -> None:
    token = authority.token()
    header, payload, signature = parts(token)
    public = jwt.PyJWK(authority.keys[0], "RS256").key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    wrong = {
        "the signature": joined(header, payload, flipped),
        "no signature": joined(header, payload, ""),
        "the organisation": joined(header, {**payload, "organization": "rival"}, signature),
        "algorithm none": joined({**header, "alg": "none"}, payload, ""),
        "algorithm None": joined({**header, "alg": "None"}, payload, signature),
        "the public key as a secret": by_secret({**header, "alg": "HS256"}, payload, pem),
        "the key of another algorithm": joined({**header, "alg": "ES256"}, payload, signature),
        "the key of another kind": joined({**header, "kid": "ec-1"}, payload, signature),
        "an algorithm that is not pinned": authority.token("unpinned"),
        "no key": joined({name: value for name, value in header.items() if name != "kid"}, payload, signature),
        "a key that is no text": joined({**header, "kid": ["rsa-1"]}, payload, signature),
        "a type of another use": joined({**header, "typ": "logout+jwt"}, payload, signature),
        "something critical": joined({**header, "crit": ["exp"]}, payload, signature),
        "no JWT": "abc",
        "three dots": "...",
        "an API key": world.keys["manager"],
    }
    for what, sent in wrong.items():
        refused_as(await ask(world, sent), "")
        assert (await assign(world, sent)).status_code == 401, what
    assert await world.rows(tables.claim_assignments) == []
    assert (await ask(world, token)).status_code == 200


async def test_other_keys_take_over_without_a_restart(database: Database) -> None:
    with Authority(CLIENTS) as server:
        server.start(new_keys("1"))
        async with World(app_for(server, database), database) as world:
            await populate(world)
            old = server.token()
            assert (await ask(world, old)).status_code == 200
            server.stop()
            server.start(new_keys("2"))
            assert (await ask(world, server.token())).status_code == 200
            # What was signed with a withdrawn key is refused from then on.
            refused_as(await ask(world, old), "does not publish")


async def test_keys_never_heard_of_do_not_make_us_hammer_the_server(database: Database) -> None:
    with Authority(CLIENTS) as server:
        server.start(new_keys())
        async with World(app_for(server, database), database) as world:
            await populate(world)
            good = server.token()
            header, payload, signature = parts(good)
            flood = [joined({**header, "kid": f"unknown-{number}"}, payload, signature) for number in range(200)]
            answers = await asyncio.gather(*(ask(world, token) for token in flood), ask(world, good))
            one_by_one = [await ask(world, token) for token in flood[:20]]
            assert {answer.status_code for answer in (*answers[:-1], *one_by_one)} == {401}
            assert answers[-1].status_code == 200
            assert (await ask(world, good)).status_code == 200
        server.stop()
        assert 1 <= server.fetched <= MAX_FETCHES


async def test_a_server_that_is_down(database: Database) -> None:
    with Authority(CLIENTS) as server:
        server.start(new_keys())
        token = server.token()
        header, payload, signature = parts(token)
        unknown = joined({**header, "kid": "unknown"}, payload, signature)
        server.stop()
        async with World(app_for(server, database), database) as world:
            await populate(world)
            unavailable = await ask(world, token)
            assert (unavailable.status_code, unavailable.json()["error_code"]) == (503, "service_unavailable")
            assert unavailable.headers["retry-after"]
            # Keys are not the server's concern.
            answer = await world.client.get(LIST, headers={"X-API-Key": world.keys["readonly"]})
            assert answer.status_code == 200
            server.start(server.keys)
            assert (await ask(world, token)).status_code == 200
            server.stop()
            refused_as(await ask(world, unknown), "does not publish")
            assert (await ask(world, token)).status_code == 200


async def test_keys_are_found_where_the_setting_says(authority: Authority, database: Database) -> None:
    for url, status in ((f"{authority.issuer}/jwks", 200), (f"{authority.issuer}/nowhere", 503)):
        async with World(app_for(authority, database, oauth_jwks_url=url), database) as world:
            if status == 200:
                await populate(world)
            assert (await ask(world, authority.token())).status_code == status


async def test_a_server_that_calls_itself_otherwise_is_not_believed(authority: Authority, database: Database) -> None:
    settings = Settings(public_url=AUDIENCE, oauth_issuer=f"http://localhost:{authority.port}")
    async with World(create_app(settings, database), database) as world:
        assert (await ask(world, authority.token())).status_code == 503


async def test_the_metadata_lead_to_the_server(world: World, authority: Authority) -> None:
    response = await world.client.get("/.well-known/oauth-protected-resource")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    described = response.json()
    assert described["resource"] == AUDIENCE
    assert described["authorization_servers"] == [authority.issuer]
    assert described["scopes_supported"] == ["certifications:read", "certifications:write"]
    assert described["bearer_methods_supported"] == ["header"]
    # Who comes without anything is told where to look, and the way works.
    refused = await world.client.get(LIST)
    assert refused.headers.get_list("www-authenticate")[1] == f"Bearer {METADATA}"
    assert (await ask(world, authority.token(resource=described["resource"]))).status_code == 200


async def test_a_token_manages_no_keys(world: World, authority: Authority) -> None:
    path = f"/account/api/v1/organizations/{world.brand}/api-keys"
    before = await world.rows(tables.api_keys)
    assert (await ask(world, authority.token(), path)).status_code == 403
    assert (await ask(world, authority.token(), path, "POST", json={"name": "x"})).status_code == 403
    assert [row[0] for row in await world.rows(tables.api_keys)] == [row[0] for row in before]


async def test_where_no_server_is_set_no_token_is_taken(authority: Authority, database: Database) -> None:
    async with World(create_app(Settings(), database), database) as world:
        await populate(world)
        refused = await ask(world, authority.token())
        assert refused.status_code == 401
        assert refused.headers.get_list("www-authenticate") == ['ApiKey realm="certgate", header="X-API-Key"']
        assert (await world.client.get("/.well-known/oauth-protected-resource")).status_code == 404


async def test_what_host_a_client_claims_does_not_get_into_the_challenge(
    authority: Authority, database: Database
) -> None:
    settings = Settings(oauth_issuer=authority.issuer, oauth_audience=AUDIENCE)
    async with World(create_app(settings, database), database) as world:
        for host, shown in (("certgate.example", "certgate.example"), ('x", evil="', "localhost")):
            refused = await world.client.get(LIST, headers={"Host": host})
            challenge = refused.headers.get_list("www-authenticate")[1]
            assert challenge == f'Bearer resource_metadata="http://{shown}/.well-known/oauth-protected-resource"'


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"oauth_issuer": "http://login.example.org"}, "OAUTH_ISSUER"),
        ({"oauth_issuer": "login.example.org"}, "OAUTH_ISSUER"),
        ({"oauth_issuer": "https://login.example.org"}, "OAUTH_AUDIENCE"),
        ({"oauth_jwks_url": "file:///etc/passwd"}, "OAUTH_JWKS_URL"),
        ({"oauth_algorithms": "RS256 HS256"}, "OAUTH_ALGORITHMS"),
        ({"oauth_algorithms": "none"}, "OAUTH_ALGORITHMS"),
        ({"oauth_algorithms": " "}, "OAUTH_ALGORITHMS"),
    ],
)
def test_settings_that_would_let_others_in_are_refused(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=f"CERTGATE_{named} is (wrong|missing)"):
        load_settings(**wrong)


def test_an_issuer_needs_an_audience_or_a_public_address() -> None:
    by_address = load_settings(oauth_issuer="https://login.example.org", public_url="https://certgate.example.org")
    by_name = load_settings(oauth_issuer="http://127.0.0.1:9000", oauth_audience="certgate")
    assert [settings.oauth_audience for settings in (by_address, by_name)] == ["", "certgate"]
