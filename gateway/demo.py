"""`certgate demo`: from whatever is there to a gateway on real products, with a link, a key, a curl line."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import NamedTuple

from db import accounts, acknowledgements, assignments, calendars, feed, history, invitations, sessions, views, webhooks
from db.catalogue import DEMO_SLUG, Loaded, load_catalogue, load_demo
from db.engine.database import Database
from domain.access import Caller, SignedInAs
from domain.account import User
from domain.acknowledgements import Acknowledgement
from domain.api_keys import digest
from domain.calendars import Calendar
from domain.changes import Change
from domain.errors import AlreadyExists, Busy, NotFound
from domain.gtin import Gtin
from domain.history import OPERATOR
from domain.importing import StartImport
from domain.people import INVITATION_LIFE, Invitation, SignedInFrom
from domain.short_id import catalogue_id
from domain.views import SavedView
from domain.vocabulary import BulkPolicy, Role, ViewKind
from domain.webhooks import TEST, Delivery, Webhook, new_secret
from files.jobs import Jobs
from gateway import storage
from gateway.server import address, listen, serve
from gateway.settings import Settings
from resolvers.keys import NewKey, create_key, forget_expired_keys
from resolvers.memberships import admit
from resolvers.operation import Context
from resolvers.organizations import existing
from resolvers.sessions import create_sign_in_link
from resolvers.views import remove_with_webhooks
from rest_compat.inputs import (
    EXAMPLE_CALENDAR,
    EXAMPLE_IMPORT,
    EXAMPLE_INVITATION,
    EXAMPLE_KEY,
    EXAMPLE_MEMBER,
    EXAMPLE_SESSION,
    EXAMPLE_VIEW,
    EXAMPLE_WEBHOOK,
)

LAPSING_GTIN = Gtin("09520000000059")
"""A demo product of which a certification and a claim lapse."""
KEY_NAME = "demo"
KEY_LIFE = timedelta(days=30)
EXAMPLE_GTIN = "00000080050698"
"""A demo product that holds certifications."""
EXAMPLE_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ROWS = """\
GTIN,Name,Claim
09520000000080,Demo tuna in brine,HIGH_PROTEIN
09520000000059,Demo rolled oats,WHOLE_GRAIN
09520000000111,Demo linseed oil,COLD_PRESSED
"""
"""A file of demo products: a new claim, one that is there, and a row that is refused for its check digit."""


class Access(NamedTuple):
    """What lets a person in: a fresh key, and the token of a sign-in link that stands for it."""

    key: NewKey
    token: str


async def load(database: Database) -> Loaded:
    """The catalogue and the demo products, as far as they are not there yet; the demo's numbers."""
    await load_catalogue(database)
    return await load_demo(database, datetime.now(UTC))


async def grant_access(database: Database) -> Access:
    """A key of the demo organisation and a sign-in link. Keys of former starts work until they expire.

    And a key that nobody ever sees, for the reference's page to change and to revoke, with people that nobody is, a
    saved view and lapses that somebody has taken on; each start brings them back.
    """
    await create_key(database, DEMO_SLUG, Role.READONLY, name="to try out", id=EXAMPLE_KEY)
    await _add_people(database, datetime.now(UTC))
    await forget_expired_keys(database, DEMO_SLUG, KEY_NAME)
    await _save_view(database, datetime.now(UTC))
    await _take_on(database, datetime.now(UTC))
    key = await create_key(database, DEMO_SLUG, Role.MANAGER, name=KEY_NAME, life=KEY_LIFE)
    return Access(key, await create_sign_in_link(database, key.entry.id))


async def _add_people(database: Database, now: datetime) -> None:
    """A member, an open invitation and a session, whose secrets nobody has."""
    async with database.write() as transaction:
        owner = await existing(transaction, DEMO_SLUG)
        await transaction.serialize("people to try out")
        member = User(EXAMPLE_MEMBER, "member@example.org", {})
        await accounts.add_user(transaction, member, now)
        await admit(transaction, member, owner.id, Role.READONLY, now, "setMember", OPERATOR)
        await invitations.remove(transaction, EXAMPLE_INVITATION)
        invitation = Invitation(
            EXAMPLE_INVITATION, owner.id, "invited@example.org", Role.READONLY, now, now + INVITATION_LIFE
        )
        await invitations.add(transaction, invitation, digest(token_urlsafe(32)))
        await sessions.end_session_of(transaction, owner.id, EXAMPLE_SESSION)
        who = SignedInAs(user_id=EXAMPLE_MEMBER, organization_id=owner.id)
        await sessions.add_session(
            transaction,
            id=EXAMPLE_SESSION,
            digest=digest(token_urlsafe(32)),
            who=who,
            expires_at=now + INVITATION_LIFE,
            at=now,
            place=SignedInFrom(EXAMPLE_BROWSER, "192.0.2.7"),
        )


