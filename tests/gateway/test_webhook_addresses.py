"""The address that is dialled is the one that was judged, whatever the name leads to later; the name is for TLS."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.webhooks import addresses, connection
from gateway.webhooks.connection import Receiver

NAME = "hooks.example.test"
LOOPBACK = [ip_network("127.0.0.0/8")]


def certificate(folder: Path, host: str) -> Path:
    """A key with a certificate for that name, which is its own authority."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("certified", [NAME, "other.example.test"])
async def test_a_name_is_looked_up_once_and_is_what_tls_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certified: str
) -> None:
    file = certificate(tmp_path, certified)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    heard: list[Any] = []
    context.sni_callback = lambda _, name, __: heard.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[1])
        await reader.readexactly(2)
        writer.write(b"HTTP/1.1 204 Taken\r\n\r\n")
        writer.close()

    trusted = ssl.create_default_context(cafile=str(file))
    monkeypatch.setattr(connection, "_trusted", lambda: trusted)
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        # Whoever looks it up again is led elsewhere.
        place = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        receiver = Receiver(f"https://{NAME}:{port}/hook", LOOPBACK)
        answer = await receiver.post(b"", b"{}")
        receiver.close()
    assert asked == [NAME]
    assert heard[0] == NAME
    if certified == NAME:
        assert (answer.result, answer.status) == ("delivered", 204)
        assert heard[1] == f"Host: {NAME}:{port}".encode()
    else:
        assert (answer.result, answer.status) == ("unreachable", None)
        assert "certificate" in answer.text
        assert len(heard) == 1


async def test_of_the_addresses_of_a_name_only_those_are_dialled_that_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 6, "", (place, port)) for place in ("10.0.0.1", "::1", "8.8.8.8")]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert await addresses.address_of(NAME, 443, [], encrypted=True) == "8.8.8.8"
    with pytest.raises(addresses.NotAllowed, match="https"):
        await addresses.address_of(NAME, 80, [], encrypted=False)
    assert await addresses.address_of(NAME, 80, [ip_network("10.0.0.0/8")], encrypted=False) == "10.0.0.1"
