"""Which endpoint is where, and what the OpenAPI document says of it: one table, so that no route is undocumented."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from domain import commands
from domain.validation import Command
from resolvers import (
    account,
    acknowledgements,
    assignments,
    bodies,
    calendars,
    certifications,
    claims,
    digests,
    feed,
    lead_times,
    past,
    people,
    products,
    public_proof,
    verification,
    views,
    webhooks,
)
from rest_compat import exports, imports, outputs, reads, streams, wire
from rest_compat.documented import Output
from rest_compat.endpoint import Endpoint, Operation, ShowRows
from rest_compat.streams import EVENTS

CERTIFICATIONS = "/certifications/api/v1"
PRODUCTS = "/products/api/v1"
ACCOUNT = "/account/api/v1"
_OF_ORGANIZATION = f"{ACCOUNT}/organizations/{{organization_id}}"


class _Assignments(NamedTuple):
    """What differs between the endpoints of certifications and those of claims: C7 to C14."""

    noun: str
    verb: str
    """What the product does with one."""
    answer: Output
    list: Operation
    rows: ShowRows
    """The same where nothing is to be left out or ordered."""
    page: type[Command]
    """What asks for a page of the list."""
    get: Operation
    assign: Operation
    patch: Operation
    remove: Operation
    acknowledged: Operation
    acknowledge: Operation
    unacknowledge: Operation

    def of_product(self) -> Iterator[Endpoint]:
        """The endpoints below a product in the Certifications API."""
        path = f"{CERTIFICATIONS}/products/{{gtin}}/{self.noun}s"
        one = f"{path}/{{{self.noun}_id}}"
        yield Endpoint(
            "GET",
            path,
            self.list,
            name=f"list_product_{self.noun}s",
            summary=f"List the {self.noun}s of a product",
            description=f"All {self.noun}s that the product {self.verb}, by label, as a bare array without pages.",
            answer=self.answer,
            form="list",
            rows=self.rows,
        )
        yield Endpoint(
            "POST",
            path,
            self.assign,
            name=f"create_product_{self.noun}",
            summary=f"Assign a {self.noun} to a product",
            description=f"Puts a {self.noun} on a product: 404 if there is no such product or {self.noun}, 409 if the"
            f" product {self.verb} it already.",
            answer=self.answer,
            body=f"{self.noun.capitalize()}AssignmentCreateIn",
            is_made=True,
        )
        yield Endpoint(
            "GET",
            f"{one}/acknowledgement",
            self.acknowledged,
            name=f"get_product_{self.noun}_acknowledgement",
            summary=f"Say who has taken on that a {self.noun} lapses",
            description="Who has, until when and why: 404 where nobody has, once its day has passed, and once the day"
            " of the lapse is another one.",
            answer=outputs.ACKNOWLEDGEMENT,
        )
        yield Endpoint(
            "POST",
            f"{one}/acknowledgement",
            self.acknowledge,
            name=f"acknowledge_product_{self.noun}",
            summary=f"Take on that a {self.noun} lapses",
            description="Says until when it is taken on, and why, in the place of what was said before. Digests leave"
            " it out until then, or until the day of the lapse is another one.",
            answer=outputs.ACKNOWLEDGEMENT,
            body=f"{self.noun.capitalize()}AcknowledgementIn",
        )
        yield Endpoint(
            "DELETE",
            f"{one}/acknowledgement",
            self.unacknowledge,
            name=f"unacknowledge_product_{self.noun}",
            summary=f"Give it back that a {self.noun} lapses",
            description="Nobody has taken it on from then on.",
        )
        yield Endpoint(
            "GET",
            one,
            self.get,
            name=f"get_product_{self.noun}",
            summary=f"Get a {self.noun} of a product",
            description="One item of the list. Its `ETag` is what `If-Match` takes when the item is changed or"
            " removed.",
            answer=self.answer,
        )
        yield Endpoint(
            "PATCH",
            one,
            self.patch,
            name=f"update_product_{self.noun}",
            summary=f"Change a {self.noun} of a product",
            description="Changes the members that are sent and leaves the others. Metadata is merged key by key.",
            answer=self.answer,
            body=f"{self.noun.capitalize()}AssignmentUpdateIn",
        )
        yield Endpoint(
            "DELETE",
            one,
            self.remove,
            name=f"delete_product_{self.noun}",
            summary=f"Remove a {self.noun} from a product",
            description=f"Takes a {self.noun} off a product; a second time there is nothing to remove.",
        )

    def in_pages(self) -> Endpoint:
        """The Products API's twin of the list."""
        return Endpoint(
            "GET",
            f"{PRODUCTS}/products/{{gtin}}/{self.noun}s",
            self.list,
            command=self.page,
            name=f"list_product_{self.noun}s",
            summary=f"List the {self.noun}s of a product in pages",
            description=f"The {self.noun}s that the product {self.verb}, in numbered pages.",
            answer=self.answer,
            form="page",
        )


