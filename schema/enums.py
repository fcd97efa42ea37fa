"""The vocabulary's enumerations in GraphQL, explained as they are there."""

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from domain.vocabulary import Vocabulary


def enum_type(vocabulary: type[Vocabulary]) -> None:
    """Makes a GraphQL enumeration of it; its docstring and those of its values become the descriptions."""
    strawberry.enum(vocabulary, description=vocabulary.__doc__)
    definition: StrawberryEnumDefinition = vocabulary.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = vocabulary[value.name].__doc__
