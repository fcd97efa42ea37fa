"""Served below a path: by nginx, which strips it, and mounted in another ASGI application."""

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.app import create_app
from gateway.settings import Settings
from resolvers.sessions import create_sign_in_link
from tests.served import ours, served
from tests.world import GTIN, NON_GMO, World

CERTIFICATIONS = f"certifications/api/v1/products/{GTIN}/certifications"
VIEWER = {"query": "{ viewer { organization { slug } } }"}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location = /certs {{ proxy_pass http://127.0.0.1:{upstream}/; proxy_set_header Host $http_host; }}
    location /certs/ {{ proxy_pass http://127.0.0.1:{upstream}/; proxy_set_header Host $http_host; }}
    location / {{ return 418; }}
  }}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def nginx(folder: Path, port: int, upstream: int) -> AsyncIterator[None]:
    """nginx on that port, which passes on what is below /certs without /certs."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        reason = "The test needs nginx; on Debian: apt-get install nginx-light"
        if os.environ.get("CERTGATE_TEST_NGINX") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream))
    process = await asyncio.create_subprocess_exec(program, "-c", str(file), "-p", str(folder), "-e", "stderr")
    try:
        for _ in range(500):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                break
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def base(world: World, tmp_path: Path) -> AsyncIterator[str]:
    """The public address, a slash at its end."""
    port = free_port()
    public = f"http://127.0.0.1:{port}/certs"
    application = create_app(Settings(public_url=public), world.database)
    async with served(application, ours()) as (_, upstream), nginx(tmp_path, port, upstream):
        yield f"{public}/"


@pytest.fixture
async def client(base: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=base) as client:
        yield client


async def test_whoever_comes_stays_below_the_path(base: str, client: httpx2.AsyncClient) -> None:
    for path in (base, base.rstrip("/")):
        home = await client.get(path)
        ways = {urljoin(path, way) for way in re.findall(r'href="([^"]+)"', home.text)}
        assert home.status_code == 200
        assert {f"{base}app", f"{base}graphiql", f"{base}docs"} <= ways


@pytest.mark.parametrize("page", ["graphiql", "docs", "docs/errors", "docs/errors/not_found", "sign-in"])
async def test_what_a_page_names_is_there(base: str, client: httpx2.AsyncClient, page: str) -> None:
    shown = await client.get(page)
    assert shown.status_code == 200
    named = re.findall(r'(?:href|src|action)="([^"]+)"', shown.text)
    assert named
    for reference in named:
        address = urljoin(f"{base}{page}", reference)
        assert address.startswith(base), reference
        # Where people sign in first, they are led to.
        assert (await client.get(address)).status_code == (303 if address == f"{base}app" else 200), reference
    if "link" in shown.headers:
        assert shown.headers["link"] == f'<{base}.well-known/api-catalog>; rel="api-catalog"'


async def test_what_programs_are_told_is_there(base: str, client: httpx2.AsyncClient) -> None:
    catalogue = (await client.get(".well-known/api-catalog")).json()
    told = [
        item["href"]
        for entry in catalogue["linkset"]
        for links in entry.values()
        if links != entry["anchor"]
        for item in links
    ]
    assert len(told) > 6
    for address in told:
        assert address.startswith(base)
        answer = await client.get(address)
        assert answer.status_code == 200, address
        if address.endswith("openapi.json"):
            assert answer.json()["servers"] == [{"url": base.rstrip("/")}]
    assert f"]({base}docs/errors)" in (await client.get("llms.txt")).text


async def test_a_browser_signs_in_and_out(world: World, base: str, client: httpx2.AsyncClient) -> None:
    token = await create_sign_in_link(world.database, world.key_ids["manager"])
    for way in ("link", "form"):
        if way == "link":
            signed = await client.post(
                "sign-in", data={"token": token}, headers={"Origin": base.removesuffix("/certs/")}
            )
        else:
            form = await client.get("sign-in")
            action = re.findall(r'action="([^"]+)"', form.text)[0]
            signed = await client.post(
                urljoin(f"{base}sign-in", action),
                data={"api_key": world.keys["manager"]},
                headers={"Origin": base.removesuffix("/certs/")},
            )
        assert (signed.status_code, signed.headers["location"]) == (303, "/certs/app")
        assert "; Path=/certs;" in signed.headers["set-cookie"]
        # Another application on the host may call its own cookie so.
        client.cookies.set("sessionid", "somebody-elses", domain="127.0.0.1", path="/")
        asked = await client.post("graphql", json=VIEWER, headers={"Origin": base.removesuffix("/certs/")})
        assert asked.json() == {"data": {"viewer": {"organization": {"slug": "brand"}}}}
        out = await client.post("sign-out", headers={"Origin": base.removesuffix("/certs/")})
        assert (out.status_code, out.headers["location"]) == (303, "/certs/")
        assert "; Path=/certs;" in out.headers["set-cookie"]
        assert (await client.post("graphql", json=VIEWER)).status_code == 401


async def test_the_api_answers_there(world: World, client: httpx2.AsyncClient) -> None:
    read = await client.get(CERTIFICATIONS, headers={"X-API-Key": world.keys["editor"]})
    assert (read.status_code, len(read.json())) == (200, 1)


async def test_a_refusal_leads_to_its_page_there(world: World, base: str, client: httpx2.AsyncClient) -> None:
    refused = await client.get("certifications/api/v1/claims/x", headers={"X-API-Key": world.keys["editor"]})
    assert refused.json()["type"] == "https://closient.com/docs/errors/validation_error"
    assert refused.headers["link"] == f'<{base}docs/errors/validation_error>; rel="help"'
    query = {"query": '{ product(gtin: "1") { name } }'}
    asked = await client.post("graphql", json=query, headers={"X-API-Key": world.keys["editor"]})
    (error,) = asked.json()["errors"]
    assert error["extensions"]["problem"]["help"] == f"{base}docs/errors/validation_error"
    page = await client.get(error["extensions"]["problem"]["help"])
    assert (page.status_code, "validation_error" in page.text) == (200, True)
    removal = f'removeClaim(input: {{gtin: "{GTIN}", claimId: "{NON_GMO}"}})'
    mutation = {"query": f"mutation {{ {removal} {{ ... on Problem {{ type help }} }} }}"}
    asked = await client.post("graphql", json=mutation, headers={"X-API-Key": world.keys["editor"]})
    assert asked.json()["data"]["removeClaim"] == {
        "type": "https://closient.com/docs/errors/not_found",
        "help": f"{base}docs/errors/not_found",
    }


@pytest.mark.parametrize("place", ["/tools/certs", "/docs", "/graphql", "/products"])
async def test_it_can_be_mounted_in_another_application(world: World, place: str) -> None:
    """The path of the place may be one of ours."""
    application = create_app(Settings(cors_origins="https://dashboard.example.org"), world.database)
    mounted = Starlette(routes=[Mount(place, application)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=mounted), base_url="http://host.test") as client:
        assert (await client.get(f"{place}/{CERTIFICATIONS}")).status_code == 401
        key = {"X-API-Key": world.keys["manager"]}
        assert (await client.get(f"{place}/{CERTIFICATIONS}/", headers=key)).status_code == 200
        assert (await client.post(f"{place}/graphql", json=VIEWER, headers=key)).status_code == 200
        for page in ("graphiql", "docs", "docs/errors", "products/api/v1/openapi.json", "healthz", "sign-in"):
            assert (await client.get(f"{place}/{page}")).status_code == 200, page
        assert f'href="{place}/graphiql"' in (await client.get(f"{place}/")).text
        proof = await client.get(f"{place}/products/614141107346")
        assert (proof.status_code, proof.headers["location"]) == (308, f"{place}/products/00614141107346")
        token = await create_sign_in_link(world.database, world.key_ids["manager"])
        signed = await client.post(f"{place}/sign-in", data={"token": token}, headers={"Origin": "http://host.test"})
        assert signed.headers["location"] == f"{place}/app"
        assert f"; Path={place};" in signed.headers["set-cookie"]
        asked = await client.options(
            f"{place}/{CERTIFICATIONS}",
            headers={"Origin": "https://dashboard.example.org", "Access-Control-Request-Method": "GET"},
        )
        assert asked.headers["access-control-allow-origin"] == "https://dashboard.example.org"
