"""Letters at a real mail server: invitations and links to sign in, and what becomes of them where there is trouble."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from db.sql import tables
from domain.vocabulary import Role
from gateway.app import create_app
from gateway.environment import load_settings
from gateway.mail import Mailer
from gateway.settings import Settings, SettingsError
from resolvers.keys import set_member
from resolvers.letters import Letter
from tests.oauth.authority import free_port
from tests.operations.faces import GraphQL, Rest
from tests.world import World

HERE = {"Origin": "http://certgate.test", "Sec-Fetch-Site": "same-origin"}
ANN = "ann@example.org"
LETTER = Letter(ANN, "A subject\r\nBcc: bob@example.org", "Text, é.\n")


class Mailbox:
    """A mail server on loopback, in the test's own loop, and what it took."""

    def __init__(self, **options: Any) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answer = "250 taken"
        self.port = 0
        self._options = options
        self._connections: list[SMTP] = []

    async def handle_DATA(  # noqa: N802 - the library calls it so
        self, server: object, session: Session, envelope: Envelope
    ) -> str:
        if self.answer.startswith("250"):
            message = message_from_bytes(bytes(envelope.original_content or b""), policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.letters.append(message)
            self.recipients += envelope.rcpt_tos
        return self.answer

    def _connected(self) -> SMTP:
        self._connections.append(SMTP(self, **self._options))
        return self._connections[-1]

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Mailbox"]:
        server = await asyncio.get_running_loop().create_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for connection in self._connections:
                # Some clients leave without a word. Early Pythons 3.11 cannot abort what TLS has closed.
                transport = connection.transport
                if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
                    transport.abort()
            await server.wait_closed()
            await asyncio.sleep(0)


def settings_for(url: str) -> Settings:
    return Settings(public_url="http://certgate.test", smtp_url=url, smtp_from="certgate@example.org")


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox().open() as mailbox:
        yield mailbox


@pytest.fixture
async def mailing(mailbox: Mailbox, world: World) -> AsyncIterator[World]:
    settings = settings_for(f"smtp://127.0.0.1:{mailbox.port}")
    async with World(create_app(settings, world.database), world.database) as other:
        other.keys, other.key_ids = world.keys, world.key_ids
        yield other


async def ask(world: World, email: str, **headers: str) -> httpx2.Response:
    response = await world.client.post("/sign-in", data={"email": email}, headers={**HERE, **headers})
    world.client.cookies.clear()
    return response


def links_in(letter: EmailMessage) -> list[str]:
    return re.findall(r"http://certgate\.test(/\S+)", letter.get_content())


@pytest.mark.parametrize("face", [Rest, GraphQL])
async def test_an_invitation_is_sent_and_its_link_not_shown(mailing: World, mailbox: Mailbox, face: type) -> None:
    made = (await face(mailing).people("invite", email="Ann@Example.org", role="editor")).facts
    assert made["link"] is None
    (letter,) = mailbox.letters
    assert mailbox.recipients == [ANN]
    assert (letter["From"], letter["To"]) == ("certgate@example.org", ANN)
    assert letter["Subject"] == "You are invited to Brand"
    assert letter["Auto-Submitted"] == "auto-generated"
    (link,) = links_in(letter)
    page = await mailing.client.get(link)
    assert "<strong>Brand</strong> as editor" in page.text
    accepted = await mailing.client.post("/invitation", data={"token": link.partition("=")[2]}, headers=HERE)
    assert accepted.status_code == 303


async def test_what_is_refused_or_only_rehearsed_sends_nothing(mailing: World, mailbox: Mailbox) -> None:
    assert not (await Rest(mailing).people("invite", "editor", email=ANN)).ok
    assert not (await Rest(mailing).people("invite", email="ann")).ok
    query = 'mutation { createInvitation(input: {email: "ann@example.org"}, dryRun: true) { __typename } }'
    answer = await GraphQL(mailing).run(query, "manager")
    assert answer["data"] == {"createInvitation": {"__typename": "InvitationCreated"}}
    assert mailbox.letters == []


@pytest.mark.parametrize("face", [Rest, GraphQL])
@pytest.mark.parametrize("trouble", ["refuses", "is down"])
async def test_where_no_mail_is_taken_the_link_is_shown(
    world: World, face: type, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Mailbox().open() as mailbox:
        mailbox.answer = f"550 no such person: {ANN}"
        port = mailbox.port if trouble == "refuses" else free_port()
        app = create_app(settings_for(f"smtp://127.0.0.1:{port}"), world.database)
        async with World(app, world.database) as other:
            other.keys = world.keys
            made = (await face(other).people("invite", email=ANN)).facts
    assert made["link"].startswith("http://certgate.test/invitation?token=")
    said = [record.getMessage() for record in caplog.records if record.name == "certgate"]
    assert ["did not take a letter" in message for message in said] == [True]
    assert ANN not in said[0]


async def test_a_member_signs_in_by_a_mailed_link(mailing: World, mailbox: Mailbox) -> None:
    await set_member(mailing.database, "brand", ANN, Role.EDITOR)
    await set_member(mailing.database, "rival", ANN, Role.READONLY)
    page = await mailing.client.get("/sign-in")
    assert 'name="email"' in page.text
    assert (await ask(mailing, "Ann@Example.org")).status_code == 202
    (letter,) = mailbox.letters
    assert mailbox.recipients == [ANN]
    first, second = links_in(letter)
    assert re.search(r"Brand: http.*Rival: http", letter.get_content(), re.DOTALL)
    # A program that looks into mails does not use it up.
    for _ in range(2):
        page = await mailing.client.get(first)
        assert (page.status_code, 'method="post" action="sign-in"' in page.text) == (200, True)
    form = {"token": first.partition("=")[2]}
    assert (await mailing.client.post("/sign-in", data=form)).status_code == 403
    signed = await mailing.client.post("/sign-in", data=form, headers=HERE)
    assert (signed.status_code, signed.headers["location"]) == (303, "/app")
    who = (await mailing.client.get("/account/api/v1/whoami")).json()
    assert (who["email"], [each["name"] for each in who["organizations"]]) == (ANN, ["Brand"])
    mailing.client.cookies.clear()
    assert (await mailing.client.post("/sign-in", data=form, headers=HERE)).status_code == 410
    assert second != first


async def test_strangers_are_not_told_whose_address_it_is(mailing: World, mailbox: Mailbox) -> None:
    await set_member(mailing.database, "brand", ANN, Role.EDITOR)
    known, unknown = await ask(mailing, ANN), await ask(mailing, "nobody@example.org")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert {*known.headers} == {*unknown.headers}
    assert mailbox.recipients == [ANN]
    assert len(await mailing.rows(tables.users)) == 1


async def test_many_who_ask_for_a_link_get_one_a_minute(mailing: World, mailbox: Mailbox) -> None:
    await set_member(mailing.database, "brand", ANN, Role.EDITOR)
    answers = await asyncio.gather(*(ask(mailing, ANN) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(mailbox.letters) == 1
    async with mailing.database.write() as transaction:
        earlier = datetime.now(UTC) + timedelta(minutes=58)
        await transaction.execute(tables.sign_in_links.update().values(expires_at=earlier))
    await ask(mailing, ANN)
    assert len(mailbox.letters) == 2


async def test_an_address_gets_twenty_letters_a_day(mailing: World, mailbox: Mailbox) -> None:
    await set_member(mailing.database, "brand", ANN, Role.EDITOR)
    for _ in range(22):
        assert (await ask(mailing, ANN.upper())).status_code == 202
        async with mailing.database.write() as transaction:
            await transaction.execute(tables.sign_in_links.delete())
    assert len(mailbox.letters) == 20
    await set_member(mailing.database, "brand", "bob@example.org", Role.EDITOR)
    await ask(mailing, "bob@example.org")
    assert mailbox.recipients[-1] == "bob@example.org"


async def test_what_is_no_address_is_said(mailing: World, mailbox: Mailbox) -> None:
    for wrong in ("ann", "ann@b.test, bob@b.test", "ann@b.test\r\nBcc: bob@b.test", "a" * 300 + "@b.test"):
        response = await ask(mailing, wrong)
        assert (response.status_code, 'role="alert"' in response.text) == (400, True)
    for headers in ({"Origin": "https://elsewhere.test"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await ask(mailing, ANN, **headers)).status_code == 403
    assert mailbox.letters == []


async def test_without_a_mail_server_no_mail_is_offered(world: World) -> None:
    assert 'name="email"' not in (await world.client.get("/sign-in")).text
    response = await ask(world, ANN)
    assert (response.status_code, "No mail is sent from here" in response.text) == (400, True)


async def test_a_subject_ends_no_header(mailbox: Mailbox) -> None:
    mailer = Mailer(settings_for(f"smtp://127.0.0.1:{mailbox.port}"), "http://certgate.test")
    assert await mailer.send(LETTER)
    (letter,) = mailbox.letters
    assert letter["Subject"] == "A subject Bcc: bob@example.org"
    assert (letter["Bcc"], mailbox.recipients) == (None, [ANN])
    assert letter.get_content().strip() == "Text, é."


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def judged(server: object, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (b"ann@here", b"p@ss/word"), handled=False)


async def test_a_password_goes_over_tls_to_a_server_that_is_known(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    options = {"tls_context": context, "require_starttls": True, "authenticator": judged, "auth_required": True}
    async with Mailbox(**options).open() as mailbox:
        url = f"smtp://ann%40here:{{}}@127.0.0.1:{mailbox.port}"
        right, wrong = (Mailer(settings_for(url.format(word)), "") for word in ("p%40ss%2Fword", "wrong"))
        # Nobody vouches for the certificate.
        assert not await right.send(LETTER)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert not await wrong.send(LETTER)
        assert mailbox.letters == []
        assert await right.send(LETTER)
        assert len(mailbox.letters) == 1


async def test_a_password_is_never_sent_in_the_clear_to_another_machine(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.mail.LOOPBACK", ())
    mailer = Mailer(settings_for(f"smtp://ann:word@127.0.0.1:{mailbox.port}"), "")
    assert not await mailer.send(LETTER)
    assert mailbox.letters == []


async def test_a_server_that_says_nothing_holds_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.mail.SECONDS", 0.05)
    # Connections are taken by the system, and nobody answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailer = Mailer(settings_for(f"smtp://127.0.0.1:{silent.getsockname()[1]}"), "")
        assert not await mailer.send(LETTER)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_url": "mail.example.org"}, "CERTGATE_SMTP_URL is wrong: should look like smtp://"),
        ({"smtp_url": "smtp://:587"}, "CERTGATE_SMTP_URL is wrong"),
        ({"smtp_url": "smtp://mail.example.org"}, "CERTGATE_SMTP_FROM is missing"),
        ({"smtp_url": "smtp://mail.example.org", "smtp_from": ANN}, "and CERTGATE_PUBLIC_URL"),
        ({"smtp_from": "Ann <ann@example.org>"}, "CERTGATE_SMTP_FROM is wrong"),
    ],
)
def test_settings_that_do_not_fit_are_said(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(**given)
    assert said in str(error.value)
    assert "smtp://mail" not in str(error.value)
