"""The schema, put together from the topics. `schema.graphql` beside this file is its printed form, kept by a test."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.bodies import CertificationBodyQueries
from schema.bulk import BulkMutations
from schema.certifications import CertificationMutations, CertificationQueries
from schema.claims import ClaimMutations, ClaimQueries
from schema.keys import KeyMutations, KeyQueries
from schema.nodes import NodeQueries
from schema.products import ProductMutations, ProductQueries
from schema.rate_limit import RateLimitQueries
from schema.scalars import SCALARS
from schema.stats import StatsQueries
from schema.viewer import ViewerQueries


@strawberry.type(description="What can be asked. Everybody with a valid credential may, and nothing is changed by it.")
class Query(
    ProductQueries,
    CertificationQueries,
    ClaimQueries,
    CertificationBodyQueries,
    KeyQueries,
    NodeQueries,
    StatsQueries,
    ViewerQueries,
    RateLimitQueries,
):
    """The root of queries."""


@strawberry.type(
    description="What can be changed. Each field is done by itself, in the order of the document, and answers with what"
    " was changed or with the problem that prevented it."
)
class Mutation(ClaimMutations, CertificationMutations, BulkMutations, ProductMutations, KeyMutations):
    """The root of mutations."""


schema = strawberry.Schema(query=Query, mutation=Mutation, config=StrawberryConfig(scalar_map=SCALARS))
