"""What is known beforehand of objects, by the class that stands for their type."""

from typing import Any, cast

from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.union import StrawberryUnion

from execution.markers import COMPUTED, Computed
from execution.plan.outputs import is_plain
from execution.plan.plan import FieldKind, FieldPlan, ObjectPlan, ValuePlan


def record_of(plan: ObjectPlan) -> type | None:
    """The class of the objects, if they are all instances of one (see `execution.markers`)."""
    found: type | None = getattr(plan.type.is_type_of, "instance_of", None)
    return found


def class_of(plan: ObjectPlan) -> type | None:
    """The class by which Strawberry knows at once that an object is of a type, unless it was cast to another."""
    definition: Any = plan.type.extensions.get("strawberry-definition")
    if (
        isinstance(definition, StrawberryObjectDefinition)
        and not (definition.is_type_of or definition.concrete_of or definition.is_graphql_generic)
        and vars(definition.origin).get("__strawberry_definition__") is definition
        and is_plain(definition.origin)
    ):
        return definition.origin
    return None


def union_classes(place: ValuePlan) -> dict[type, ObjectPlan]:
    """The plans of a union by the classes that are known."""
    union = getattr(place.type, "extensions", {}).get("strawberry-definition")
    if not isinstance(union, StrawberryUnion) or type(union).get_type_resolver is not StrawberryUnion.get_type_resolver:
        return {}
    found = {class_of(plan): plan for plan in place.objects.values()}
    return {known: plan for known, plan in found.items() if known is not None}


def computed(field: FieldPlan) -> Computed | None:
    """How a field follows from members of its object, if that is all and it is given no arguments."""
    if field.kind is not FieldKind.RESOLVER or field.nodes[0].arguments:
        return None
    made: Computed | None = cast("Any", field.field).metadata.get(COMPUTED)
    return made


def is_lasting(plan: ObjectPlan) -> bool:
    """Whether what is made of an object depends on nothing else, and the same objects come again."""
    return getattr(plan.type.is_type_of, "lasting", False) and all(
        field.kind is FieldKind.TYPENAME
        or ((made := computed(field)) is not None and not made.on_day)
        or (
            field.kind is FieldKind.ATTRIBUTE
            and (field.value.is_leaf or all(map(is_lasting, field.value.objects_within())))
        )
        for field in plan.fields
    )
