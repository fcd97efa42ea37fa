"""The GraphQL face: Strawberry types over the same operations as REST.

The objects behind the types are the domain's records themselves: a plain field is an attribute read, a relation is a
batched function from all parents at once.
"""

# Before any type names an enumeration, it has to be one of GraphQL's.
from schema import enums  # noqa: F401
