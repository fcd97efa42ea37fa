"""The history of what an organisation has besides products, and whether the log is whole: what managers may ask."""

from typing import Any

import pytest
from sqlalchemy import update

from db import apart
from db.sealing import Sealer, verify
from db.sql import tables
from db.sql.tables import changes
from domain.vocabulary import ObjectKind, Role
from resolvers import keys, verification
from tests.log import by_hand, log
from tests.operations.faces import Face
from tests.operations.mutations import LAPSING_GTIN, MUTATIONS, prepare, run
from tests.world import GTIN, NON_GMO, NOON, OTHERS_GTIN, USDA_ORGANIC, World

SHOWN = "at kind objectId definitionId code name operation actor face gtin changes { path before after }"


async def asked(world: World, query: str, who: str = "manager") -> dict[str, Any]:
    """What GraphQL answers; it has to answer."""
    body = (await world.client.post("/graphql", json={"query": query}, headers={"X-API-Key": world.keys[who]})).json()
    assert "errors" not in body, body
    found: dict[str, Any] = body["data"]
    return found


async def told(world: World, who: str = "manager", **arguments: str) -> list[dict[str, Any]]:
    """The latest changes of the organisation."""
    given = ", ".join(f"{name}: {value}" for name, value in {"first": "100", **arguments}.items())
    nodes: list[dict[str, Any]] = (await asked(world, f"{{ history({given}) {{ nodes {{ {SHOWN} }} }} }}", who))[
        "history"
    ]["nodes"]
    return nodes


async def listed(world: World, path: str, who: str = "manager", **query: Any) -> Any:
    """What REST answers."""
    url = f"/account/api/v1/organizations/{world.brand}/{path}"
    return (await world.client.get(url, params=query, headers={"X-API-Key": world.keys[who]})).json()


async def live(world: World) -> None:
    """Some changes of everything."""
    await prepare(world)
    for name in ("createView", "patchView", "createApiKey", "revokeApiKey", "patchMember", "removeMember"):
        answer = await run(world, name, MUTATIONS[name].input)
        assert answer["__typename"] == MUTATIONS[name].success, answer
    await run(world, "unacknowledgeClaim", {"gtin": LAPSING_GTIN, "claimId": NON_GMO})
    await keys.change_graphql_limits(world.database, world.key_ids["editor"], {"max_depth": 5})


async def test_a_manager_sees_what_became_of_keys_members_views_and_definitions(world: World) -> None:
    await live(world)
    nodes = await told(world)
    assert [node["operation"] for node in nodes[:8]] == [
        "limitApiKey",
        "unacknowledgeClaim",
        "removeMember",
        "patchMember",
        "revokeApiKey",
        "createApiKey",
        "patchView",
        "createView",
    ]
    limits, given_back, left, role, revoked, _, patched, saved = nodes[:8]
    assert (limits["name"], limits["actor"]) == ("editor", "operator")
    assert limits["changes"] == [{"path": ["limits", "max_depth"], "before": None, "after": 5}]
    # What an acknowledgement is about is called as it is called.
    assert (given_back["definitionId"], given_back["code"], given_back["name"]) == (NON_GMO, "NON_GMO", "Non-GMO")
    assert given_back["gtin"] == LAPSING_GTIN
    assert (left["objectId"], left["gtin"], left["name"]) == (role["objectId"], None, None)
    assert revoked["name"] == "Spare"
    assert saved["changes"][0]["path"] == ["name"]
    assert patched["name"] != saved["name"] or patched["changes"]
    kinds = {node["kind"] for node in nodes}
    assert kinds == {kind.upper() for kind in {row.kind for row in await log(world)}} - {
        "PRODUCT",
        "CERTIFICATION_ASSIGNMENT",
        "CLAIM_ASSIGNMENT",
    }


