"""The schema, put together from the topics. `schema.graphql` beside this file is its printed form, kept by a test."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema import calendars, certifications, claims, digests, keys, people, products, public_proof, views, webhooks
from schema.bodies import CertificationBodyQueries
from schema.history import ChangeQueries
from schema.imports import ImportQueries
from schema.mutations import mutation_type
from schema.nodes import NodeQueries
from schema.rate_limit import RateLimitQueries
from schema.scalars import SCALARS
from schema.stats import StatsQueries
from schema.viewer import ViewerQueries


@strawberry.type(description="What can be asked. Everybody with a valid credential may, and nothing is changed by it.")
class Query(
    products.ProductQueries,
    certifications.CertificationQueries,
    claims.ClaimQueries,
    CertificationBodyQueries,
    keys.KeyQueries,
    ImportQueries,
    ChangeQueries,
    people.PeopleQueries,
    views.ViewQueries,
    calendars.CalendarQueries,
    digests.DigestQueries,
    public_proof.PublicProofQueries,
    webhooks.WebhookQueries,
    NodeQueries,
    StatsQueries,
    ViewerQueries,
    RateLimitQueries,
):
    """The root of queries."""


Mutation = mutation_type(
    [
        *claims.MUTATIONS,
        *certifications.MUTATIONS,
        *products.MUTATIONS,
        *keys.MUTATIONS,
        *people.MUTATIONS,
        *views.MUTATIONS,
        *calendars.MUTATIONS,
        *digests.MUTATIONS,
        *public_proof.MUTATIONS,
        *webhooks.MUTATIONS,
    ],
    description="What can be changed. Each field is done by itself, in the order of the document, and answers with what"
    " was changed or with the problem that prevented it.",
)

schema = strawberry.Schema(query=Query, mutation=Mutation, config=StrawberryConfig(scalar_map=SCALARS))
