"""The history of a product and of what it has: what became of it, newest first, to whom it may be shown."""

from typing import Any

import pytest

from tests.operations.mutations import run
from tests.world import FAIR_TRADE, GTIN, OTHERS_GTIN, OTHERS_PRIVATE, USDA_ORGANIC, VEGAN, World

SHOWN = "nodes { at kind operation actor face requestId gtin changes { path before after } }"


async def asked(world: World, fields: str, who: str = "manager", gtin: str = GTIN) -> dict[str, Any]:
    """What GraphQL answers of a product; it has to answer."""
    document = f'{{ product(gtin: "{gtin}") {{ {fields} }} }}'
    response = await world.client.post("/graphql", json={"query": document}, headers={"X-API-Key": world.keys[who]})
    body = response.json()
    assert "errors" not in body, body
    found: dict[str, Any] = body["data"]["product"]
    return found


async def listed(world: World, who: str = "manager", gtin: str = GTIN, **query: Any) -> Any:
    """What REST answers: its history, or the refusal."""
    path = f"/certifications/api/v1/products/{gtin}/history"
    return (await world.client.get(path, params=query, headers={"X-API-Key": world.keys[who]})).json()


async def live(world: World) -> None:
    """Some changes of the product and of what it has."""
    await run(world, "patchProduct", {"gtin": GTIN, "name": "Oats", "metadata": {"shelf": "7"}})
    await run(world, "assignClaim", {"gtin": GTIN, "claimId": VEGAN, "source": "BRAND_SELF_DECLARED"})
    await run(world, "patchClaimAssignment", {"gtin": GTIN, "claimId": VEGAN, "source": "THIRD_PARTY_VERIFIED"})
    await run(world, "removeClaim", {"gtin": GTIN, "claimId": VEGAN})
    await run(world, "patchCertificationAssignment", {"gtin": GTIN, "certificationId": USDA_ORGANIC, "scope": "Crop"})


async def test_a_product_tells_what_became_of_it(world: World) -> None:
    await live(world)
    nodes = (await asked(world, f"history {{ {SHOWN} }}"))["history"]["nodes"]
    assert [node["operation"] for node in nodes] == ["patchProduct", "populate"]
    assert nodes[0]["changes"] == [
        {"path": ["name"], "before": "Oat drink", "after": "Oats"},
        {"path": ["metadata", "shelf"], "before": None, "after": "7"},
    ]
    assert (nodes[0]["actor"], nodes[0]["face"]) == (f"csb:{world.key_ids['manager']}", "GRAPHQL")
    made = {change["path"][0]: change["after"] for change in nodes[1]["changes"]}
    assert (made["name"], made["dataSource"], made["brand"]) == ("Oat drink", "CLAIMED", "Acme")


async def test_with_all_that_it_has_what_was_removed_keeps_its_history(world: World) -> None:
    await live(world)
    nodes = (await asked(world, f"history(whole: true) {{ {SHOWN} }}"))["history"]["nodes"]
    assert [node["operation"] for node in nodes] == [
        "patchCertificationAssignment",
        "removeClaim",
        "patchClaimAssignment",
        "assignClaim",
        "patchProduct",
        *["populate"] * 2,
    ]
    assert nodes[2]["changes"] == [
        {"path": ["source"], "before": "BRAND_SELF_DECLARED", "after": "THIRD_PARTY_VERIFIED"}
    ]
    assert nodes[1]["changes"] == [{"path": ["source"], "before": "THIRD_PARTY_VERIFIED", "after": None}]
    assert [node["at"] for node in nodes] == sorted((node["at"] for node in nodes), reverse=True)


async def test_an_assignment_tells_of_itself(world: World) -> None:
    await live(world)
    (held,) = (await asked(world, f"certifications {{ history {{ {SHOWN} }} }}"))["certifications"]
    nodes = held["history"]["nodes"]
    assert [node["operation"] for node in nodes] == ["patchCertificationAssignment", "populate"]
    assert nodes[0]["changes"] == [{"path": ["scope"], "before": "", "after": "Crop"}]