async def test_what_becomes_of_webhooks_is_told_without_what_is_secret(world: World, face: Face) -> None:
    view = await face.people("save view", name="All", kind="products", where="{}")
    made = await face.people("make webhook", url="https://hooks.example.org/services/HIDDEN1")
    other = await face.people("make webhook", url="https://hooks.example.org?token=HIDDEN2", view_id=view.facts["id"])
    id = {"webhook_id": made.facts["id"]}
    moved = await face.people("change webhook", **id, url="https://hooks.example.org/services/HIDDEN3")
    rotated = await face.people("rotate webhook", **id)
    assert moved.ok
    assert (await face.people("change webhook", **id, is_enabled=False)).ok
    assert (await face.people("end webhook", **id)).ok
    assert (await face.people("remove view", view_id=view.facts["id"])).ok
    nodes = await told(world, kind="WEBHOOK")
    assert [(node["operation"], node["objectId"] == made.facts["id"]) for node in nodes] == [
        ("removeWebhook", False),
        ("removeWebhook", True),
        ("patchWebhook", True),
        ("rotateWebhookSecret", True),
        ("patchWebhook", True),
        ("createWebhook", False),
        ("createWebhook", True),
    ]
    assert nodes[2]["changes"] == [{"path": ["isEnabled"], "before": True, "after": False}]
    assert nodes[3]["changes"] == []
    (address,) = nodes[4]["changes"]
    assert address["path"] == ["receiver"]
    assert address["before"] != address["after"]
    assert address["after"].startswith("https://hooks.example.org (")
    assert nodes[6]["changes"][0] == {"path": ["receiver"], "before": None, "after": address["before"]}
    whole = str(await log(world)) + str(await listed(world, "history", limit=100))
    secrets = [each.facts["secret"] for each in (made, other, rotated)]
    assert not any(secret in whole for secret in (*secrets, "HIDDEN"))
    await Sealer(world.database).seal()
    assert (await verify(world.database)).is_whole


async def test_nothing_secret_and_nothing_of_others_is_in_it(world: World) -> None:
    await live(world)
    whole = str(await told(world)) + str(await listed(world, "history", limit=100))
    rows = await world.rows(tables.api_keys)
    digests = [value for row in rows for value in row if isinstance(value, str) and len(value) == 64]
    assert digests
    assert not any(secret in whole for secret in (*digests, *world.keys.values(), "@"))
    rival = world.key_ids["rival"]
    assert rival not in whole
    assert "Rival's own seal" not in whole
    assert "Brand's own seal" in whole
    # Definitions are everybody's; who has loaded them is not told.
    assert {node["actor"] for node in await told(world, kind="CLAIM")} == {None}
    assert rival in str(await told(world, "rival"))


