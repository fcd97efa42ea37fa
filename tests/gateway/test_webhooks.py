"""Webhooks at a real receiver, a process of its own, by the reference library's verifier: what arrives, and what comes
of it where the receiver is bad.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from db.sealing import Sealer
from db.sql import tables
from domain.deliveries import AGAIN, JITTER, RESULTS, wait_behind
from domain.receivers import Network, judged
from domain.vocabulary import Role
from domain.webhooks import MAX_WEBHOOKS, REMEMBERED
from gateway.mail import Mailer
from gateway.settings import Settings, SettingsError
from gateway.webhooks import connection, sending
from gateway.webhooks.events import body_of
from gateway.webhooks.sending import Sending
from resolvers.keys import set_member
from tests.gateway.test_mail import Mailbox
from tests.operations.faces import Face, GraphQL, Rest
from tests.operations.mutations import run
from tests.processes import started
from tests.served import until
from tests.turns import each_turn
from tests.world import GTIN, NON_GMO, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, VEGAN, World

LOOPBACK = [ip_network("127.0.0.0/8")]
SITE = "https://certgate.example"


class Receiver:
    """What it has received so far, and where it is."""

    def __init__(self, file: Path, port: int) -> None:
        self._file = file
        self.address = f"http://127.0.0.1:{port}"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """In the order in which they came."""
        return [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]

    @property
    def ids(self) -> list[str]:
        """Of the events."""
        return [request["headers"]["webhook-id"] for request in self.requests]

    def events(self, secret: str) -> list[dict[str, Any]]:
        """As the reference library verifies them."""
        return [Verifier(secret).verify(request["body"], request["headers"]) for request in self.requests]


@pytest.fixture
def world_settings() -> dict[str, Any]:
    return {"webhook_networks": "127.0.0.0/8"}


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    file = tmp_path / "received.jsonl"
    with started("-m", "tests.gateway.receiver", str(file)) as process:
        yield Receiver(file, int(process.output.readline()))


def sender(
    world: World,
    mailer: Mailer | None = None,
    networks: Sequence[Network] = LOOPBACK,
    counts: Counter[str] | None = None,
) -> Sending:
    """A process that sends."""
    return Sending(world.database, mailer or Mailer(Settings(), SITE), networks, counts)


async def made(world: World, url: str, **members: Any) -> tuple[str, str]:
    """A webhook that a manager makes, for what comes from now on: its id and its secret."""
    await Sealer(world.database).seal()
    outcome = await Rest(world).people("make webhook", url=url, **members)
    assert outcome.ok, outcome.problem
    return outcome.facts["id"], outcome.facts["secret"]


async def name_it(world: World, *names: str, gtin: str = GTIN) -> None:
    for name in names:
        await run(world, "patchProduct", {"gtin": gtin, "name": name})
    await Sealer(world.database).seal()


async def sent(world: World, by: Sending | None = None, *, much_later: bool = False) -> None:
    """All that is due, at once or as if the time had come for what is tried again."""
    if much_later:
        async with world.database.write() as transaction:
            await transaction.execute(tables.webhooks.update().values(due_at=datetime.now(UTC)))
    await (by or sender(world)).send_due(datetime.now(UTC))


async def shown(world: World) -> dict[str, Any]:
    """The only webhook, as its managers see it."""
    answer = await asked(world, "webhooks")
    (found,) = answer
    return dict(found)


async def asked(world: World, path: str) -> Any:
    url = f"/account/api/v1/organizations/{world.brand}/{path}"
    return (await world.client.get(url, headers={"X-API-Key": world.keys["manager"]})).json()


async def deliveries(world: World, id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await asked(world, f"webhooks/{id}/deliveries")
    return found


async def test_what_changes_arrives_signed_and_is_what_the_feed_shows(world: World, receiver: Receiver) -> None:
    await name_it(world, "before")
    id, secret = await made(world, f"{receiver.address}/204/a%20b?c=d")
    await name_it(world, "one", "two")
    await run(world, "assignClaim", {"gtin": GTIN, "claimId": VEGAN})
    await Sealer(world.database).seal()
    await sent(world)
    events = receiver.events(secret)
    feed = (
        await world.client.get("/certifications/api/v1/changes", headers={"X-API-Key": world.keys["manager"]})
    ).json()
    assert [event["data"] for event in events] == feed["data"][-3:]
    assert [event["type"].rpartition(".")[2] for event in events] == ["patchProduct", "patchProduct", "assignClaim"]
    for event, request in zip(events, receiver.requests, strict=True):
        assert request["line"] == "POST /204/a%20b?c=d HTTP/1.1"
        assert request["headers"]["content-type"] == "application/cloudevents+json"
        assert (event["id"], event["specversion"]) == (request["headers"]["webhook-id"], "1.0")
        assert (event["source"], event["subject"]) == (f"{SITE}/certifications/api/v1/changes", GTIN)
        assert datetime.fromisoformat(event["time"]).tzinfo is not None
        assert "." not in event["id"]
    assert len({event["id"] for event in events}) == 3
    # The feed goes on behind an event, and there is nothing behind the last one.
    query = {"since": events[1]["cursor"]}
    behind = await world.client.get(
        "/certifications/api/v1/changes", params=query, headers={"X-API-Key": world.keys["manager"]}
    )
    assert behind.json()["data"] == [events[2]["data"]]
    with pytest.raises(WebhookVerificationError):
        receiver.events("whsec_" + "A" * 43 + "=")
    await sent(world)
    assert len(receiver.requests) == 3
    tried = await deliveries(world, id)
    assert [(each["event_id"], each["status"], each["attempt"]) for each in tried] == [
        (event["id"], 204, 1) for event in reversed(events)
    ]
    assert (await shown(world))["problem"] == ""


async def test_what_is_large_comes_as_an_address_at_which_it_stands_whole(world: World, receiver: Receiver) -> None:
    _, secret = await made(world, f"{receiver.address}/200")
    metadata = {f"k{number}": "x" * 500 for number in range(49)}
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, metadata=metadata)).ok
    await name_it(world, "one")
    await sent(world)
    large, small = receiver.events(secret)
    assert len(receiver.requests[0]["body"]) < 2_000
    assert "dataref" not in small
    assert large["dataref"].startswith(f"{SITE}/certifications/api/v1/changes?")
    whole = await world.client.get(large["dataref"].removeprefix(SITE), headers={"X-API-Key": world.keys["manager"]})
    (change,) = whole.json()["data"]
    assert len(change.pop("changes")) == 49
    assert change == large["data"]


async def test_types_and_views_say_what_is_sent(world: World, receiver: Receiver) -> None:
    rest = Rest(world)
    where = '{"certification": {"code": {"eq": "USDA_ORGANIC"}}}'
    view = (await rest.people("save view", name="Organic", kind="certifications", where=where)).facts["id"]
    await world.add_certification(GTIN, PRIVATE)
    await made(world, f"{receiver.address}/200/view", view_id=view)
    await made(world, f"{receiver.address}/200/types", types=["claim_assignment.assignClaim", "product"])
    await name_it(world, "one")
    assert (await rest.patch_certification(GTIN, USDA_ORGANIC, certificate_number="NOP-2")).ok
    assert (await rest.patch_certification(GTIN, PRIVATE, certificate_number="P-2")).ok
    await run(world, "assignClaim", {"gtin": GTIN, "claimId": VEGAN})
    await run(world, "removeClaim", {"gtin": GTIN, "claimId": VEGAN})
    await name_it(world)
    await sent(world)
    assert (await rest.remove_certification(GTIN, USDA_ORGANIC)).ok
    await name_it(world)
    await sent(world)
    told = Counter(
        (request["line"].split("/")[2].split()[0], json.loads(request["body"])["type"]) for request in receiver.requests
    )
    assert told == {
        ("view", "certgate.certification_assignment.patchCertificationAssignment"): 1,
        ("view", "certgate.certification_assignment.removeCertification"): 1,
        ("types", "certgate.product.patchProduct"): 1,
        ("types", "certgate.claim_assignment.assignClaim"): 1,
    }


BAD = {
    "500": ("refused", 500, "so be it"),
    "404": ("refused", 404, "so be it"),
    "redirect": ("refused", 307, ""),
    "later": ("refused", 503, ""),
    "garbage": ("unreadable", None, "What it answered is no HTTP."),
    "head": ("unreadable", None, "The head of its answer has no end."),
    "close": ("unreachable", None, "It cannot be reached: it ended the connection."),
    "hang": ("timeout", None, "It did not answer within 0.5 seconds."),
}


@pytest.mark.parametrize("way", BAD)
async def test_what_does_not_arrive_is_tried_again_with_the_same_id(
    world: World, receiver: Receiver, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "hang":
        monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.5)
    result, status, said = BAD[way]
    id, _ = await made(world, f"{receiver.address}/{way}/there")
    counts: Counter[str] = Counter()
    by = sender(world, counts=counts)
    await name_it(world, "one", "two", "three")
    await sent(world, by)
    # One request finds out, and none follows what a redirect says.
    assert [request["line"].split()[1] for request in receiver.requests] == [f"/{way}/there"]
    (tried,) = await deliveries(world, id)
    assert (tried["status"], tried["answer"]) == (status, said)
    webhook = await shown(world)
    assert webhook["problem"] == (f"The receiver answered {status}." if status else said)
    assert webhook["failing_since"] is not None
    assert webhook["is_enabled"]
    await sent(world, by)
    assert len(receiver.requests) == 1, "It is not due"
    await sent(world, by, much_later=True)
    assert len(receiver.requests) == 2
    assert counts == {result: 2}
    # Whoever mends the receiver says so, and all is tried at once.
    url = f"{receiver.address}/200/mended"
    assert (await Rest(world).people("change webhook", webhook_id=id, url=url)).ok
    await sent(world, by)
    assert [request["headers"]["webhook-id"] for request in receiver.requests][:3] == [tried["event_id"]] * 3
    assert len(set(receiver.ids)) == 3
    assert ((await shown(world))["problem"], (await shown(world))["failing_since"]) == ("", None)
    assert (counts["delivered"], [each["attempt"] for each in await deliveries(world, id)][-3:]) == (3, [1, 2, 1])


@pytest.mark.parametrize("way", ["flood", "lies", "until"])
async def test_what_was_taken_is_taken_whatever_follows(world: World, receiver: Receiver, way: str) -> None:
    await made(world, f"{receiver.address}/{way}")
    await name_it(world, "one", "two", "three")
    await sent(world)
    assert len(receiver.ids) == len(set(receiver.ids)) == 3
    assert (await shown(world))["problem"] == ""


async def test_a_receiver_that_comes_and_goes_misses_nothing(world: World, receiver: Receiver) -> None:
    """What arrived ahead of what did not is not sent again."""
    id, _ = await made(world, f"{receiver.address}/200")
    await name_it(world, *map(str, range(5)))
    by = sender(world)
    await sent(world, by)
    for way, there in (("500", 5), ("200", 10), ("garbage", 10), ("200", 15)):
        await Rest(world).people("change webhook", webhook_id=id, url=f"{receiver.address}/{way}")
        if way != "200":
            await name_it(world, *map(str, range(5)))
        await sent(world, by)
        arrived = [each["headers"]["webhook-id"] for each in receiver.requests if "/200 " in each["line"]]
        assert len(arrived) == len(set(arrived)) == there


@pytest.mark.parametrize(("seconds", "commits"), [(0, 250 // sending.BATCH + 1), (3600, 1)])
async def test_more_than_a_batch_arrives_in_the_order_of_each_product(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, seconds: int, commits: int
) -> None:
    monkeypatch.setattr(sending, "STORE_SECONDS", seconds)
    monkeypatch.setattr(sending, "TURN_SECONDS", 3600)
    gtins = [f"{number:013}" for number in range(10)]
    for gtin in gtins:
        await world.add_product(f"{gtin}0", world.brand)
    _, secret = await made(world, f"{receiver.address}/200")
    for number in range(25):
        for gtin in gtins:
            await run(world, "patchProduct", {"gtin": f"{gtin}0", "name": f"{number}"})
    await name_it(world)
    write = Mock(wraps=world.database.write)
    with monkeypatch.context() as patched:
        patched.setattr(world.database, "write", write)
        await sent(world)
    # It is taken on once; behind a batch that ends so late, and the empty one, one commit stores how far it has come.
    assert write.call_count == 1 + commits
    events = receiver.events(secret)
    own = [event for event in events if event["type"].endswith("patchProduct")]
    assert len(own) == 250
    for gtin in gtins:
        names = [event["data"]["changes"][0]["after"] for event in own if event["subject"] == f"{gtin}0"]
        assert names == [str(number) for number in range(25)]
    id = (await shown(world))["id"]
    assert len(await deliveries(world, id)) == REMEMBERED


async def test_requests_have_their_turn_while_much_is_sent(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    gtins = [f"{number:013}0" for number in range(40)]
    for gtin in gtins:
        await world.add_product(gtin, world.brand)
    for _ in range(2):
        await made(world, f"{receiver.address}/200")
    for gtin in gtins:
        await run(world, "patchProduct", {"gtin": gtin, "name": "another"})
    await name_it(world)
    number = most = 0

    def counted(*given: Any) -> bytes:
        nonlocal number
        number += 1
        return body_of(*given)

    def turn() -> None:
        nonlocal number, most
        number, most = 0, max(number, most)

    monkeypatch.setattr(sending, "body_of", counted)
    with each_turn(turn):
        await sent(world)
    assert len(set(receiver.ids)) == len(receiver.ids) // 2 >= len(gtins)
    assert 0 < most <= sending.AT_ONCE


FORBIDDEN = ("[::1]", "[::ffff:a00:1]", "10.0.0.1", "0.0.0.0", "169.254.169.254", "192.168.1.1", "[fe80::1]")


@pytest.fixture(params=[Rest, GraphQL], ids=["rest", "graphql"])
def face(request: pytest.FixtureRequest, world: World) -> Face:
    made: Face = request.param(world)
    return made


async def test_an_address_that_is_not_on_the_internet_is_refused_when_it_is_said(world: World, face: Face) -> None:
    made = await face.people("make webhook", url="https://hooks.example.org/")
    assert (await face.people("make webhook", url="http://127.0.0.1/")).ok
    for host in FORBIDDEN:
        for act, members in (("make webhook", {}), ("change webhook", {"webhook_id": made.facts["id"]})):
            refused = await face.people(act, url=f"https://{host}/x", **members)
            assert (refused.status, refused.named()) == (422, {"url"}), host
            assert "is not public" in str(refused.problem), refused
    for url in ("http://192.0.43.8/", "http://[2001:4860:4860::8888]/"):
        assert "begin with https" in str((await face.people("make webhook", url=url)).problem)
    # Other ways to write an address are none.
    for host in ("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "127.0.0.1."):
        refused = await face.people("make webhook", url=f"https://{host}/x")
        assert (refused.status, refused.named()) == (422, {"url"}), host


async def test_nobody_is_sent_to_who_is_not_on_the_internet(world: World, receiver: Receiver) -> None:
    for host in ("127.0.0.1", "localhost"):
        await made(world, f"http://{host}:{receiver.address.rpartition(':')[2]}/200")
    await name_it(world, "one")
    counts: Counter[str] = Counter()
    by = sender(world, networks=[], counts=counts)
    for _ in range(3):
        await sent(world, by)
    assert counts == {"forbidden": 2}
    assert receiver.requests == []


async def test_in_the_clear_nothing_leaves_for_the_internet(world: World) -> None:
    id, _ = await made(world, "https://192.0.43.8/")
    async with world.database.write() as transaction:
        await transaction.execute(tables.webhooks.update().values(url="http://192.0.43.8/"))
    await name_it(world, "one")
    await sent(world)
    assert (await deliveries(world, id))[0]["answer"].startswith("The URL should begin with https")


@pytest.mark.parametrize(
    ("address", "networks", "dialled"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("::ffff:8.8.8.8", [], "8.8.8.8"),
        ("2001:4860:4860::8888", [], "2001:4860:4860::8888"),
        ("10.1.2.3", ["10.1.0.0/16"], "10.1.2.3"),
        ("::ffff:10.1.2.3", ["10.1.0.0/16"], "10.1.2.3"),
        ("10.2.2.3", ["10.1.0.0/16"], None),
        *(
            (address, [], None)
            for address in (
                *("127.0.0.1", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1"),
                *("192.168.1.1", "169.254.169.254", "fe80::1%eth0", "fc00::1", "fec0::1", "100.64.0.1", "224.0.0.1"),
                *("ff02::1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1", "2001:db8::1", "2002:7f00:1::"),
                *("64:ff9b::7f00:1", "2001::1"),
            )
        ),
    ],
)
def test_only_public_addresses_and_those_of_the_setting_are_dialled(
    address: str, networks: list[str], dialled: str | None
) -> None:
    found = judged(address, [ip_network(name) for name in networks])
    assert (found and found[0]) == dialled
    assert found is None or found[1] is bool(networks)


async def test_a_receiver_that_wants_nothing_more_gets_nothing_more(world: World, receiver: Receiver) -> None:
    id, _ = await made(world, f"{receiver.address}/410")
    await name_it(world, "one")
    await sent(world)
    webhook = await shown(world)
    assert (webhook["is_enabled"], webhook["problem"]) == (
        False,
        "The receiver answered 410: it wants nothing more.",
    )
    await sent(world, much_later=True)
    assert len(receiver.requests) == 1
    # Enabled again, it goes on where it was.
    url = f"{receiver.address}/200"
    assert (await Rest(world).people("change webhook", webhook_id=id, url=url, is_enabled=True)).ok
    await sent(world)
    assert len(set(receiver.ids)) == 1


async def test_what_fails_for_days_is_disabled_and_its_managers_are_told(world: World, receiver: Receiver) -> None:
    await set_member(world.database, "brand", "ann@example.org", Role.MANAGER)
    await set_member(world.database, "brand", "bob@example.org", Role.READONLY)
    id, _ = await made(world, f"{receiver.address}/500", description="The shop")
    await name_it(world, "one")
    async with Mailbox().open() as mailbox:
        settings = Settings(
            smtp_url=f"smtp://127.0.0.1:{mailbox.port}", smtp_from="certgate@example.org", public_url=SITE
        )
        by = sender(world, Mailer(settings, SITE))
        for tries in range(1, len(AGAIN) + 2):
            await sent(world, by, much_later=True)
            assert len(receiver.requests) == tries
            assert (await shown(world))["is_enabled"] is (tries <= len(AGAIN))
        assert mailbox.recipients == ["ann@example.org"]
        (letter,) = mailbox.letters
    assert letter["Subject"] == "Brand: a webhook was disabled"
    assert f"{id} (The shop)" in letter.get_content()
    assert (await shown(world))["problem"] == "The receiver answered 500: so it was tried 10 times."
    assert [each["attempt"] for each in await deliveries(world, id)] == [*range(10, 0, -1)]
    disabled = (await asked(world, "history?kind=webhook&limit=1"))[0]
    assert (disabled["operation"], disabled["actor"], disabled["face"]) == ("disableWebhook", "delivery", "delivery")
    assert disabled["changes"] == [{"path": ["is_enabled"], "before": True, "after": False}]


def test_the_waits_are_those_of_the_specification() -> None:
    waits = [wait_behind(failures, None, 0) for failures in range(1, 11)]
    assert waits == [*AGAIN, None]
    assert sum(AGAIN, timedelta()) > timedelta(days=3)
    assert wait_behind(1, None, 1) == AGAIN[0] * (1 + JITTER)
    assert wait_behind(1, timedelta(hours=2), 0) == timedelta(hours=2)
    assert wait_behind(4, timedelta(seconds=1), 0) == AGAIN[3]
    assert wait_behind(1, timedelta(days=400), 0) == timedelta(hours=24)


async def test_a_receiver_is_not_called_before_the_moment_that_it_asks_for(world: World, receiver: Receiver) -> None:
    await made(world, f"{receiver.address}/later")
    await name_it(world, "one")
    began = datetime.now(UTC)
    await sent(world)
    by = sender(world)
    await by.send_due(began + timedelta(seconds=7100))
    assert len(receiver.requests) == 1
    await by.send_due(began + timedelta(seconds=7300))
    assert len(receiver.requests) == 2


async def test_both_secrets_sign_for_a_day(world: World, receiver: Receiver) -> None:
    id, before = await made(world, f"{receiver.address}/200")
    after = (await Rest(world).people("rotate webhook", webhook_id=id)).facts["secret"]
    await name_it(world, "one")
    await sent(world)
    assert receiver.events(before) == receiver.events(after)
    async with world.database.write() as transaction:
        rotated = datetime.now(UTC) - timedelta(hours=24, seconds=1)
        await transaction.execute(tables.webhooks.update().values(rotated_at=rotated))
    await name_it(world, "two")
    await sent(world)
    assert len(receiver.events(after)) == 2
    with pytest.raises(WebhookVerificationError):
        receiver.events(before)


async def test_a_webhook_is_tried_whether_it_is_enabled_or_not(world: World, receiver: Receiver) -> None:
    id, secret = await made(world, f"{receiver.address}/200", is_enabled=False)
    await name_it(world, "one")
    await sent(world)
    assert receiver.requests == []
    assert (await GraphQL(world).people("try webhook", webhook_id=id)).ok
    for _ in range(2):
        await sent(world)
    (event,) = receiver.events(secret)
    assert (event["type"], event["data"]) == ("certgate.test", {"webhook_id": id})
    (tried,) = await deliveries(world, id)
    assert (tried["event_id"], tried["status"], tried["answer"]) == (event["id"], 200, "so be it")
    # What happened while it was not enabled is sent later.
    assert (await Rest(world).people("change webhook", webhook_id=id, is_enabled=True)).ok
    await sent(world)
    assert len(receiver.requests) == 2


async def test_what_came_since_a_moment_or_behind_a_cursor_is_sent_again(world: World, receiver: Receiver) -> None:
    id, secret = await made(world, f"{receiver.address}/200")
    await name_it(world, "one", "two", "three")
    await sent(world)
    first = receiver.events(secret)
    rest = Rest(world)
    assert (await rest.people("replay webhook", webhook_id=id, since=first[0]["cursor"])).ok
    await sent(world)
    assert receiver.ids[3:] == receiver.ids[1:3]
    moment = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    assert (await rest.people("replay webhook", webhook_id=id, since_moment=moment)).ok
    await sent(world)
    assert receiver.ids[5:][-3:] == receiver.ids[:3]
    assert (await rest.people("replay webhook", webhook_id=id, since_moment="0001-01-01T00:00:00Z")).ok
    await sent(world)
    # From a later one on, what is between is left out.
    number = len(receiver.ids)
    await name_it(world, "four")
    moment = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    assert (await rest.people("replay webhook", webhook_id=id, since_moment=moment)).ok
    await sent(world)
    assert len(receiver.ids) == number


async def test_of_two_processes_one_sends(world: World, receiver: Receiver) -> None:
    await made(world, f"{receiver.address}/200")
    await name_it(world, *map(str, range(30)))
    first, second = sender(world), sender(world)
    await asyncio.gather(sent(world, first), sent(world, second))
    assert len(receiver.ids) == len(set(receiver.ids)) == 30


async def test_a_receiver_that_hangs_keeps_no_other_waiting(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 3)
    for number in range(sending.PLACES_OF_ONE + 3):
        await made(world, f"{receiver.address}/hang/{number}")
    await name_it(world, "one")
    answer = await world.client.post(
        f"/account/api/v1/organizations/{world.rival}/webhooks",
        json={"url": f"{receiver.address}/200"},
        headers={"X-API-Key": world.keys["rival"]},
    )
    assert answer.status_code == 201, answer.text
    path = f"/certifications/api/v1/products/{OTHERS_GTIN}/claims"
    made_claim = await world.client.post(path, json={"claim_id": NON_GMO}, headers={"X-API-Key": world.keys["rival"]})
    assert made_claim.status_code == 201, made_claim.text
    await Sealer(world.database).seal()
    waiting = asyncio.create_task(sent(world))
    while not any("/200 " in each["line"] for each in receiver.requests):
        assert not waiting.done()
        await asyncio.sleep(0.02)
    assert not waiting.done()
    await waiting
    assert sum("/hang/" in each["line"] for each in receiver.requests) == sending.PLACES_OF_ONE


async def test_what_is_removed_or_changed_meanwhile_is_let_go(world: World, receiver: Receiver) -> None:
    id, _ = await made(world, f"{receiver.address}/200")
    await name_it(world, "one")
    by = sender(world)
    turn = asyncio.create_task(sent(world, by))
    await until(lambda: bool(receiver.requests))
    assert (await Rest(world).people("end webhook", webhook_id=id)).ok
    await turn
    assert await asked(world, "webhooks") == []


async def test_there_is_an_end_to_webhooks(world: World) -> None:
    for number in range(MAX_WEBHOOKS):
        await made(world, f"https://example.org/{number}")
    refused = await Rest(world).people("make webhook", url="https://example.org/")
    assert refused.problem["details"][0]["type"] == "too_many_webhooks"


@pytest.mark.parametrize("names", ["10.1.2.3/16", "intranet", "10.0.0.0/8,127.0.0.1"])
def test_the_setting_names_networks(names: str) -> None:
    with pytest.raises((SettingsError, ValueError), match="networks"):
        Settings(webhook_networks=names)


def test_every_result_is_in_the_metrics_from_the_beginning() -> None:
    assert set(RESULTS) == {result for result, _, _ in BAD.values()} | {"delivered", "forbidden"}
