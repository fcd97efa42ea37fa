"""The definitions, the same for bodies, certifications and claims; and what differs between the kinds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from heapq import nlargest
from itertools import pairwise
from typing import Generic, TypeVar

from db.assignments import Assignments
from db.definitions import Defined
from db.engine.database import Database, Transaction
from domain.errors import NotFound
from domain.filters import Where, matches
from domain.records import Certification, CertificationAssignment, CertificationBody, Claim, ClaimAssignment
from domain.short_id import ShortId, is_short_id
from domain.text import fold
from domain.validation import parse_filter
from resolvers.operation import Context, read_operation
from resolvers.reading import Source

D = TypeVar("D", bound=Certification | Claim)
E = TypeVar("E", bound=CertificationBody | Certification | Claim)
A = TypeVar("A", bound=CertificationAssignment | ClaimAssignment)


@dataclass(frozen=True)
class DefinitionKind(Generic[E]):
    """A kind of definitions."""

    stored: Defined[E]
    noun: str
    plural: str

    def unknown(self, id: ShortId) -> NotFound:
        """The refusal when nothing of this kind has that id, or nothing that the caller may see."""
        return NotFound(f"No {self.noun} has the id {id}; take it from the list of {self.plural}.")

    async def id_of(self, source: Database | Transaction, named: str, organization_ids: Sequence[ShortId]) -> ShortId:
        """The id of what is named by its id, whether there is such a one or not, or by its code.

        A code is looked for among what these organisations may see. Raises `NotFound`, which tells what is called
        nearly so.
        """
        if is_short_id(named):
            return named
        found = await self.stored.find_by_code(source.database, named, organization_ids)
        if found is None:
            near = nearest(named, await self.stored.every(source.database, organization_ids))
            meant = f"did you mean {' or '.join(near)}?" if near else f"take it from the list of {self.plural}."
            raise NotFound(f"No {self.noun} has the code {named}; {meant}")
        return found.id


LOOKED_AT = 100
"""Characters of a name that nobody has, which are compared with those that there are."""


def nearest(named: str, definitions: Sequence[CertificationBody | Certification | Claim]) -> list[str]:
    """The codes of at most three definitions whose code or label is nearly what was written."""
    called: dict[str, str] = {}
    for each in definitions:
        if each.code:
            called[fold(each.code)] = each.code
            called.setdefault(fold(getattr(each, "label", "")), each.code)
    written = fold(named[:LOOKED_AT])
    # Comparing letter by letter takes milliseconds for all names, and a request may hold a hundred that are unknown.
    pairs = {*pairwise(written)}
    likely = nlargest(12, called, key=lambda name: len(pairs.intersection(_pairs(name))))
    return list(dict.fromkeys(called[name] for name in get_close_matches(written, likely, n=3)))


@lru_cache(maxsize=4_096)
def _pairs(name: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(name))


@dataclass(frozen=True)
class Kind(DefinitionKind[D], Generic[D, A]):
    """What differs between certifications, which a product holds, and claims, which it carries."""

    stored: Assignments[D, A]
    verb: tuple[str, str]
    """Plain, and as of the third person."""
    called: Callable[[D], str]
    """How a refusal names a definition."""

    @cached_property
    def rows(self) -> Source:
        """The assignments of products, as they are read."""
        return Source(self.stored.by_product)


@read_operation
async def definition(context: Context, kind: DefinitionKind[E], id: ShortId) -> E | None:
    """The definition of that id, if it is global or the caller's own."""
    return await kind.stored.find(context.database, id, context.caller.organization_ids)


@read_operation
async def definition_of_code(context: Context, kind: DefinitionKind[E], code: str) -> E | None:
    """The definition of that code, the caller's own before the global one.

    Raises `InvalidInput` when no code can be like that.
    """
    return await kind.stored.find_by_code(context.database, parse_filter(code, "code"), context.caller.organization_ids)


@read_operation
async def existing_definition(context: Context, kind: DefinitionKind[E], id: ShortId) -> E:
    """The definition of that id, if it is global or the caller's own. Raises `NotFound`."""
    found = await kind.stored.find(context.database, id, context.caller.organization_ids)
    if found is None:
        raise kind.unknown(id)
    return found


@read_operation
async def definitions_that_match(context: Context, kind: DefinitionKind[E], where: Where) -> list[E]:
    """The definitions that the caller may see that pass the filter, in no order."""
    every = await kind.stored.every(context.database, context.caller.organization_ids)
    return [item for item in every if matches(where, item)]