async def _save_view(database: Database, now: datetime) -> None:
    """A view of certificates that lapse soon, and a calendar of it, whose address nobody has; and a webhook."""
    async with database.write() as transaction:
        owner = await existing(transaction, DEMO_SLUG)
        await transaction.serialize("a view to try out")
        before = await views.lock(transaction, EXAMPLE_VIEW)
        if before is not None:
            await remove_with_webhooks(transaction, EXAMPLE_VIEW, now, OPERATOR)
            await history.tell(transaction, Change(before, None), now, "loadDemo", OPERATOR)
        where = '{"mine": true, "lapsesWithin": {"days": 90}}'
        name = "Lapses within 90 days"
        if await views.find_by_name(transaction, owner.id, name) is None:
            kind = ViewKind.CERTIFICATIONS
            calendar = Calendar(EXAMPLE_CALENDAR, owner.id, EXAMPLE_VIEW, now)
            view = SavedView(EXAMPLE_VIEW, owner.id, name, kind, where, "lapses_on", now, now)
            await views.add(transaction, view)
            await history.tell(transaction, Change(None, view), now, "loadDemo", OPERATOR)
            await calendars.add(transaction, calendar, digest(token_urlsafe(32)))
        if await webhooks.lock(transaction, owner.id, EXAMPLE_WEBHOOK) is None:
            url = "https://hooks.example.org/certgate"
            webhook = Webhook(
                EXAMPLE_WEBHOOK, owner.id, url, "To try out", None, [], False, None, "", None, None, now, now
            )
            tried = Delivery(now, "test_0c2ff6f1e6a94f2d9b3c1b7f", TEST, 1, 204, 12, "")
            await webhooks.add(transaction, webhook, new_secret(), await feed.end(transaction), [tried])
            await history.tell(transaction, Change(None, webhook), now, "loadDemo", OPERATOR)


async def _take_on(database: Database, now: datetime) -> None:
    """Somebody has taken on that a certification and a claim of a product lapse."""
    owner = await existing(database, DEMO_SLUG)
    for kind, stored, code in (
        (assignments.certifications, acknowledgements.certifications, "GFCO"),
        (assignments.claims, acknowledgements.claims, "HIGH_FIBRE"),
    ):
        id = catalogue_id(kind.name, code)
        async with database.write() as transaction:
            held = await kind.lock(transaction, LAPSING_GTIN, id, [owner.id])
            if held is None or held.lapses_on is None:
                continue
            until, caller = held.lapses_on, Caller(None, None, Role.MANAGER, owner)
            said = Acknowledgement(held.id, held.gtin, owner.id, until, "It is being renewed.", until, "", now)
            before = await stored.find(transaction, held)
            if before is None or before.lapses_on != until:
                await stored.put(transaction, held, id, said, caller)
                await history.tell(transaction, Change(before, said), now, "loadDemo", OPERATOR)


async def put_in_rows(database: Database, folder: Path) -> None:
    """An import for the reference's page to show, unless it is there with what became of its rows."""

    async def parts() -> AsyncIterator[bytes]:
        yield ROWS.encode()

    context = Context(database, Caller(None, None, Role.MANAGER, await existing(database, DEMO_SLUG)))
    jobs = Jobs(database, folder)
    try:
        await jobs.refused_rows(context, EXAMPLE_IMPORT)
    except NotFound:
        asked = StartImport(name="to try out.csv", policy=BulkPolicy.IGNORE_FAILED)
        # Another process may be at it, or at many others.
        with suppress(AlreadyExists, Busy):
            await jobs.start(context, asked, parts(), id=EXAMPLE_IMPORT)
        await jobs.finish()


async def demo(settings: Settings) -> None:
    """Migrates, loads, makes a key and a link, serves until a signal; prints the way in once it answers."""
    if "log_level" not in settings.model_fields_set:
        # The server's start is said below, and better.
        settings = settings.model_copy(update={"log_level": "warning"})
    with listen(settings) as listener:
        await storage.migrate(settings)
        async with storage.opened(settings) as database:
            loaded = await load(database)
            await put_in_rows(database, Path(settings.import_folder))
            access = await grant_access(database)

            from gateway.app import create_app
            from gateway.telemetry.telemetry import Telemetry

            site = address(settings, listener)
            text = welcome(site, loaded.rows["products"], access)
            telemetry = Telemetry(settings, database)
            application = create_app(settings, database, site=site, telemetry=telemetry)
            await serve(settings, application, listener, lambda: print(text, flush=True), telemetry)


def welcome(url: str, products: int, access: Access) -> str:
    """What a person sees once the server answers: everything here can be clicked or pasted."""
    entry, key = access.key
    expires = f"{entry.expires_at:%Y-%m-%d}" if entry.expires_at else "never"
    return f"""
  certgate answers on {url} with {products} demo products.

  Explore it in the workbench and in GraphiQL; this link signs you in, once, within the hour:

    {url}/sign-in?token={access.token}

  API key of the organisation {entry.organization} (role {entry.role}, expires {expires}):

    {key}

  Ask the REST API:

    curl -H 'X-API-Key: {key}' {url}/certifications/api/v1/products/{EXAMPLE_GTIN}/certifications

  Stop with Ctrl+C.
"""