async def test_it_comes_in_pages_and_by_kind(world: World) -> None:
    await live(world)
    whole = await told(world)
    for more in ({}, {"kind": "API_KEY"}, {"kind": "CERTIFICATION"}):
        by_graphql: list[Any] = []
        after = ""
        while True:
            given = "".join(f", {name}: {value}" for name, value in more.items())
            page = (
                await asked(
                    world,
                    f'{{ history(first: 3, after: "{after}"{given})'
                    " { totalCount nodes { kind objectId operation } pageInfo { hasNextPage endCursor } } }",
                )
            )["history"]
            by_graphql += map(_place, page["nodes"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        wanted = [_place(node) for node in whole if not more or node["kind"] == more["kind"]]
        assert by_graphql == wanted
        assert page["totalCount"] == len(wanted)
        by_rest: list[Any] = []
        query: dict[str, Any] = {name: value.lower() for name, value in more.items()} | {"limit": 2}
        while part := await listed(world, "history", **query, **({"below": by_rest[-1]["seq"]} if by_rest else {})):
            by_rest += part
        assert [(each["kind"].upper(), each["object_id"], each["operation"]) for each in by_rest] == wanted


def _place(node: dict[str, Any]) -> tuple[str, str, str]:
    return node["kind"], node["objectId"], node["operation"]


@pytest.mark.parametrize("who", ["editor", "readonly", "publishable", "rival"])
async def test_it_takes_a_manager(world: World, who: str) -> None:
    for path in ("history", "verification"):
        assert (await listed(world, path, who))["error_code"] == ("not_found" if who == "rival" else "forbidden")
        query = f'{{ {path}(organizationId: "{world.brand}") {{ __typename }} }}'
        response = await world.client.post("/graphql", json={"query": query}, headers={"X-API-Key": world.keys[who]})
        assert response.json()["data"] == {path: None}


async def test_what_was_removed_or_assigned_is_called_by_its_name(world: World) -> None:
    await run(world, "assignClaim", {"gtin": GTIN, "claimId": NON_GMO})
    await run(world, "removeClaim", {"gtin": GTIN, "claimId": NON_GMO})
    await run(world, "removeCertification", {"gtin": GTIN, "certificationId": USDA_ORGANIC})
    await run(world, "patchProduct", {"gtin": GTIN, "name": "Oats"})
    nodes = (await asked(world, f'{{ product(gtin: "{GTIN}") {{ history(whole: true) {{ nodes {{ {SHOWN} }} }} }} }}'))[
        "product"
    ]["history"]["nodes"]
    named = [(node["operation"], node["definitionId"], node["code"], node["name"]) for node in nodes]
    assert named == [
        ("patchProduct", None, None, "Oats"),
        ("removeCertification", USDA_ORGANIC, "USDA_ORGANIC", "USDA Organic"),
        ("removeClaim", NON_GMO, "NON_GMO", "Non-GMO"),
        ("assignClaim", NON_GMO, "NON_GMO", "Non-GMO"),
        *[(operation, id, code, name) for operation, id, code, name in named[4:]],
    ]
    assert {name for *_, name in named[4:]} == {"USDA Organic", "Oat drink"}
    await Sealer(world.database).seal()
    feed = (await asked(world, f"{{ changes(first: 100) {{ nodes {{ {SHOWN} }} }} }}"))["changes"]["nodes"]
    assert [node for node in feed if node["gtin"] == GTIN] == nodes[::-1]


async def look(world: World, who: str = "manager") -> list[dict[str, Any]]:
    """All parts of the log, as far as it is whole."""
    found = [await listed_of(world, who)]
    while found[-1]["next"]:
        found.append(await listed_of(world, who, since=found[-1]["next"]))
    return found


async def listed_of(world: World, who: str, **query: Any) -> dict[str, Any]:
    """What is said to a manager of either organisation."""
    owner = world.rival if who == "rival" else world.brand
    url = f"/account/api/v1/organizations/{owner}/verification"
    answer: dict[str, Any] = (await world.client.get(url, params=query, headers={"X-API-Key": world.keys[who]})).json()
    return answer


async def test_a_manager_looks_whether_the_log_is_whole_part_by_part(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "PART", 5)
    await live(world)
    await Sealer(world.database).seal()
    number = len(await log(world))
    found = await look(world)
    assert len(found) == number // 5 + 1
    assert all(each == {**each, "is_whole": True, "why": None, "object_id": None} for each in found)

    # The tables beside it.
    await by_hand(database_url, update(tables.products).where(tables.products.c.gtin == GTIN).values(name="Another"))
    mine, others = (await look(world))[-1], (await look(world, "rival"))[-1]
    why = "the table has another name"
    assert (mine["is_whole"], mine["kind"], mine["gtin"], mine["why"], mine["next"]) == (
        False,
        "product",
        GTIN,
        why,
        None,
    )
    assert others == {**dict.fromkeys(mine), "is_whole": False, "why": why}

    # The log itself.
    rows = [row for row in await log(world) if row.gtin == OTHERS_GTIN]
    await by_hand(database_url, update(tables.products).where(tables.products.c.gtin == GTIN).values(name="Oat drink"))
    await by_hand(database_url, update(changes).where(changes.c.seq == rows[0].seq).values(request_id="another"))
    why = "it is not what was sealed"
    assert (await look(world))[-1] == {**dict.fromkeys(mine), "is_whole": False, "why": why}
    assert (await look(world, "rival"))[-1]["object_id"] == rows[0].object_id


async def test_history_is_of_those_who_belong_to_it(world: World) -> None:
    await keys.create_key(world.database, "rival", Role.EDITOR, name="theirs")
    assert "theirs" not in str(await told(world))
    assert "theirs" in str(await told(world, "rival"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_it_is_found_by_index_however_much_became_of_products(world: World) -> None:
    values: dict[str, Any] = {"organization_id": world.brand, "limit": 26, "p0": NOON, "p1": 7}
    for kind in (None, ObjectKind.API_KEY):
        for behind in (False, True):
            read = apart._page(kind, ascending=False, behind=behind)
            statement = read.compiled(world.database.dialect).statement
            plan = await world.database.plan(statement, values)
            looked = [line for line in plan if "changes" in line and "before" not in line and "PRIMARY KEY" not in line]
            assert all("ix_changes_apart" in line for line in looked), plan
