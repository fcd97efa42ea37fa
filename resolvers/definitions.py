"""The definitions, the same for bodies, certifications and claims; and what differs between the kinds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from db.assignments import Assignments
from db.definitions import Defined
from domain.errors import NotFound
from domain.filters import Where, matches
from domain.records import Certification, CertificationAssignment, CertificationBody, Claim, ClaimAssignment
from domain.short_id import ShortId
from domain.validation import parse_filter
from resolvers.operation import Context, read_operation

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


@dataclass(frozen=True)
class Kind(DefinitionKind[D], Generic[D, A]):
    """What differs between certifications, which a product holds, and claims, which it carries."""

    stored: Assignments[D, A]
    verb: tuple[str, str]
    """Plain, and as of the third person."""
    called: Callable[[D], str]
    """How a refusal names a definition."""


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
