"""Which endpoint is where, and what the OpenAPI document says of it: one table, so that no route is undocumented."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from domain import commands
from domain.account import CreateApiKey, DeleteApiKey, ListApiKeys, PatchApiKey
from domain.validation import Command
from rest_compat import account, certifications, claims, products
from rest_compat.account_outputs import ApiKeyCreatedOut, ApiKeyOut, WhoAmIOut
from rest_compat.outputs import (
    CertificationAssignmentOut,
    CertificationBodyOut,
    CertificationOut,
    CertifiedProductOut,
    ClaimAssignmentOut,
    ClaimOut,
    Page,
    ProductOut,
)

Handler = Callable[[Request], Awaitable[Response]]


class Endpoint(NamedTuple):
    """One method on one path, as the contract lists it.

    The statuses of refusals follow from the method and from what is sent; `rest_compat.openapi` derives them.
    """

    method: str
    path: str
    handler: Handler
    name: str
    """Behind `apps_<app>_api_` the operation id, from which generated clients make their function names."""
    tag: str
    summary: str
    description: str
    answer: Any
    """A struct of `rest_compat.outputs`, a list or `Page` of them, or None where nothing is sent (204)."""
    status: int = 200
    command: type[Command] | None = None
    """What is asked. Its members are the path's own parameters, and else those of the query or of the body."""
    body: str | None = None
    """The name of the body's schema; a command without one is asked in the query."""

    @property
    def app(self) -> str:
        """The API it belongs to: `certifications`, `products` or `account`."""
        return self.path.split("/")[1]

    @property
    def operation_id(self) -> str:
        """Unique in all documents."""
        return f"apps_{self.app}_api_{self.name}"


CERTIFICATIONS = "/certifications/api/v1"
PRODUCTS = "/products/api/v1"
ACCOUNT = "/account/api/v1"