async def test_rest_tells_the_same(world: World) -> None:
    await live(world)
    nodes = (await asked(world, f"history(whole: true) {{ {SHOWN} }}"))["history"]["nodes"]
    found = await listed(world, whole="true")
    assert [each["operation"] for each in found] == [node["operation"] for node in nodes]
    assert [each["actor"] for each in found] == [node["actor"] for node in nodes]
    assert found[2]["changes"] == [
        {"path": ["source"], "before": "BRAND_SELF_DECLARED", "after": "THIRD_PARTY_VERIFIED"}
    ]
    assert [each["operation"] for each in await listed(world)] == ["patchProduct", "populate"]


async def test_it_comes_in_pages(world: World) -> None:
    await live(world)
    whole = await listed(world, whole="true")
    by_rest: list[Any] = []
    while part := await listed(world, whole="true", limit=2, **({"below": by_rest[-1]["seq"]} if by_rest else {})):
        by_rest += part
    assert by_rest == whole
    by_graphql: list[Any] = []
    after = ""
    while True:
        page = (
            await asked(
                world,
                f'history(whole: true, first: 3, after: "{after}")'
                " { totalCount nodes { operation } pageInfo { hasNextPage endCursor } }",
            )
        )["history"]
        by_graphql += [node["operation"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert by_graphql == [each["operation"] for each in whole]
    assert page["totalCount"] == len(whole)
    backward = await asked(world, "history(whole: true, last: 2) { nodes { operation } }")
    assert [node["operation"] for node in backward["history"]["nodes"]] == ["populate", "populate"]
    assert (await listed(world, below=10**9))["error_code"] == "not_found"


async def test_others_see_neither_who_it_was_nor_notes(world: World) -> None:
    await live(world)
    nodes = (await asked(world, f"history(whole: true) {{ {SHOWN} }}", "rival"))["history"]["nodes"]
    assert len(nodes) == 7
    assert all((node["actor"], node["face"], node["requestId"]) == (None, None, None) for node in nodes)
    assert not any(change["path"][0] == "metadata" for node in nodes for change in node["changes"])
    assert any(change["path"] == ["scope"] for change in nodes[0]["changes"])


async def test_others_private_certifications_have_no_history(world: World) -> None:
    for gtin, certification, who in ((OTHERS_GTIN, OTHERS_PRIVATE, "rival"), (OTHERS_GTIN, FAIR_TRADE, "rival")):
        await run(world, "assignCertification", {"gtin": gtin, "certificationId": certification}, who=who)
    await run(world, "removeCertification", {"gtin": OTHERS_GTIN, "certificationId": OTHERS_PRIVATE}, who="rival")
    own = await listed(world, "rival", OTHERS_GTIN, whole="true")
    assert [each["operation"] for each in own][:3] == ["removeCertification", *["assignCertification"] * 2]
    shown = await listed(world, "manager", OTHERS_GTIN, whole="true")
    assert [each["operation"] for each in shown] == ["assignCertification", "populate"]
    total = await asked(world, "history(whole: true) { totalCount }", gtin=OTHERS_GTIN)
    assert total["history"]["totalCount"] == 2


async def test_a_publishable_key_sees_none(world: World) -> None:
    assert await listed(world, "publishable", whole="true") == []
    fields = "history(whole: true) { totalCount nodes { at } } certifications { history { totalCount nodes { at } } }"
    none = {"totalCount": 0, "nodes": []}
    found = await asked(world, fields, "publishable")
    assert found == {"history": none, "certifications": [{"history": none}]}


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"below": 0}, {"below": "x"}, {"whole": "maybe"}])
async def test_bad_questions_are_refused(world: World, query: dict[str, Any]) -> None:
    refused = await listed(world, **query)
    assert refused["error_code"] == "validation_error"
    assert [entry["loc"][-1] for entry in refused["details"]] == [*query]
