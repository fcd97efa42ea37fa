"""The public proof: what products hold today, for anybody; off unless a manager of the organisation switches it on."""

from typing import Annotated

from pydantic import Field

from domain.members import kept
from domain.people import Within
from domain.records import Record
from domain.short_id import ShortId
from domain.validation import Command, Flag


class PublicProof(Record, frozen=True):
    """Whether anybody is shown what the products of an organisation hold."""

    organization_id: Annotated[ShortId, kept("The id of the organisation")]
    is_enabled: Annotated[
        bool,
        kept(
            "Whether each product has a page for anybody, with what it holds and claims today",
            more="The page is `/products/{gtin}`, its label `/products/{gtin}/label.svg`.",
            example=True,
        ),
    ]


class GetPublicProof(Command):
    """Whether anybody is shown what the products of an organisation hold."""

    organization_id: Within


class SetPublicProof(Command):
    """Say whether anybody is shown what the products of an organisation hold."""

    organization_id: Within
    is_enabled: Annotated[
        Flag,
        Field(
            description="Whether each product has a page for anybody, with what it holds and claims.", examples=[True]
        ),
    ]
