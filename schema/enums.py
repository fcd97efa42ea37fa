"""The enumerations of the domain in GraphQL, explained as they are there."""

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from domain import paging, stats, vocabulary  # noqa: F401 - each declares some


def _enum_type(enumeration: type[vocabulary.Vocabulary]) -> None:
    """Makes a GraphQL enumeration of it; its docstring and those of its values become the descriptions."""
    strawberry.enum(enumeration, description=enumeration.__doc__)
    definition: StrawberryEnumDefinition = enumeration.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = enumeration[value.name].__doc__


for _enumeration in vocabulary.Vocabulary.__subclasses__():
    _enum_type(_enumeration)
