"""The tour that the page offers: every operation is run, in order, on a fresh demo, and answers what it promises."""

import json
import re
from typing import Any

import httpx2
import pytest

from gateway.pages.graphiql import Example, read_examples
from tests.conftest import demo_server

EXAMPLES = read_examples()


def name_of(example: Example) -> str:
    """The name of the operation, which is the name of its tab."""
    (name,) = re.findall(r"^(?:query|mutation) (\w+)", example.query, re.MULTILINE)
    return str(name)


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Operation name -> the whole answer, asked for its cost too."""
    answers = {}
    with (
        demo_server(tmp_path_factory.mktemp("tour")) as server,
        httpx2.Client(trust_env=False, headers={"X-API-Key": server.api_key}) as client,
    ):
        for example in EXAMPLES:
            variables = json.loads(example.variables or "{}")
            request = {"query": example.query, "variables": variables, "extensions": {"cost": {"breakdown": True}}}
            answer = client.post(f"{server.url}/graphql", json=request)
            assert answer.status_code == 200, (example.title, answer.text)
            answers[name_of(example)] = answer.json()
    return answers


def test_there_are_a_dozen_and_each_is_expected_here() -> None:
    assert len(EXAMPLES) >= 12
    assert {name_of(example) for example in EXAMPLES} == EXPECTED.keys()
    assert len({example.title for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_example_explains_itself(example: Example) -> None:
    assert 3 <= len(example.title) <= 40
    assert example.description.endswith((".", "?"))
    comments = [line for line in example.query.splitlines() if line.lstrip().startswith("#")]
    # As wide as the editor is beside the list of examples.
    assert max(map(len, comments)) <= 53


@pytest.mark.parametrize("name", [name_of(example) for example in EXAMPLES])
def test_example_answers_with_what_it_promises(tour: dict[str, Any], name: str) -> None:
    answer = tour[name]
    assert "errors" not in answer
    assert None not in answer["data"].values()
    assert answer["extensions"]["cost"]["requested"] > 0
    EXPECTED[name](answer["data"])


def test_cost_is_broken_down(tour: dict[str, Any]) -> None:
    cost = tour["WhatDoesItCost"]["extensions"]["cost"]
    assert cost["requested"] == tour["WhatDoesItCost"]["data"]["rateLimit"]["nodeCount"]
    assert cost["limit"] == 15_000
    assert len(cost["breakdown"]) > 1


def product_with_everything(data: dict[str, Any]) -> None:
    product = data["product"]
    assert product["name"] == "Demo Arabica coffee beans"
    fairtrade = next(item for item in product["certifications"] if item["certification"]["label"] == "Fairtrade")
    assert fairtrade["certification"]["body"]["name"] == "Fairtrade International"
    assert (fairtrade["certificateNumber"], fairtrade["verificationStatus"]) == ("FT-DEMO-1001", "VERIFIED")
    assert fairtrade["isActive"] is True
    assert fairtrade["validFrom"] < fairtrade["expirationDate"]
    assert {item["claim"]["label"] for item in product["claims"]} == {"Shade grown", "Vegan"}


def compare_two_products(data: dict[str, Any]) -> None:
    assert data["one"]["name"] == "Nutella"
    assert data["other"]["name"] == "Chocolat noir 95 %"
    assert all(data[alias]["certifications"] and data[alias]["claims"] for alias in ("one", "other"))


def find_products(data: dict[str, Any]) -> None:
    nodes = data["products"]["nodes"]
    assert len(nodes) == 5 < data["products"]["totalCount"]
    assert all("chocolat" in f"{node['name']} {node['brand']}".lower() for node in nodes)
    names = [node["name"].lower() for node in nodes]
    assert names == sorted(names)
    assert "Demo Acre" not in {node["brand"] for node in nodes}


def without_a_certificate(data: dict[str, Any]) -> None:
    found = data["products"]
    assert 0 < found["totalCount"] < 60
    assert all(node["claims"] for node in found["nodes"]), "they claim something instead"


def page_forward(data: dict[str, Any]) -> None:
    gtins = [node["gtin"] for node in data["products"]["nodes"]]
    assert len(gtins) == 5
    assert gtins == sorted(gtins)
    assert data["products"]["pageInfo"]["hasNextPage"] is True
    assert data["products"]["pageInfo"]["endCursor"]


def page_back(data: dict[str, Any]) -> None:
    assert [node["gtin"] for node in data["products"]["nodes"]][-1] == "09520000000103"
    assert len(data["products"]["nodes"]) == 5
    assert data["products"]["pageInfo"]["hasPreviousPage"] is True
    assert data["products"]["pageInfo"]["startCursor"]


def who_holds_this(data: dict[str, Any]) -> None:
    assert data["certification"]["label"] == "Fairtrade"
    found = data["certification"]["assignments"]
    assert found["totalCount"] == len(found["nodes"]) == 8
    names = {node["product"]["name"] for node in found["nodes"]}
    assert "Demo Arabica coffee beans" in names
    assert any(not name.startswith("Demo") for name in names)


def lapsing_soon(data: dict[str, Any]) -> None:
    found = data["certificationAssignments"]
    # Of those of Fairtrade the third ends in 75 days, and the fourth has ended.
    fairtrade = [node for node in found["nodes"] if node["certificateNumber"].startswith("FT-")]
    assert [node["certificateNumber"] for node in fairtrade] == ["FT-DEMO-1002", "FT-DEMO-1001"]
    assert fairtrade[1]["metadata"]["renewal"] == "asked"
    assert found["totalCount"] == len(found["nodes"]) == 6
    assert [node["lapsesOn"] for node in found["nodes"]] == sorted(node["lapsesOn"] for node in found["nodes"])
    assert data["withoutEnd"]["totalCount"] > found["totalCount"]


def active_on_a_day(data: dict[str, Any]) -> None:
    nodes = data["certificationAssignments"]["nodes"]
    assert nodes
    for node in nodes:
        assert node["isActive"] is True
        assert node["validFrom"] <= "2027-06-30" <= node["expirationDate"]


def by_your_own_data(data: dict[str, Any]) -> None:
    nodes = data["certificationAssignments"]["nodes"]
    assert {node["product"]["name"] for node in nodes} == {"Demo Arabica coffee beans", "Demo peanut butter"}
    assert {node["metadata"]["renewal"] for node in nodes} == {"asked"}


def what_is_mine(data: dict[str, Any]) -> None:
    lapsed = data["certificationAssignments"]
    assert "Demo cane sugar" in {node["product"]["name"] for node in lapsed["nodes"]}


def browse_the_catalogue(data: dict[str, Any]) -> None:
    (body,) = data["certificationBodies"]["nodes"]
    assert body["name"] == "Ecocert"
    assert {"ECOCERT_ORGANIC", "FAIR_FOR_LIFE"} <= {mark["code"] for mark in body["certifications"]["nodes"]}
    assert data["claims"]["totalCount"] == len(data["claims"]["nodes"]) == 20
    assert "GLUTEN_FREE" in {claim["code"] for claim in data["claims"]["nodes"]}


def how_many(data: dict[str, Any]) -> None:
    stats = data["certificationAssignmentStats"]
    # Of the fifteen invented certificates, twelve lapse within a year; real packs name no dates.
    assert stats["totalCount"] == sum(group["count"] for group in stats["groups"]) == 12
    months = [group["expiresFrom"] for group in stats["groups"]]
    assert months == sorted(months)
    assert len(set(months)) > 3
    assert "Fairtrade International" in {group["body"]["name"] for group in stats["groups"]}


def history(data: dict[str, Any]) -> None:
    found = data["product"]["history"]
    assert [node["operation"] for node in found["nodes"]] == ["loadDemo"] * len(found["nodes"])
    assert {node["kind"] for node in found["nodes"]} >= {"PRODUCT", "CLAIM_ASSIGNMENT"}
    assert ["name"] in [change["path"] for node in found["nodes"] for change in node["changes"]]


def as_it_was_known(data: Any) -> None:
    now, then = data["now"], data["then"]
    assert now["name"] == then["name"]
    active = [[held["isActive"] for held in of["certifications"]] for of in (now, then)]
    assert len(active[0]) == len(active[1]) > 0
    assert any(active[0])
    assert not all(active[1])


def all_changes(data: dict[str, Any]) -> None:
    assert {node["operation"] for node in data["changes"]["nodes"]} <= {"loadDemo"}
    assert len(data["changes"]["next"]) > 20


def anything_by_its_id(data: dict[str, Any]) -> None:
    assert data["node"]["__typename"] == "Certification"
    assert data["node"]["code"] == "FAIRTRADE"
    assert data["node"]["body"]["name"] == "Fairtrade International"


def assign_a_claim(data: dict[str, Any]) -> None:
    answer = data["assignClaim"]
    assert answer["__typename"] == "ClaimAssigned", answer
    assert answer["assignment"]["claim"]["label"] == "Non-GMO"
    assert answer["assignment"]["version"] == 1


def try_before_you_change(data: dict[str, Any]) -> None:
    answer = data["patchCertificationAssignment"]
    assert answer["__typename"] == "CertificationAssignmentPatched", answer
    assert answer["dryRun"] is True
    changes = {".".join(change["path"]): (change["before"], change["after"]) for change in answer["changes"]}
    assert changes["verificationStatus"] == ("EXPIRED", "VERIFIED")
    assert changes["metadata.renewal"] == ("overdue", "done")
    assert changes["expirationDate"][1] == "2031-12-31"


def renew_a_certificate(data: Any) -> None:
    done = data["renewCertification"]
    assert done["__typename"] == "CertificationRenewed"
    assert (done["gapDays"], done["overlapDays"] > 0) == (0, True)
    previous = done["assignment"]["previous"]
    assert [each["certificateNumber"] for each in previous][1:] == ["NOP-DEMO-4501", "NOP-DEMO-4001"]
    assert [each["gapDays"] for each in previous][1:] == [0, 11]


def change_a_certificate(data: dict[str, Any]) -> None:
    answer = data["patchCertificationAssignment"]
    # It was version 1 that was changed: the dry run before it left nothing behind.
    assert answer["__typename"] == "CertificationAssignmentPatched", answer
    assert answer["assignment"]["version"] == 2
    assert answer["assignment"]["isActive"] is True
    assert answer["assignment"]["metadata"] == {"renewal": "done"}
    assert len(answer["changes"]) >= 3


def many_at_once(data: dict[str, Any]) -> None:
    answer = data["assignClaims"]
    assert (answer["done"], answer["refused"]) == (2, 1)
    results = [row["result"] for row in answer["rows"]]
    assert [result["__typename"] for result in results] == ["ClaimAssigned", "ClaimAssigned", "ConflictProblem"]
    assert results[0]["assignment"]["product"]["name"] == "Demo rolled oats"


def archive_and_restore(data: dict[str, Any]) -> None:
    archived, restored = data["archiveProduct"]["product"], data["restoreProduct"]["product"]
    assert archived["name"] == restored["name"]
    assert archived["archivedAt"] is not None
    assert restored["archivedAt"] is None
    assert {item["claim"]["label"] for item in restored["claims"]} == {"Cold pressed", "Non-GMO", "Vegan"}


def remove_a_claim(data: dict[str, Any]) -> None:
    answer = data["removeClaim"]
    assert answer["__typename"] == "ClaimRemoved", answer
    assert answer["removed"]["claim"]["label"] == "Non-GMO"
    left = {item["claim"]["label"] for item in answer["product"]["claims"]}
    assert left == {"Cold pressed", "Vegan"}


def who_am_i(data: dict[str, Any]) -> None:
    assert data["viewer"] == {
        "organization": {"name": "Demo Brand Team"},
        "role": "MANAGER",
        "kind": "BUSINESS",
        "canWrite": True,
    }
    assert data["rateLimit"]["cost"] == 2
    assert 0 < data["rateLimit"]["minute"]["used"] <= data["rateLimit"]["day"]["used"]


def what_does_it_cost(data: dict[str, Any]) -> None:
    assert len(data["products"]["nodes"]) == 25
    assert data["rateLimit"]["nodeCount"] > 25


def what_files_brought(data: dict[str, Any]) -> None:
    (found,) = data["imports"]
    assert (found["name"], found["state"]) == ("to try out.csv", "DONE")
    assert found["columns"]
    assert found["made"] + found["changed"] + found["left"] > 0


def invite_somebody(data: dict[str, Any]) -> None:
    made = data["createInvitation"]
    assert made["__typename"] == "InvitationCreated"
    assert (made["invitation"]["email"], made["invitation"]["role"]) == ("bob@example.org", "EDITOR")
    assert made["link"] is None


def a_view_of_your_own(data: dict[str, Any]) -> None:
    assert data["createView"]["__typename"] == "ViewCreated"
    found = data["createView"]["view"]["certifications"]
    assert found["totalCount"] >= len(found["nodes"]) == 5
    days = [node["lapsesOn"] for node in found["nodes"]]
    assert days == sorted(days)


EXPECTED = {
    "ProductWithEverything": product_with_everything,
    "CompareTwoProducts": compare_two_products,
    "FindProducts": find_products,
    "WithoutACertificate": without_a_certificate,
    "PageForward": page_forward,
    "PageBack": page_back,
    "WhoHoldsThis": who_holds_this,
    "WhatIsMine": what_is_mine,
    "LapsingSoon": lapsing_soon,
    "ActiveOnADay": active_on_a_day,
    "ByYourOwnData": by_your_own_data,
    "BrowseTheCatalogue": browse_the_catalogue,
    "HowMany": how_many,
    "AnythingByItsId": anything_by_its_id,
    "History": history,
    "AsItWasKnown": as_it_was_known,
    "Changes": all_changes,
    "AssignAClaim": assign_a_claim,
    "TryBeforeYouChange": try_before_you_change,
    "ChangeACertificate": change_a_certificate,
    "RenewACertificate": renew_a_certificate,
    "ManyAtOnce": many_at_once,
    "ArchiveAndRestore": archive_and_restore,
    "RemoveAClaim": remove_a_claim,
    "WhoAmI": who_am_i,
    "WhatDoesItCost": what_does_it_cost,
    "WhatFilesBrought": what_files_brought,
    "AViewOfYourOwn": a_view_of_your_own,
    "InviteSomebody": invite_somebody,
}