# Endpoints of one path stand together.
ENDPOINTS = (
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/certification-bodies",
        certifications.list_certification_bodies,
        name="list_certification_bodies",
        tag="Certification Bodies",
        summary="List certification bodies",
        description="Bodies whose name has a part, in numbered pages.",
        answer=Page[CertificationBodyOut],
        command=commands.ListCertificationBodies,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/certification-bodies/{{id}}",
        certifications.get_certification_body,
        name="get_certification_body",
        tag="Certification Bodies",
        summary="Get a certification body",
        description="One body, by its id.",
        answer=CertificationBodyOut,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/certifications",
        certifications.list_certifications,
        name="list_certifications",
        tag="Certifications",
        summary="List certifications",
        description="Definitions that you may see, by part of the label, code and body, in numbered pages.",
        answer=Page[CertificationOut],
        command=commands.ListCertifications,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/certifications/{{id}}",
        certifications.get_certification,
        name="get_certification",
        tag="Certifications",
        summary="Get a certification",
        description="One definition, by its id. A definition private to another organisation does not exist for you.",
        answer=CertificationOut,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/claims",
        claims.list_claims,
        name="list_claims",
        tag="Claims",
        summary="List claims",
        description="Definitions by part of the label, code and category, in numbered pages.",
        answer=Page[ClaimOut],
        command=commands.ListClaims,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/claims/{{id}}",
        claims.get_claim,
        name="get_claim",
        tag="Claims",
        summary="Get a claim",
        description="One definition, by its id.",
        answer=ClaimOut,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/products/{{gtin}}",
        products.get_certified_product,
        name="get_product",
        tag="Assignments",
        summary="Get a product with its certifications and claims",
        description="A product with everything that it holds and claims.",
        answer=CertifiedProductOut,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/products/{{gtin}}/certifications",
        certifications.list_product_certifications,
        name="list_product_certifications",
        tag="Assignments",
        summary="List the certifications of a product",
        description="All certifications that the product holds, as a bare array without pages.",
        answer=list[CertificationAssignmentOut],
        command=commands.ListProductCertifications,
    ),
    Endpoint(
        "POST",
        f"{CERTIFICATIONS}/products/{{gtin}}/certifications",
        certifications.create_product_certification,
        name="create_product_certification",
        tag="Assignments",
        summary="Assign a certification to a product",
        description="Puts a certification on a product. A product holds one once: a second time is a conflict.",
        answer=CertificationAssignmentOut,
        status=201,
        command=commands.AssignCertification,
        body="CertificationAssignmentCreateIn",
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/products/{{gtin}}/certifications/{{certification_id}}",
        certifications.get_product_certification,
        name="get_product_certification",
        tag="Assignments",
        summary="Get a certification of a product",
        description="One item of the list. Its `ETag` is what `If-Match` takes when the item is changed or removed.",
        answer=CertificationAssignmentOut,
        command=commands.GetCertificationAssignment,
    ),
    Endpoint(
        "PATCH",
        f"{CERTIFICATIONS}/products/{{gtin}}/certifications/{{certification_id}}",
        certifications.patch_product_certification,
        name="update_product_certification",
        tag="Assignments",
        summary="Change a certification of a product",
        description="Changes the members that are sent and leaves the others. Metadata is merged key by key.",
        answer=CertificationAssignmentOut,
        command=commands.PatchCertificationAssignment,
        body="CertificationAssignmentUpdateIn",
    ),
    Endpoint(
        "DELETE",
        f"{CERTIFICATIONS}/products/{{gtin}}/certifications/{{certification_id}}",
        certifications.delete_product_certification,
        name="delete_product_certification",
        tag="Assignments",
        summary="Remove a certification from a product",
        description="Takes a certification off a product; a second time there is nothing to remove.",
        answer=None,
        status=204,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/products/{{gtin}}/claims",
        claims.list_product_claims,
        name="list_product_claims",
        tag="Assignments",
        summary="List the claims of a product",
        description="All claims that the product makes, by label, as a bare array without pages.",
        answer=list[ClaimAssignmentOut],
    ),
    Endpoint(
        "POST",
        f"{CERTIFICATIONS}/products/{{gtin}}/claims",
        claims.create_product_claim,
        name="create_product_claim",
        tag="Assignments",
        summary="Assign a claim to a product",
        description="Puts a claim on a product. A product makes a claim once: a second time is a conflict.",
        answer=ClaimAssignmentOut,
        status=201,
        command=commands.AssignClaim,
        body="ClaimAssignmentCreateIn",
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/products/{{gtin}}/claims/{{claim_id}}",
        claims.get_product_claim,
        name="get_product_claim",
        tag="Assignments",
        summary="Get a claim of a product",
        description="One item of the list. Its `ETag` is what `If-Match` takes when the item is changed or removed.",
        answer=ClaimAssignmentOut,
        command=commands.GetClaimAssignment,
    ),
    Endpoint(
        "PATCH",
        f"{CERTIFICATIONS}/products/{{gtin}}/claims/{{claim_id}}",
        claims.patch_product_claim,
        name="update_product_claim",
        tag="Assignments",
        summary="Change a claim of a product",
        description="Changes the members that are sent and leaves the others. Metadata is merged key by key.",
        answer=ClaimAssignmentOut,
        command=commands.PatchClaimAssignment,
        body="ClaimAssignmentUpdateIn",
    ),
    Endpoint(
        "DELETE",
        f"{CERTIFICATIONS}/products/{{gtin}}/claims/{{claim_id}}",
        claims.delete_product_claim,
        name="delete_product_claim",
        tag="Assignments",
        summary="Remove a claim from a product",
        description="Takes a claim off a product; a second time there is nothing to remove.",
        answer=None,
        status=204,
    ),
    Endpoint(
        "GET",
        f"{PRODUCTS}/products",
        products.list_products,
        name="list_products",
        tag="Products",
        summary="List the products of an organisation",
        description="What your organisation owns, in numbered pages.",
        answer=Page[ProductOut],
        command=commands.ListProducts,
    ),
    Endpoint(
        "POST",
        f"{PRODUCTS}/products",
        products.create_product,
        name="create_product",
        tag="Products",
        summary="Create a product",
        description="Makes a product that your organisation owns. The check digit of its GTIN must be right.",
        answer=ProductOut,
        status=201,
        command=commands.CreateProduct,
        body="ProductCreateIn",
    ),
    Endpoint(
        "GET",
        f"{PRODUCTS}/products/{{gtin}}",
        products.get_product,
        name="get_product",
        tag="Products",
        summary="Get a product",
        description="One product, by its GTIN.",
        answer=ProductOut,
    ),
    Endpoint(
        "PATCH",
        f"{PRODUCTS}/products/{{gtin}}",
        products.patch_product,
        name="update_product",
        tag="Products",
        summary="Change a product",
        description="Changes the members that are sent and leaves the others; null leaves a member as it is.",
        answer=ProductOut,
        command=commands.PatchProduct,
        body="ProductUpdateIn",
    ),
    Endpoint(
        "GET",
        f"{PRODUCTS}/products/{{gtin}}/certifications",
        certifications.page_product_certifications,
        name="list_product_certifications",
        tag="Products",
        summary="List the certifications of a product in pages",
        description="The certifications that the product holds, in numbered pages.",
        answer=Page[CertificationAssignmentOut],
        command=commands.PageOfProductCertifications,
    ),
    Endpoint(
        "GET",
        f"{PRODUCTS}/products/{{gtin}}/claims",
        claims.page_product_claims,
        name="list_product_claims",
        tag="Products",
        summary="List the claims of a product in pages",
        description="The claims that the product makes, in numbered pages.",
        answer=Page[ClaimAssignmentOut],
        command=commands.PageOfProductClaims,
    ),
    Endpoint(
        "GET",
        f"{PRODUCTS}/trade-items",
        products.list_trade_items,
        name="list_trade_items",
        tag="Trade Items",
        summary="List the products of everybody",
        description="Products by part of name, brand or GTIN and by what is recorded, in numbered pages.",
        answer=Page[ProductOut],
        command=commands.ListTradeItems,
    ),
    Endpoint(
        "GET",
        f"{PRODUCTS}/trade-items/{{gtin}}",
        products.get_product,
        name="get_trade_item",
        tag="Trade Items",
        summary="Get a product of anybody",
        description="One product, by its GTIN.",
        answer=ProductOut,
    ),
    Endpoint(
        "GET",
        f"{ACCOUNT}/whoami",
        account.whoami,
        name="whoami",
        tag="Account",
        summary="Say who is asking",
        description="The user, the organisations and the key behind the credential of this request.",
        answer=WhoAmIOut,
    ),
    Endpoint(
        "GET",
        f"{ACCOUNT}/organizations/{{organization_id}}/api-keys",
        account.list_api_keys,
        name="list_api_keys",
        tag="API Keys",
        summary="List the API keys of an organisation",
        description="The keys that are not revoked, oldest first, without the keys themselves. Takes a manager.",
        answer=list[ApiKeyOut],
        command=ListApiKeys,
    ),
    Endpoint(
        "POST",
        f"{ACCOUNT}/organizations/{{organization_id}}/api-keys",
        account.create_api_key,
        name="create_api_key",
        tag="API Keys",
        summary="Create an API key",
        description="Makes a key and shows it, this once. Takes a manager of the organisation.",
        answer=ApiKeyCreatedOut,
        command=CreateApiKey,
        body="ApiKeyCreateIn",
    ),
    Endpoint(
        "PATCH",
        f"{ACCOUNT}/organizations/{{organization_id}}/api-keys/{{key_id}}",
        account.patch_api_key,
        name="update_api_key",
        tag="API Keys",
        summary="Change what an API key is called",
        description="Changes the members that are sent and leaves the others. Takes a manager of the organisation.",
        answer=ApiKeyOut,
        command=PatchApiKey,
        body="ApiKeyUpdateIn",
    ),
    Endpoint(
        "DELETE",
        f"{ACCOUNT}/organizations/{{organization_id}}/api-keys/{{key_id}}",
        account.delete_api_key,
        name="delete_api_key",
        tag="API Keys",
        summary="Revoke an API key",
        description="Revokes the key at once, with the browser sessions that stand for it. Takes a manager of the"
        " organisation.",
        answer=None,
        status=204,
        command=DeleteApiKey,
    ),
)