_CERTIFICATIONS = _Assignments(
    "certification",
    "holds",
    outputs.CERTIFICATION_ASSIGNMENT,
    list=certifications.list_product_certifications,
    rows=partial(assignments.shown_of_product, certifications.KIND),
    page=commands.PageOfProductCertifications,
    get=certifications.product_certification,
    assign=certifications.assign_certification,
    patch=certifications.patch_certification_assignment,
    remove=certifications.remove_certification,
    acknowledged=acknowledgements.certification_acknowledgement,
    acknowledge=acknowledgements.acknowledge_certification,
    unacknowledge=acknowledgements.unacknowledge_certification,
)
_CLAIMS = _Assignments(
    "claim",
    "makes",
    outputs.CLAIM_ASSIGNMENT,
    list=claims.list_product_claims,
    rows=partial(assignments.shown_of_product, claims.KIND),
    page=commands.PageOfProductClaims,
    get=claims.product_claim,
    assign=claims.assign_claim,
    patch=claims.patch_claim_assignment,
    remove=claims.remove_claim,
    acknowledged=acknowledgements.claim_acknowledgement,
    acknowledge=acknowledgements.acknowledge_claim,
    unacknowledge=acknowledgements.unacknowledge_claim,
)


def _of_certificates() -> Iterator[Endpoint]:
    """The endpoints about the certificate of a certification that a product holds, and those before it."""
    one = f"{CERTIFICATIONS}/products/{{gtin}}/certifications/{{certification_id}}"
    yield Endpoint(
        "GET",
        f"{one}/standing",
        certifications.certification_standing,
        name="get_product_certification_standing",
        summary="Say how a certification of a product stands",
        description="How it stands today, and why it is suspended or withdrawn if it is.",
        answer=outputs.CERTIFICATION_STANDING,
    )
    yield Endpoint(
        "GET",
        f"{one}/previous",
        certifications.list_earlier_certificates,
        name="list_product_certification_previous",
        summary="List the earlier certificates of a certification of a product",
        description="The certificates before the one that is held, newest first: each that a renewal replaced.",
        answer=outputs.PREVIOUS_CERTIFICATE,
        form="list",
    )
    yield Endpoint(
        "POST",
        f"{one}/renew",
        certifications.renew_certification,
        name="renew_product_certification",
        summary="Renew a certification of a product",
        description="Puts the next certificate in the place of the one that is held, which is kept among the earlier"
        " ones. Of what is left out, texts, lists and the day of the first grant stay; the other days are not recorded,"
        " and the status is `unverified`. The answer says whether the two leave a gap or overlap.",
        answer=outputs.CERTIFICATION_RENEWED,
        body="CertificationRenewIn",
        shows_change=True,
    )
    yield Endpoint(
        "POST",
        f"{one}/undo-renewal",
        certifications.undo_renewal,
        name="undo_renewal_product_certification",
        summary="Undo the last renewal of a certification of a product",
        description="Puts the certificate before the newest back in its place, as if it had never been renewed. What"
        " was said of suspensions and withdrawals since stays.",
        answer=outputs.CERTIFICATION_STANDING,
    )
    for verb, operation, body, description in (
        (
            "suspend",
            certifications.suspend_certification,
            "CertificationSuspendIn",
            (
                "Says on which days the certificate does not hold, and why: `is_active` is false then, and"
                " `verification_status` is `expired`."
            ),
        ),
        (
            "withdraw",
            certifications.withdraw_certification,
            "CertificationWithdrawIn",
            (
                "Says from which day on the certificate does not hold, and why: `is_active` is false from then on, and"
                " `verification_status` is `expired`."
            ),
        ),
        (
            "reinstate",
            certifications.reinstate_certification,
            "CertificationReinstateIn",
            "Says that it is neither suspended nor withdrawn from a day on; the days before stay as they were.",
        ),
    ):
        yield Endpoint(
            "POST",
            f"{one}/{verb}",
            operation,
            name=f"{verb}_product_certification",
            summary=f"{verb.capitalize()} a certification of a product",
            description=description,
            answer=outputs.CERTIFICATION_STANDING,
            body=body,
        )


