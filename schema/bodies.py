"""Certification bodies in GraphQL."""

import strawberry

from domain.lists import BODIES
from resolvers import bodies
from schema import lists
from schema.inputs import by_id_or_code
from schema.objects import CertificationBodyType


@strawberry.type
class CertificationBodyQueries:
    """The root fields about certification bodies."""

    certification_body = by_id_or_code(
        CertificationBodyType,
        bodies.KIND,
        "One certification body by its id or by its code; null when there is none.",
        "`ECOCERT`",
    )

    certification_bodies = lists.definitions_field(
        BODIES, bodies.KIND, CertificationBodyType, "Certification bodies, page by page."
    )
