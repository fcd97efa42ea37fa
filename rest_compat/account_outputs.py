"""What the Account API answers, as documented objects; see `rest_compat.outputs`."""

from typing import Annotated

from msgspec import Meta, field

from domain.vocabulary import KeyKind, Role
from rest_compat.outputs import MAX_INTEGER, METADATA, SID, Metadata, Out

_ROLE = Meta(description="What the key permits in its organisation.", examples=["editor"])
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A moment in UTC to the second, such as `2026-03-31T12:00:00+00:00` (contract 1.1); msgspec would write a Z."""
_MOMENT = "2027-03-31T12:00:00+00:00"
_CREATED = Meta(description="When the key was made.", examples=["2026-03-31T12:00:00+00:00"])
_DESCRIPTION = Meta(
    description="What the key is for, in free text; may be empty.", max_length=255, examples=["For the shop's pages."]
)


class ApiKeyOut(Out, gc=False):
    """An API key as a list shows it: everything but the key."""

    id: Annotated[str, SID]
    name: Annotated[str, Meta(description="What the key is called.", max_length=255, examples=["The shop"])]
    role: Annotated[Role, _ROLE]
    created: Annotated[Moment, _CREATED]
    metadata: Annotated[Metadata, METADATA] = field(default_factory=dict)
    description: Annotated[str, _DESCRIPTION] = ""
    kind: Annotated[
        KeyKind,
        Meta(description="The key's prefix: `csb` for a server, `csu` for a person, `cpk` for a browser."),
    ] = KeyKind.BUSINESS
    is_active: Annotated[bool, Meta(description="Whether it is accepted: false once it has expired.")] = True
    expires_at: Annotated[
        Moment | None, Meta(description="From when on it is refused; `null`: never.", examples=[_MOMENT])
    ] = None
    last_used: Annotated[
        Moment | None,
        Meta(
            description="When it was last used, some seconds late and to the second; `null`: not yet.",
            examples=[_MOMENT],
        ),
    ] = None
    rate_limit_per_minute: Annotated[
        int,
        Meta(
            description="How many requests it may make in a minute; 0: as many as others.",
            ge=0,
            le=MAX_INTEGER,
            examples=[0],
        ),
    ] = 0
    rate_limit_per_day: Annotated[
        int,
        Meta(
            description="How many requests it may make in a day; 0: as many as others.",
            ge=0,
            le=MAX_INTEGER,
            examples=[0],
        ),
    ] = 0


class ApiKeyCreatedOut(Out, gc=False):
    """A key that was just made."""

    id: Annotated[str, SID]
    name: Annotated[str, Meta(description="What the key is called.", max_length=255, examples=["The shop"])]
    role: Annotated[Role, _ROLE]
    created: Annotated[Moment, _CREATED]
    key: Annotated[
        str,
        Meta(
            description="The key itself. It is shown here and never again: only its digest is stored.",
            max_length=45,
            pattern="^(csb|csu|cpk)_[A-Za-z0-9]{32}_[0-9a-f]{8}$",
            examples=["csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098"],
        ),
    ]
    metadata: Annotated[Metadata, METADATA] = field(default_factory=dict)
    description: Annotated[str, _DESCRIPTION] = ""


class OwnOrganizationOut(Out, gc=False):
    """An organisation that the caller acts for."""

    id: Annotated[str, SID]
    name: Annotated[str, Meta(description="Its name.", max_length=255, examples=["Acme Foods"])]


class OwnApiKeyOut(Out, gc=False):
    """The key that asks."""

    id: Annotated[str, SID]
    role: Annotated[Role, _ROLE]
    description: Annotated[str, _DESCRIPTION]
    created: Annotated[Moment, _CREATED]
    metadata: Annotated[Metadata, METADATA] = field(default_factory=dict)


class WhoAmIOut(Out, gc=False):
    """Who is asking."""

    user_id: Annotated[
        Annotated[str, SID] | None,
        Meta(description="The user behind a `csu` key; `null` for keys that stand for nobody."),
    ]
    email: Annotated[
        Annotated[str, Meta(max_length=254)] | None,
        Meta(description="The user's address.", examples=["ann@example.org"]),
    ]
    organizations: Annotated[
        list[OwnOrganizationOut], Meta(description="The organisations that the caller acts for; the main one first.")
    ]
    metadata: Annotated[Metadata, METADATA] = field(default_factory=dict)
    api_key: Annotated[
        OwnApiKeyOut | None, Meta(description="The key that asks; `null` for a signed-in browser and for a token.")
    ] = None