# Endpoints of one path stand together.
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/certification-bodies",
        bodies.list_certification_bodies,
        name="list_certification_bodies",
        summary="List certification bodies",
        description="Bodies whose name has a part, in numbered pages.",
        answer=outputs.CERTIFICATION_BODY,
        form="page",
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/certification-bodies/{{id}}",
        reads.certification_body,
        name="get_certification_body",
        summary="Get a certification body",
        description="One body, by its id.",
        answer=outputs.CERTIFICATION_BODY,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/certifications",
        certifications.list_certifications,
        name="list_certifications",
        summary="List certifications",
        description="Definitions that you may see, by part of the label, code and body, in numbered pages.",
        answer=outputs.CERTIFICATION,
        form="page",
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/certifications/{{id}}",
        reads.certification,
        name="get_certification",
        summary="Get a certification",
        description="One definition, by its id. A definition private to another organisation does not exist for you.",
        answer=outputs.CERTIFICATION,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/claims",
        claims.list_claims,
        name="list_claims",
        summary="List claims",
        description="Definitions by part of the label, code and category, in numbered pages.",
        answer=outputs.CLAIM,
        form="page",
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/claims/{{id}}",
        reads.claim,
        name="get_claim",
        summary="Get a claim",
        description="One definition, by its id.",
        answer=outputs.CLAIM,
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/products/{{gtin}}",
        reads.certified_product,
        name="get_product",
        summary="Get a product with its certifications and claims",
        description="A product with everything that it holds and claims, as JSON-LD too.",
        answer=outputs.CERTIFIED_PRODUCT,
        write=wire.certified_product,
        media_types=(wire.LINKED_DATA,),
    ),
    *_CERTIFICATIONS.of_product(),
    *_of_certificates(),
    *_CLAIMS.of_product(),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/products/{{gtin}}/history",
        past.list_history,
        name="list_product_history",
        summary="List the changes of a product",
        description="Who changed what and when, the latest first; `whole=true` has the changes of its certifications"
        " and claims as well, and of those that were taken off it. Continue with `below`, the `seq` of the last one. A"
        " publishable key sees none.",
        answer=outputs.PAST_CHANGE,
        form="list",
    ),
    Endpoint(
        "GET",
        f"{CERTIFICATIONS}/changes",
        feed.list_changes,
        name="list_changes",
        summary="Follow the changes of your products",
        description="What became of the products of your organisations and of what they hold and claim, the earliest"
        " first, each change once. Continue with `since`, the `next` of the last answer; with `wait` the answer comes"
        " as soon as there is something, unless many wait already. A change is shown about a second after it was made."
        " A publishable key sees none. With `Accept: text/event-stream` the changes are sent as they come, an event"
        " each, whose id is what `since` and `Last-Event-ID` take.",
        answer=outputs.PAST_CHANGE,
        form="feed",
        stream=streams.changes,
        media_types=(EVENTS,),
    ),
    *(
        Endpoint(
            "GET",
            f"{CERTIFICATIONS}/exports/{name}",
            exports.asking(name),
            name=f"export_{name}",
            summary=f"Export {what}",
            description=f"All {what}, as far as they pass a filter, by GTIN: one file that is sent while it is read.",
            media_types=tuple(exports.FORMATS),
            send=exports.sending(name),
        )
        for name, what in (
            ("products", "products"),
            ("certifications", "certifications that products hold"),
            ("claims", "claims that products make"),
        )
    ),
    *imports.endpoints(CERTIFICATIONS),
    Endpoint(
        "GET",
        f"{PRODUCTS}/products",
        products.list_products,
        name="list_products",
        summary="List the products of an organisation",
        description="What your organisation owns, in numbered pages.",
        answer=outputs.PRODUCT,
        form="page",
    ),
    Endpoint(
        "POST",
        f"{PRODUCTS}/products",
        products.create_product,
        name="create_product",
        summary="Create a product",
        description="Makes a product that your organisation owns. The check digit of its GTIN must be right.",
        answer=outputs.PRODUCT,
        is_made=True,
        body="ProductCreateIn",
    ),
    Endpoint(
        "GET",
        f"{PRODUCTS}/products/{{gtin}}",
        reads.product,
        name="get_product",
        summary="Get a product",
        description="One product, by its GTIN.",
        answer=outputs.PRODUCT,
    ),
    Endpoint(
        "PATCH",
        f"{PRODUCTS}/products/{{gtin}}",
        products.patch_product,
        name="update_product",
        summary="Change a product",
        description="Changes the members that are sent and leaves the others; null leaves a member as it is.",
        answer=outputs.PRODUCT,
        body="ProductUpdateIn",
    ),
    Endpoint(
        "POST",
        f"{PRODUCTS}/products/{{gtin}}/archive",
        products.archive_product,
        name="archive_product",
        summary="Archive a product",
        description="Takes the product out of all lists, with what it holds and claims. It is kept and found by its"
        " GTIN; nothing of it can be changed until it is restored.",
        answer=outputs.PRODUCT,
    ),
    Endpoint(
        "POST",
        f"{PRODUCTS}/products/{{gtin}}/restore",
        products.restore_product,
        name="restore_product",
        summary="Restore an archived product",
        description="Brings the product back into the lists, with what it holds and claims.",
        answer=outputs.PRODUCT,
    ),
    _CERTIFICATIONS.in_pages(),
    _CLAIMS.in_pages(),
    Endpoint(
        "GET",
        f"{PRODUCTS}/trade-items",
        products.list_trade_items,
        name="list_trade_items",
        summary="List the products of everybody",
        description="Products by part of name, brand or GTIN and by what is recorded, in numbered pages.",
        answer=outputs.PRODUCT,
        form="page",
    ),
    Endpoint(
        "GET",
        f"{PRODUCTS}/trade-items/{{gtin}}",
        reads.product,
        name="get_trade_item",
        summary="Get a product of anybody",
        description="One product, by its GTIN.",
        answer=outputs.PRODUCT,
    ),
    Endpoint(
        "GET",
        f"{ACCOUNT}/whoami",
        reads.whoami,
        name="whoami",
        summary="Say who is asking",
        description="The user, the organisations and the key behind the credential of this request.",
        answer=outputs.WHOAMI,
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/history",
        past.list_organization_history,
        name="list_history",
        summary="List the changes of what an organisation has",
        description="What became of its keys, members, views, acknowledgements and own certifications, and of all"
        " definitions, the latest first. Continue with `below`, the `seq` of the last one. Takes a manager.",
        answer=outputs.PAST_CHANGE,
        form="list",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/verification",
        verification.verify_history,
        name="verify_history",
        summary="Verify a part of the history",
        description="Whether the next 500 rows of the log of changes are as they were sealed, and what is stored is as"
        " they tell. Continue with `since`, the `next` of the last answer, as long as that is not null. What others own"
        " is not named. Takes a manager.",
        answer=outputs.VERIFICATION,
    ),
    Endpoint(
        "GET",
        f"{ACCOUNT}/organizations/{{organization_id}}/api-keys",
        account.list_api_keys,
        name="list_api_keys",
        summary="List the API keys of an organisation",
        description="The keys that are not revoked, oldest first, without the keys themselves. Takes a manager.",
        answer=outputs.API_KEY,
        form="list",
    ),
    Endpoint(
        "POST",
        f"{ACCOUNT}/organizations/{{organization_id}}/api-keys",
        account.create_api_key,
        name="create_api_key",
        summary="Create an API key",
        description="Makes a key and shows it, this once. Takes a manager of the organisation.",
        answer=outputs.API_KEY_CREATED,
        body="ApiKeyCreateIn",
    ),
    Endpoint(
        "PATCH",
        f"{ACCOUNT}/organizations/{{organization_id}}/api-keys/{{key_id}}",
        account.patch_api_key,
        name="update_api_key",
        summary="Change what an API key is called",
        description="Changes the members that are sent and leaves the others. Takes a manager of the organisation.",
        answer=outputs.API_KEY,
        body="ApiKeyUpdateIn",
    ),
    Endpoint(
        "DELETE",
        f"{ACCOUNT}/organizations/{{organization_id}}/api-keys/{{key_id}}",
        account.revoke_api_key,
        name="delete_api_key",
        summary="Revoke an API key",
        description="Revokes the key, with the browser sessions that stand for it: at once, in a server whose network"
        " fails within ten seconds. Takes a manager of the organisation.",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/invitations",
        people.list_invitations,
        name="list_invitations",
        summary="List the open invitations of an organisation",
        description="Those that are neither used nor expired, oldest first, without their links. Takes a manager.",
        answer=outputs.INVITATION,
        form="list",
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/invitations",
        people.create_invitation,
        name="create_invitation",
        summary="Invite somebody",
        description="Makes a link that works once and for seven days, in the place of an open one of the same address,"
        " and shows it, this once. Takes a manager of the organisation.",
        answer=outputs.INVITATION_CREATED,
        body="InvitationCreateIn",
        is_made=True,
    ),
    Endpoint(
        "DELETE",
        f"{_OF_ORGANIZATION}/invitations/{{invitation_id}}",
        people.revoke_invitation,
        name="delete_invitation",
        summary="Take an invitation back",
        description="The link is refused from then on. Takes a manager of the organisation.",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/calendars",
        calendars.list_calendars,
        name="list_calendars",
        summary="List the calendars of an organisation",
        description="Those that were not revoked, oldest first, without their addresses.",
        answer=outputs.CALENDAR,
        form="list",
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/calendars",
        calendars.create_calendar,
        name="create_calendar",
        summary="Make a calendar of a saved view",
        description="Makes an address, shown this once, under which calendar programs find the lapses of what the view"
        " shows. Takes an editor.",
        answer=outputs.CALENDAR_CREATED,
        body="CalendarCreateIn",
        is_made=True,
    ),
    Endpoint(
        "DELETE",
        f"{_OF_ORGANIZATION}/calendars/{{calendar_id}}",
        calendars.revoke_calendar,
        name="delete_calendar",
        summary="Revoke a calendar",
        description="Its address is answered with 404 from then on. Takes an editor.",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/views",
        views.list_views,
        name="list_views",
        summary="List the saved views of an organisation",
        description="Its named lists, by name. `exports` of the Certifications API takes the id of one as `view`.",
        answer=outputs.SAVED_VIEW,
        form="list",
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/views",
        views.create_view,
        name="create_view",
        summary="Save a view",
        description="Gives a list a name: what it is a list of, what narrows it down, what it is ordered by. Takes an"
        " editor.",
        answer=outputs.SAVED_VIEW,
        body="ViewCreateIn",
        is_made=True,
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/views/{{view_id}}",
        views.saved_view,
        name="get_view",
        summary="Get a saved view",
        description="One view, by its id.",
        answer=outputs.SAVED_VIEW,
    ),
    Endpoint(
        "PATCH",
        f"{_OF_ORGANIZATION}/views/{{view_id}}",
        views.patch_view,
        name="update_view",
        summary="Change a saved view",
        description="Changes the members that are sent and leaves the others; null leaves a member as it is. Takes an"
        " editor.",
        answer=outputs.SAVED_VIEW,
        body="ViewUpdateIn",
    ),
    Endpoint(
        "DELETE",
        f"{_OF_ORGANIZATION}/views/{{view_id}}",
        views.remove_view,
        name="delete_view",
        summary="Remove a saved view",
        description="Removes the view, and nothing that its list shows. Takes an editor.",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/webhooks",
        webhooks.list_webhooks,
        name="list_webhooks",
        summary="List the webhooks of an organisation",
        description="Where its changes are sent, oldest first, without secrets. Takes a manager.",
        answer=outputs.WEBHOOK,
        form="list",
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/webhooks",
        webhooks.create_webhook,
        name="create_webhook",
        summary="Make a webhook",
        description="Has changes sent to an address from now on, and shows the secret that signs them, this once. Takes"
        " a manager.",
        answer=outputs.WEBHOOK_CREATED,
        body="WebhookCreateIn",
        is_made=True,
    ),
    Endpoint(
        "PATCH",
        f"{_OF_ORGANIZATION}/webhooks/{{webhook_id}}",
        webhooks.patch_webhook,
        name="update_webhook",
        summary="Change a webhook",
        description="Changes the members that are sent and leaves the others; null leaves a member as it is. What"
        " failed before is tried at once. Takes a manager.",
        answer=outputs.WEBHOOK,
        body="WebhookUpdateIn",
    ),
    Endpoint(
        "DELETE",
        f"{_OF_ORGANIZATION}/webhooks/{{webhook_id}}",
        webhooks.remove_webhook,
        name="delete_webhook",
        summary="End a webhook",
        description="Nothing is sent there any more. Takes a manager.",
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/webhooks/{{webhook_id}}/secret",
        webhooks.rotate_webhook_secret,
        name="rotate_webhook_secret",
        summary="Give a webhook another secret",
        description="Makes a secret and shows it, this once. For 24 hours what is sent is signed by the one before,"
        " too. Takes a manager.",
        answer=outputs.WEBHOOK_CREATED,
        is_made=True,
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/webhooks/{{webhook_id}}/test",
        webhooks.test_webhook,
        name="test_webhook",
        summary="Try a webhook",
        description="Sends, within seconds, something that only tries the webhook, whether it is enabled or not; its"
        " deliveries say what became of it. Takes a manager.",
        answer=outputs.WEBHOOK,
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/webhooks/{{webhook_id}}/replay",
        webhooks.replay_webhook,
        name="replay_webhook",
        summary="Have a webhook go on from elsewhere",
        description="From an earlier moment or change on, so that what came since is sent again, with the same ids, or"
        " from a later one, so that what is between is not. Takes a manager.",
        answer=outputs.WEBHOOK,
        body="WebhookReplayIn",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/webhooks/{{webhook_id}}/deliveries",
        webhooks.list_deliveries,
        name="list_webhook_deliveries",
        summary="List what was sent to a webhook",
        description="The last 100 tries with what was answered, the latest first. Takes a manager.",
        answer=outputs.WEBHOOK_DELIVERY,
        form="list",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/lead-times",
        lead_times.list_lead_times,
        name="list_lead_times",
        summary="List the lead times of an organisation",
        description="How many days before it lapses the organisation wants to hear of a certification: first those that"
        " all have, then those of the certifications that have others.",
        answer=outputs.LEAD_TIMES,
        form="list",
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/lead-times",
        lead_times.set_lead_times,
        name="set_lead_times",
        summary="Set lead times",
        description="Says how many days before it lapses the organisation wants to hear of a certification, or of all"
        " that have no others. Takes an editor.",
        answer=outputs.LEAD_TIMES,
        body="LeadTimesIn",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/public-proof",
        public_proof.get_public_proof,
        name="get_public_proof",
        summary="Say whether products are shown to anybody",
        description="Whether each product of the organisation has a page for anybody, `/products/{gtin}`, with what it"
        " holds and claims today.",
        answer=outputs.PUBLIC_PROOF,
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/public-proof",
        public_proof.set_public_proof,
        name="set_public_proof",
        summary="Have products shown to anybody, or not",
        description="Has each product of the organisation shown to anybody at `/products/{gtin}`, or no longer. Takes a"
        " manager.",
        answer=outputs.PUBLIC_PROOF,
        body="PublicProofIn",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/sessions",
        people.list_sessions,
        name="list_sessions",
        summary="List the browsers that are signed in for an organisation",
        description="Those that act for its members and its keys: the latest 500. Takes a manager.",
        answer=outputs.SESSION,
        form="list",
    ),
    Endpoint(
        "DELETE",
        f"{_OF_ORGANIZATION}/sessions/{{session_id}}",
        people.end_session,
        name="delete_session",
        summary="Sign a browser out",
        description="The session is refused from then on. Takes a manager of the organisation.",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/members/{{user_id}}/digest",
        digests.member_digest,
        name="get_digest",
        summary="Say how often a member is told by mail",
        description="How often a member gets a digest of what is new and what lapses. Of others than yourself it takes"
        " a manager.",
        answer=outputs.DIGEST,
    ),
    Endpoint(
        "POST",
        f"{_OF_ORGANIZATION}/members/{{user_id}}/digest",
        digests.set_digest,
        name="set_digest",
        summary="Have a member told by mail",
        description="Has a member get a digest each day, each week or never, where the server has a mail server. For"
        " others than yourself it takes a manager.",
        answer=outputs.DIGEST,
        body="DigestIn",
    ),
    Endpoint(
        "GET",
        f"{_OF_ORGANIZATION}/members",
        people.list_members,
        name="list_members",
        summary="List the members of an organisation",
        description="Who belongs to it, by address. Takes a manager.",
        answer=outputs.MEMBER,
        form="list",
    ),
    Endpoint(
        "PATCH",
        f"{_OF_ORGANIZATION}/members/{{user_id}}",
        people.patch_member,
        name="update_member",
        summary="Change what a member may do",
        description="Gives another member than yourself another role. Takes a manager of the organisation.",
        answer=outputs.MEMBER,
        body="MemberUpdateIn",
    ),
    Endpoint(
        "DELETE",
        f"{_OF_ORGANIZATION}/members/{{user_id}}",
        people.remove_member,
        name="delete_member",
        summary="End a membership",
        description="Ends another's membership, with the sessions and the open invitation of the person there. Takes a"
        " manager of the organisation.",
    ),
)
