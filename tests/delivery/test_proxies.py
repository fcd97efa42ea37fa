"""The examples of nginx and Caddy, run as they stand but for names, ports and certificates: TLS, a name, a path."""

import asyncio
import os
import re
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.types import Scope

from gateway.app import create_app
from gateway.http_protocol import Http, Limits
from gateway.settings import Settings
from gateway.telemetry.telemetry import Telemetry
from tests.served import served
from tests.world import GTIN, World

DEPLOY = Path(__file__).parents[2] / "deploy"
LIST = f"certifications/api/v1/products/{GTIN}/certifications"
TOKEN = "a-token-of-monitoring-0123"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MAIN = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {site}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def program(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        reason = f"The test needs {name}; on Debian: apt-get install {package}"
        if os.environ.get(f"CERTGATE_TEST_{name.upper()}") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def certificate(folder: Path) -> None:
    """One for both names, which nobody has signed, as fullchain.pem and privkey.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "certgate.example.org")])
    now = datetime.now(UTC)
    names = [x509.DNSName("certgate.example.org"), x509.DNSName("example.org")]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "privkey.pem").write_bytes(text)


def nginx_of(folder: Path, example: str, port: int, upstream: int) -> list[str]:
    site = (DEPLOY / "nginx" / example).read_text()
    if example == "below-a-path.conf":
        site = (
            "server { listen 443 ssl; server_name example.org; ssl_certificate /etc/ssl/certgate/fullchain.pem;"
            f" ssl_certificate_key /etc/ssl/certgate/privkey.pem; {site} location / {{ return 418; }} }}"
        )
    site = site.replace("/etc/ssl/certgate", str(folder)).replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    file = folder / "nginx.conf"
    file.write_text(MAIN.format(folder=folder, site=site.replace("listen 443", f"listen 127.0.0.1:{port}")))
    return [program("nginx", "nginx-light"), "-c", str(file), "-p", str(folder), "-e", "stderr"]


def caddy_of(folder: Path, port: int, upstream: int) -> list[str]:
    sites = (DEPLOY / "Caddyfile").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    # Nobody gives a certificate for these names here.
    own = f"\tbind 127.0.0.1\n\ttls {folder}/fullchain.pem {folder}/privkey.pem"
    sites = re.sub(r"(?m)^((?:certgate\.)?example\.org) \{", rf"https://\1:{port} {{\n{own}", sites)
    file = folder / "Caddyfile"
    file.write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{sites}")
    return [program("caddy", "caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]


@asynccontextmanager
async def running(words: list[str], folder: Path, port: int) -> AsyncIterator[None]:
    with (folder / "said").open("w") as said:
        own = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        process = await asyncio.create_subprocess_exec(*words, stdout=said, stderr=said, env=own)
        try:
            for _ in range(1000):
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    assert process.returncode is None, (folder / "said").read_text()
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    break
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


@pytest.mark.parametrize(
    ("proxy", "public"),
    [
        ("certgate.conf", "https://certgate.example.org"),
        ("below-a-path.conf", "https://example.org/certs"),
        ("caddy", "https://certgate.example.org"),
        ("caddy", "https://example.org/certs"),
    ],
)
async def test_the_examples_pass_requests_on_over_tls(world: World, tmp_path: Path, proxy: str, public: str) -> None:
    certificate(tmp_path)
    port = free_port()
    settings = Settings(public_url=public, metrics_token=TOKEN)
    told: list[str] = []
    telemetry = Telemetry(settings, world.database)
    application = create_app(settings, world.database, telemetry=telemetry)

    def observe(scope: Scope, *_: object) -> None:
        told.append(scope["client"][0])

    http = Http(settings.error_pages, Limits(), observe)
    async with served(application, http) as (_, upstream):
        words = caddy_of(tmp_path, port, upstream) if proxy == "caddy" else nginx_of(tmp_path, proxy, port, upstream)
        trust = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
        host, _, path = public.removeprefix("https://").partition("/")
        base = f"https://127.0.0.1:{port}/{f'{path}/' if path else ''}"
        async with (
            running(words, tmp_path, port),
            httpx2.AsyncClient(verify=trust, headers={"Host": host}, base_url=base) as client,
        ):
            by_name = {"sni_hostname": host}
            key = {"X-API-Key": world.keys["editor"]}
            answer = await client.get(LIST, headers=key, extensions=by_name)
            assert (answer.status_code, answer.json()) == (200, answer.json())
            query = {"query": "{ viewer { organization { slug } } }"}
            asked = await client.post("graphql", json=query, headers=key, extensions=by_name)
            assert asked.json()["data"]["viewer"]["organization"] == {"slug": "brand"}
            # A page, and where it leads to; signing in gives a cookie for TLS alone.
            home = await client.get("", extensions=by_name)
            assert f'href="{urljoin(f"{public}/", "graphiql").removeprefix(f"https://{host}")}"' in home.text
            assert (await client.get("graphiql", extensions=by_name)).status_code == 200
            sent = {"Origin": public.partition("/certs")[0], "Sec-Fetch-Site": "same-origin"}
            form = {"api_key": world.keys["editor"]}
            entered = await client.post("sign-in", data=form, headers=sent, extensions=by_name)
            assert entered.status_code == 303, entered.text
            assert "secure" in entered.headers["set-cookie"].lower()
            # What is nobody's business but the monitoring's, with the token as well.
            hidden = await client.get("metrics", headers={"Authorization": f"Bearer {TOKEN}"}, extensions=by_name)
            assert hidden.status_code == 404
            forged = {"X-Forwarded-For": "203.0.113.9"}
            await client.get("healthz", headers=forged, extensions=by_name)
    # Clients are who the proxy says, whatever they say themselves.
    assert set(told) == {"127.0.0.1"}
