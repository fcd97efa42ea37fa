"""Digests at a real mail server: what they tell, and that each leaves once, whatever becomes of the processes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from db import digests
from db.sql import tables
from domain.digests import next_due
from domain.short_id import ShortId
from domain.vocabulary import DigestPeriod, KeyKind, Role
from gateway.digests import PATIENCE, Digests
from gateway.mail import Mailer
from gateway.settings import Settings
from resolvers.keys import set_member
from tests.gateway.test_mail import Mailbox
from tests.operations.faces import Face, GraphQL, Rest
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, VEGAN, World

ANN = "ann@example.org"
TODAY = datetime.now(UTC).date()
SITE = "https://certgate.example"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox().open() as mailbox:
        yield mailbox


@pytest.fixture
async def subscriber(world: World) -> World:
    """The world with a member who is told each day."""
    await set_member(world.database, "brand", ANN, Role.READONLY)
    await world.add_key("ann", "brand", Role.READONLY, KeyKind.USER, ANN)
    assert (await Rest(world).people("set digest", "manager", user_id=await user_of(world), period="daily")).ok
    return world


async def user_of(world: World) -> ShortId:
    rows = await world.rows(tables.users)
    columns = [column.name for column in tables.users.columns]
    (row,) = [row for row in rows if ANN in row]
    return ShortId(row[columns.index("id")])


def sender(world: World, mailbox: Mailbox) -> Digests:
    """A process that sends."""
    url = f"smtp://127.0.0.1:{mailbox.port}"
    settings = Settings(smtp_url=url, smtp_from="certgate@example.org", public_url=SITE)
    return Digests(world.database, Mailer(settings, SITE))


async def due(world: World) -> datetime:
    """When the digest is due."""
    (found,) = await digests.due(world.database, datetime(2999, 1, 1, tzinfo=UTC))
    assert found.digest.due_at is not None
    return found.digest.due_at


def text(mailbox: Mailbox, index: int = -1) -> str:
    content: str = mailbox.letters[index].get_content()
    return content


async def stock(world: World) -> None:
    """What has lapsed, what lapses within its lead time or not, and what somebody has taken on."""
    rest = Rest(world)
    soon = (TODAY + timedelta(80)).isoformat()
    assert (await rest.patch_certification(GTIN, USDA_ORGANIC, expiration_date=soon)).ok
    await world.add_certification(GTIN, FAIR_TRADE, expiration_date=TODAY + timedelta(200))
    await world.add_certification(GTIN, PRIVATE, expiration_date=TODAY)
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC, expiration_date=TODAY + timedelta(5))
    for claim, days in ((NON_GMO, 20), (VEGAN, 20)):
        assert (await rest.assign_claim(GTIN, claim, expiration_date=(TODAY + timedelta(days)).isoformat())).ok
    assert (await rest.acknowledge("claim", GTIN, VEGAN, until=soon, reason="It is renewed.")).ok


async def test_a_digest_tells_what_lapses_and_leaves_out_what_was_taken_on(subscriber: World, mailbox: Mailbox) -> None:
    await stock(subscriber)
    # Before the hour of the letters that is still today, when nothing of today has lapsed.
    now = max(await due(subscriber), datetime.now(UTC) + timedelta(1))
    assert await sender(subscriber, mailbox).send_due(now) == 1
    (letter,) = mailbox.letters
    assert (letter["To"], mailbox.recipients) == (ANN, [ANN])
    assert letter["Subject"].startswith("Brand: ")
    assert letter["Message-ID"].startswith(f"<digest.{await user_of(subscriber)}.{subscriber.brand}.")
    lines = text(mailbox).splitlines()
    day = now.date()
    lapsing = lines[lines.index("To lapse") + 1 : lines.index("", lines.index("To lapse"))]
    assert [line.split(": ")[0].split("  ")[-1] for line in lapsing] == ["USDA Organic", "Non-GMO"]
    left = (TODAY + timedelta(80) - day).days
    assert lapsing[0] == f"  {TODAY + timedelta(80)} (in {left} days)  USDA Organic: Acme Oat drink ({GTIN})"
    at = lines.index(f"Lapsed since {TODAY}, and not renewed")
    assert lines[at + 1] == f"  {TODAY} ({(day - TODAY).days} days ago)  Brand's own seal: Acme Oat drink ({GTIN})"
    assert f"All of it: {SITE}/app" in lines
    told = text(mailbox)
    assert OTHERS_GTIN not in told
    assert "Fair Trade" not in told
    # New is told whether it lapses or not; taken on or not.
    assert "Vegan" in told[told.index("New or changed") :]
    assert "Vegan" not in told[: told.index("New or changed")]


async def test_lead_times_decide_what_is_told(subscriber: World, mailbox: Mailbox) -> None:
    await stock(subscriber)
    rest = Rest(subscriber)
    now = await due(subscriber)

    async def lapsing() -> list[str]:
        async with subscriber.database.write() as transaction:
            values = {"due_at": now, "told_until": now}
            await transaction.execute(tables.digests.update().values(**values))
        await sender(subscriber, mailbox).send_due(now)
        told = text(mailbox)
        return [label for label in ("USDA Organic", "Fair Trade USA", "Non-GMO") if label in told]

    assert await lapsing() == ["USDA Organic", "Non-GMO"]
    assert (await rest.people("set lead times", for_certification=FAIR_TRADE, days=[300])).ok
    assert (await rest.people("set lead times", for_certification=USDA_ORGANIC, days=[10])).ok
    assert await lapsing() == ["Fair Trade USA", "Non-GMO"]
    assert (await rest.people("set lead times", days=[])).ok
    assert await lapsing() == ["Fair Trade USA"]


async def test_of_several_processes_one_sends_and_only_once(subscriber: World, mailbox: Mailbox) -> None:
    await stock(subscriber)
    now = await due(subscriber)
    assert await sender(subscriber, mailbox).send_due(now - timedelta(seconds=1)) == 0
    sent = await asyncio.gather(*(sender(subscriber, mailbox).send_due(now) for _ in range(6)))
    assert sorted(sent) == [0, 0, 0, 0, 0, 1]
    assert await sender(subscriber, mailbox).send_due(now + timedelta(hours=1)) == 0
    assert await due(subscriber) == next_due(DigestPeriod.DAILY, now)
    # The next tells of what is new since then.
    assert await sender(subscriber, mailbox).send_due(await due(subscriber)) == 1
    assert "New or changed" not in text(mailbox)
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == len(mailbox.letters) == 2


async def test_what_the_mail_server_does_not_take_is_tried_again(subscriber: World, mailbox: Mailbox) -> None:
    await stock(subscriber)
    now = await due(subscriber)
    mailbox.answer = "451 later"
    assert await sender(subscriber, mailbox).send_due(now) == 0
    mailbox.answer = "250 taken"
    assert await sender(subscriber, mailbox).send_due(now + PATIENCE - timedelta(seconds=1)) == 0
    assert await sender(subscriber, mailbox).send_due(now + PATIENCE) == 1
    assert len(mailbox.letters) == 1


async def test_a_process_that_is_killed_leaves_it_to_another(
    subscriber: World, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stock(subscriber)
    now = await due(subscriber)

    async def killed(*_: Any) -> None:
        raise asyncio.CancelledError

    for place in ("gateway.digests.contents_of", "gateway.digests.digests.done"):
        with monkeypatch.context() as patch:
            patch.setattr(place, killed)
            with pytest.raises(asyncio.CancelledError):
                await sender(subscriber, mailbox).send_due(now)
        assert await sender(subscriber, mailbox).send_due(now) == 0
        now += PATIENCE
    assert await sender(subscriber, mailbox).send_due(now) == 1
    # What the server had taken before the second was killed came twice, as one and the same letter.
    assert len(mailbox.letters) == 2
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 1


async def test_where_there_is_nothing_to_tell_no_letter_leaves(subscriber: World, mailbox: Mailbox) -> None:
    async with subscriber.database.write() as transaction:
        later = datetime.now(UTC) + timedelta(1)
        await transaction.execute(tables.digests.update().values(told_until=later))
    now = await due(subscriber)
    assert await sender(subscriber, mailbox).send_due(now) == 0
    assert mailbox.letters == []
    assert await due(subscriber) == next_due(DigestPeriod.DAILY, now)


async def test_whoever_leaves_is_told_nothing(subscriber: World, mailbox: Mailbox) -> None:
    await stock(subscriber)
    now = await due(subscriber)
    assert (await Rest(subscriber).people("dismiss", user_id=await user_of(subscriber))).ok
    assert await subscriber.rows(tables.digests) == []
    assert await sender(subscriber, mailbox).send_due(now) == 0


async def test_members_say_for_themselves(subscriber: World, face: Face) -> None:
    user = await user_of(subscriber)
    weekly = await face.people("set digest", "ann", user_id=user, period="weekly")
    assert (weekly.facts["user_id"], weekly.facts["period"]) == (user, "weekly")
    assert datetime.fromisoformat(weekly.facts["due_at"]) == next_due(DigestPeriod.WEEKLY, datetime.now(UTC))
    again = await face.people("set digest", "ann", user_id=user, period="weekly")
    assert again.facts == weekly.facts
    assert (await face.people("set digest", "editor", user_id=user, period="daily")).status == 403
    never = await face.people("set digest", "ann", user_id=user, period=None)
    assert (never.facts["period"], never.facts["due_at"]) == (None, None)
    assert await subscriber.rows(tables.digests) == []


async def test_graphql_takes_whoever_asks(subscriber: World) -> None:
    body = await GraphQL(subscriber).run("{ digest { userId period dueAt } }", "ann")
    assert body["data"]["digest"]["period"] == "DAILY"
    body = await GraphQL(subscriber).run("{ digest { problem } }", "ann")
    assert "CERTGATE_SMTP_URL" in body["data"]["digest"]["problem"]
    body = await GraphQL(subscriber).run("{ digest { period } }", "manager")
    assert "name a member" in body["errors"][0]["message"]
    mutation = "mutation { setDigest(input: {}) { ... on ValidationProblem { detail } } }"
    body = await GraphQL(subscriber).run(mutation, "manager")
    assert "name a member" in body["data"]["setDigest"]["detail"]


async def test_where_no_mail_is_sent_it_is_said(
    subscriber: World, mailbox: Mailbox, caplog: pytest.LogCaptureFixture, face: Face
) -> None:
    user = await user_of(subscriber)
    weekly = await face.people("set digest", "ann", user_id=user, period="weekly")
    assert "CERTGATE_SMTP_URL" in weekly.facts["problem"]
    never = await face.people("set digest", "ann", user_id=user, period=None)
    assert not never.facts["problem"]
    silent = Digests(subscriber.database, Mailer(Settings(), SITE))
    await silent.warn()
    assert caplog.messages == []
    assert (await face.people("set digest", "ann", user_id=user, period="daily")).ok
    await silent.warn()
    await sender(subscriber, mailbox).warn()
    assert caplog.messages == ["Digests by mail are due to 1 member, and CERTGATE_SMTP_URL is not set; none leaves."]


@pytest.fixture(params=[Rest, GraphQL], ids=["rest", "graphql"])
def face(request: pytest.FixtureRequest, world: World) -> Face:
    made: Face = request.param(world)
    return made


async def test_each_period_has_one_digest_in_two_years_with_stops(subscriber: World, mailbox: Mailbox) -> None:
    """Two processes look at odd times, stop for days and weeks, and go on."""
    await stock(subscriber)
    user = await user_of(subscriber)
    assert (await Rest(subscriber).people("set digest", user_id=user, period="weekly")).ok
    await Rest(subscriber).patch_certification(GTIN, USDA_ORGANIC, expiration_date="2031-12-31")
    await Rest(subscriber).people("set lead times", for_certification=USDA_ORGANIC, days=[3660])
    start = now = await due(subscriber)
    weeks: set[date] = set()
    for step in range(120):
        for process in (sender(subscriber, mailbox), sender(subscriber, mailbox)):
            before = len(mailbox.letters)
            await process.send_due(now)
            if len(mailbox.letters) > before:
                monday = now.date() - timedelta(now.weekday())
                assert monday not in weeks
                weeks.add(monday)
        now += timedelta(days=30, hours=1) if step % 40 == 39 else timedelta(days=5, hours=7, minutes=step)
    assert (now - start).days > 650
    assert len(weeks) > 80


def test_they_are_due_in_the_morning_of_each_day_or_monday() -> None:
    at = datetime(2026, 11, 30, 6, tzinfo=UTC)  # a Monday
    assert next_due(DigestPeriod.DAILY, at - timedelta(seconds=1)) == at
    assert next_due(DigestPeriod.DAILY, at) == at + timedelta(days=1)
    assert next_due(DigestPeriod.WEEKLY, at - timedelta(days=3)) == at
    assert next_due(DigestPeriod.WEEKLY, at) == at + timedelta(days=7)
