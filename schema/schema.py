"""The schema, put together from the topics. `schema.graphql` beside this file is its printed form, kept by a test."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema.bodies import CertificationBodyQueries
from schema.certifications import CertificationMutations, CertificationQueries
from schema.claims import ClaimMutations, ClaimQueries
from schema.products import ProductMutations, ProductQueries
from schema.scalars import SCALARS
from schema.viewer import ViewerQueries

Query = merge_types(
    "Query", (ProductQueries, CertificationQueries, ClaimQueries, CertificationBodyQueries, ViewerQueries)
)
Mutation = merge_types("Mutation", (ClaimMutations, CertificationMutations, ProductMutations))

schema = strawberry.Schema(query=Query, mutation=Mutation, config=StrawberryConfig(scalar_map=SCALARS))
