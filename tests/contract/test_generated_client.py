"""A typed client, generated from the served documents by somebody else's generator, does the whole work.

openapi-python-client reads the documents that a running server serves; nothing in the client is ours.
"""

import io
import json
import subprocess
import sys
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

from rest_compat.openapi import DOCUMENT_PATHS
from tests.conftest import LiveServer

NEW = "00614141107346"


@pytest.fixture
def packages(live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generated packages `certifications_client`, `products_client` and `account_client`, ready to import."""
    # It would tidy what it wrote with tools that need not be here, and has to be told that CSV is a file.
    config = {"post_hooks": [], "content_type_overrides": {"text/csv": "application/octet-stream"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    for path, app in DOCUMENT_PATHS.items():
        (tmp_path / f"{app}.json").write_bytes(httpx2.get(live_server.url + path).content)
        generate = [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--path", f"{app}.json"),
            *("--output-path", f"{app}_client", "--meta", "none", "--config", "config.json", "--fail-on-warning"),
        ]
        ran = subprocess.run(generate, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    monkeypatch.syspath_prepend(str(tmp_path))


class Api:
    """One generated package: `call` finds the operation's module, which the generator sorts by tag."""

    def __init__(self, app: str, server: LiveServer) -> None:
        self.app = app
        self.models = import_module(f"{app}_client.models")
        package = import_module(f"{app}_client")
        self.client = package.AuthenticatedClient(server.url, server.api_key, prefix="", auth_header_name="X-API-Key")

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.client.__exit__(*error)

    def call(self, tag: str, name: str, /, **arguments: Any) -> Any:
        """What the operation's typed function returns: a model of the documented status, with its status code."""
        module = import_module(f"{self.app}_client.api.{tag}.apps_{self.app}_api_{name}")
        return module.sync_detailed(client=self.client, **arguments)


@pytest.mark.usefixtures("packages")
def test_generated_client_does_the_whole_flow(live_server: LiveServer) -> None:
    with ExitStack() as stack:
        account, products, api = (
            stack.enter_context(Api(app, live_server)) for app in ("account", "products", "certifications")
        )
        flow(account, products, api)


def flow(account: Api, products: Api, api: Api) -> None:
    """A product is created, makes a claim, holds a certification, which is changed; at the end, both are taken off.

    Then a file is put in.
    """
    me = account.call("account", "whoami").parsed
    organization = me.organizations[0].id
    made = products.call("products", "create_product", body=products.models.ProductCreateIn(gtin=NEW, brand="Acme"))
    assert (made.status_code, made.parsed.gtin, made.parsed.owner_id) == (201, NEW, organization)
    own = products.call("products", "list_products", organization_id=organization, page_size=100).parsed
    assert own.pagination.total_count > 100

    claims = api.call("claims", "list_claims", category=api.models.ClaimCategoryEnum.DIETARY).parsed
    claim = claims.data[0]
    assert claim.category is api.models.ClaimCategoryEnum.DIETARY
    wanted = api.models.ClaimAssignmentCreateIn(
        claim_id=claim.id,
        source=api.models.ClaimSourceEnum.THIRD_PARTY_VERIFIED,
        metadata=api.models.ClaimAssignmentCreateInMetadataType0.from_dict({"order_id": "6735"}),
    )
    assigned = api.call("assignments", "create_product_claim", gtin=NEW, body=wanted)
    assert assigned.status_code == 201
    assert assigned.parsed.source is api.models.ClaimSourceEnum.THIRD_PARTY_VERIFIED
    assert assigned.parsed.metadata.to_dict() == {"order_id": "6735"}
    again = api.call("assignments", "create_product_claim", gtin=NEW, body=wanted)
    assert (again.status_code, again.parsed.error_code) == (409, "conflict")

    certification = api.call("certifications", "list_certifications", code="usda_organic").parsed.data[0]
    held = api.call(
        "assignments",
        "create_product_certification",
        gtin=NEW,
        body=api.models.CertificationAssignmentCreateIn(
            certification_id=certification.id, certificate_number="NOP-12345", certificate_countries=["US"]
        ),
    )
    assert (held.status_code, held.parsed.id, held.parsed.is_active) == (201, certification.id, True)
    changed = api.call(
        "assignments",
        "update_product_certification",
        gtin=NEW,
        certification_id=certification.id,
        if_match=held.headers["etag"],
        body=api.models.CertificationAssignmentUpdateIn(
            verification_status=api.models.VerificationStatusEnum.VERIFIED, certificate_number=None
        ),
    )
    assert changed.status_code == 200
    assert changed.parsed.verification_status is api.models.VerificationStatusEnum.VERIFIED
    assert changed.parsed.certificate_number == ""
    stale = api.call(
        "assignments",
        "delete_product_certification",
        gtin=NEW,
        certification_id=certification.id,
        if_match=held.headers["etag"],
    )
    assert (stale.status_code, stale.parsed.error_code) == (412, "precondition_failed")

    listed = api.call("assignments", "list_product_certifications", gtin=NEW, is_active=True).parsed
    assert [item.id for item in listed] == [certification.id]
    for name, id in (("certification", certification.id), ("claim", claim.id)):
        gone = api.call("assignments", f"delete_product_{name}", gtin=NEW, **{f"{name}_id": id})
        assert gone.status_code == 204
        assert api.call("assignments", f"list_product_{name}s", gtin=NEW).parsed == []

    rows = import_module(f"{api.app}_client.types").File(io.BytesIO(f"gtin,brand\n{NEW},Acme Foods\n".encode()))
    begun = api.call("imports", "start_import", body=rows, name="own.csv")
    assert (begun.status_code, begun.parsed.name) == (202, "own.csv")
