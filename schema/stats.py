"""Statistics in GraphQL: how many assignments there are, by what they have in common and by when they lapse.

Certifications and claims have a field each, because they are grouped by different things: what cannot be asked together
is refused by the schema, where a client sees it before it asks.
"""

from collections.abc import Iterable
from datetime import date
from types import GenericAlias
from typing import Annotated, Any, get_args, get_type_hints

import strawberry
from strawberry.types.field import StrawberryField

from domain import records
from domain.filter_input import parse_where
from domain.lists import CERTIFICATION_ASSIGNMENTS, CLAIM_ASSIGNMENTS, List
from domain.short_id import ShortId
from domain.stats import (
    MAX_GROUPS,
    CertificationGroup,
    CertificationGrouping,
    ClaimGroup,
    ClaimGrouping,
    ExpiryBucket,
    Stats,
)
from domain.vocabulary import Vocabulary
from execution.markers import cost
from resolvers import certifications, claims, stats
from resolvers.definitions import Kind
from schema.classes import plain_field
from schema.context import Info
from schema.filters import where_input
from schema.inputs import plain_members
from schema.objects import CertificationBodyType, CertificationType, ClaimType
from schema.records import record_type, shown
from schema.times import IN_TIME, in_time

WEIGHT = 2_000
"""What one of these fields costs: it may have to look at every assignment there is, so a document has a few at most."""

_SHOWN = {
    records.CertificationBody: CertificationBodyType,
    records.Certification: CertificationType,
    records.Claim: ClaimType,
    ShortId: strawberry.ID,
}
_PERIOD = {
    "expires_from": "First day of the period in which they lapse; null without `bucket`, and for what never lapses.",
    "expires_to": "Last day of that period. With `expiresFrom` it is the range of `lapsesOn` that lists them.",
}


def _type(name: str, record: type, description: str, members: dict[str, tuple[Any, str]]) -> Any:
    annotations = {name: kind for name, (kind, _) in members.items()}
    fields = {name: plain_field(words, init=False) for name, (_, words) in members.items()}
    made = type(name, (), {"__doc__": description, "__annotations__": annotations, **fields})
    return record_type(record, name=name, description=description)(made)


def _stats_type(of: List, group: type, groupings: type[Vocabulary]) -> Any:
    """The answer for one kind of assignments. A group has a member for each grouping, and the period."""
    name, hints = f"{of.record.__name__}Stats", get_type_hints(group)
    members: dict[str, tuple[Any, str]] = {}
    for grouping in groupings:
        (kind,) = (each for each in get_args(hints[grouping.value]) if each is not type(None))
        members[grouping.value] = _SHOWN.get(kind, kind) | None, f"{grouping.__doc__} Null without `{grouping.name}`."
    for end, words in _PERIOD.items():
        members[end] = date | None, words
    members["count"] = int, "How many there are; never 0."
    members["product_count"] = int, "How many different products have them; counted where it is selected."
    told = (
        f"Some {of.called} that have something in common. A member by which they were not grouped is null;"
        " one by which they were is null where they lack it."
    )
    groups = _type(f"{name}Group", group, told, members)
    return _type(
        name,
        Stats,
        f"How many {of.called} there are.",
        {
            "total_count": (int, "How many pass the filter, each counted once."),
            "product_count": (int, "How many different products have them; counted where it is selected."),
            "groups": (
                GenericAlias(list, (groups,)),
                f"At most {MAX_GROUPS:,} groups: by period, what never lapses last; then by size, the largest first.",
            ),
            "truncated": (
                bool,
                f"Whether there are more than {MAX_GROUPS:,} groups; narrow them down with `where`.",
            ),
        },
    )


def _stats_field(
    of: List, kind: Kind[Any, Any], group: type, groupings: type[Vocabulary], words: str
) -> StrawberryField:
    """The root field that counts one kind of assignments."""
    where_type: Any = Annotated[
        where_input(of) | None, strawberry.argument(description=f"Which {of.called} to count; all if left out.")
    ]
    by_type: Any = Annotated[
        GenericAlias(list, (groupings,)) | None,
        strawberry.argument(description="What those counted together have in common; one group if left out."),
    ]
    bucket_type: Any = Annotated[
        ExpiryBucket | None,
        strawberry.argument(description="Count those apart that lapse in different periods of this length."),
    ]
    answer: Any = _stats_type(of, group, groupings) | None

    async def resolve(
        info: Info, where: where_type = None, group_by: by_type = None, bucket: bucket_type = None
    ) -> answer:
        operation = info.context.operation
        conditions = parse_where(of.fields, plain_members(where), operation.today)
        products = _selects(info.selected_fields, "productCount")
        found = await stats.assignment_stats(operation, kind, conditions, group_by or (), bucket, products=products)
        return shown(found)

    return strawberry.field(resolver=in_time(resolve), metadata=cost(weight=WEIGHT) | IN_TIME, description=words)


def _selects(selections: Iterable[Any], name: str) -> bool:
    """Whether a field of that name stands anywhere below."""
    return any(getattr(each, "name", "") == name or _selects(each.selections, name) for each in selections)


@strawberry.type
class StatsQueries:
    """The root fields that count."""

    certification_assignment_stats = _stats_field(
        CERTIFICATION_ASSIGNMENTS,
        certifications.KIND,
        CertificationGroup,
        CertificationGrouping,
        "How many certifications products hold, by any of status, body, certification, country, issuer, owner,"
        " brand and the period in which they lapse: for example how many certificates of each body lapse each month.",
    )
    claim_assignment_stats = _stats_field(
        CLAIM_ASSIGNMENTS,
        claims.KIND,
        ClaimGroup,
        ClaimGrouping,
        "How many claims products make, by any of source, category, claim, owner, brand and the period of their lapse.",
    )
