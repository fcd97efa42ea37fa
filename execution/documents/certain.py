"""What is valid beyond doubt, found out in one pass over a document.

graphql-core walks through a document once for each of two groups of rules and again for variables, and asks thirty
rules at each node. Here the usual is looked at once: fields, arguments, literals, variables, fragments, `@skip` and
`@include`. Whatever is wrong, or not usual, is left to graphql-core, so this knows no errors and says none.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLBoolean,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    do_types_overlap,
    get_named_type,
    is_composite_type,
    is_equal_type,
    is_input_type,
    is_required_argument,
    is_required_input_field,
    is_type_sub_type_of,
    type_from_ast,
)
from graphql.utilities import coerce_input_literal

from execution.documents.limits import MAX_ITEMS

_UNUSUAL = (NullValueNode, ListValueNode, ObjectValueNode)


class _Doubt(Exception):
    """The document is not valid, or not usual."""


class _Input(NamedTuple):
    """An argument or a member of an input object."""

    type: Any
    has_default: bool


class _Known(NamedTuple):
    """What the schema says of a field."""

    type: Any
    inner: Any
    """What is selected from; None if it is a scalar or enum."""
    inputs: dict[str, _Input]
    required: frozenset[str]


_CONDITION = _Input(GraphQLNonNull(GraphQLBoolean), has_default=False)
_TYPENAME = _Known(GraphQLNonNull(GraphQLString), None, {}, frozenset())
_Part = tuple[SelectionSetNode, Any, tuple[str, ...]]
"""A selection, the type that it is asked of, and the fragments around it."""


class QuickPass:
    """Tells of documents for one schema whether they are valid beyond doubt.

    `max_comparisons` is what graphql-core may spend on comparing fields of one name: where it might need more, there is
    doubt.
    """

    def __init__(self, schema: GraphQLSchema, max_comparisons: int) -> None:
        self.schema = schema
        self.max_comparisons = max_comparisons
        self._fields: dict[tuple[str, str], _Known] = {}
        self._members: dict[str, tuple[dict[str, _Input], frozenset[str]]] = {}

    def is_certain(self, document: DocumentNode) -> bool:
        """Whether graphql-core would find nothing wrong with a document."""
        try:
            _Pass(self, document).run()
        except (_Doubt, RecursionError):
            return False
        return True

    def field(self, parent: Any, name: str) -> _Known:
        """What is known of a field."""
        found = self._fields.get((parent.name, name))
        if found is None:
            definition = getattr(parent, "fields", {}).get(name)
            if definition is None:
                raise _Doubt
            inner = get_named_type(definition.type)
            required = frozenset(name for name, each in definition.args.items() if is_required_argument(each))
            found = self._fields[parent.name, name] = _Known(
                definition.type, inner if is_composite_type(inner) else None, _inputs(definition.args), required
            )
        return found

    def members(self, type_: GraphQLInputObjectType) -> tuple[dict[str, _Input], frozenset[str]]:
        """The members of an input object, and which of them are required."""
        found = self._members.get(type_.name)
        if found is None:
            if type_.is_one_of or getattr(type_.extensions.get("strawberry-definition"), "is_one_of", False):
                raise _Doubt
            required = frozenset(name for name, each in type_.fields.items() if is_required_input_field(each))
            found = self._members[type_.name] = _inputs(type_.fields), required
        return found


def _inputs(definitions: dict[str, Any]) -> dict[str, _Input]:
    return {
        name: _Input(each.type, each.default is not None or each.default_value is not Undefined)
        for name, each in definitions.items()
    }


class _Pass:
    """The pass over one document."""

    def __init__(self, known: QuickPass, document: DocumentNode) -> None:
        self._known = known
        self._schema = known.schema
        self._document = document
        self._fragments: dict[str, tuple[FragmentDefinitionNode, Any]] = {}
        self._spread: set[str] = set()
        self._variables: dict[str, tuple[Any, bool]] = {}
        """Of an operation, with their types and whether they have a default that is not null."""
        self._used: set[str] = set()
        self._steps = self._compared = 0

    def run(self) -> None:
        operations: dict[str | None, OperationDefinitionNode] = {}
        for node in self._document.definitions:
            if node.directives:  # type: ignore[attr-defined]
                raise _Doubt
            if isinstance(node, OperationDefinitionNode):
                _add(operations, node.name and node.name.value, node)
            elif isinstance(node, FragmentDefinitionNode) and not node.variable_definitions:
                type_ = self._schema.get_type(node.type_condition.name.value)
                _add(self._fragments, node.name.value, (node, type_))
            else:
                raise _Doubt
        if not operations or (None in operations and len(operations) > 1):
            raise _Doubt
        for operation in operations.values():
            self._operation(operation)
        self._compare(0)
        if len(self._spread) < len(self._fragments):
            raise _Doubt

    def _operation(self, node: OperationDefinitionNode) -> None:
        root = self._schema.get_root_type(node.operation)
        if root is None:
            raise _Doubt
        self._variables, self._used = {}, set()
        for each in node.variable_definitions or ():
            type_ = type_from_ast(self._schema, each.type)
            if each.directives or not is_input_type(type_):
                raise _Doubt
            if each.default_value is not None:
                self._value(each.default_value, _Input(type_, has_default=False))
            _add(self._variables, each.variable.name.value, (type_, each.default_value is not None))
        self._selections([(node.selection_set, root, ())])
        if len(self._used) < len(self._variables):
            raise _Doubt

    def _selections(self, parts: list[_Part]) -> None:
        """Whatever is selected of an object, in one place or in several that are merged."""
        found: dict[str, tuple[FieldNode, _Known]] = {}
        below: dict[str, list[_Part]] = {}
        for selection_set, type_, around in parts:
            for selection in selection_set.selections:
                self._steps += 1
                if selection.directives:
                    self._conditions(selection.directives)
                if not isinstance(selection, FieldNode):
                    parts.append(self._fragment(selection, type_, around))
                    continue
                name = selection.name.value
                known = _TYPENAME if name == "__typename" else self._known.field(type_, name)
                if selection.arguments or known.required:
                    self._named(selection.arguments or (), known.inputs, known.required)
                key = selection.alias.value if selection.alias else name
                first = found.setdefault(key, (selection, known))
                if first[0] is not selection:
                    self._repeated(first, selection, known)
                if (selection.selection_set is None) != (known.inner is None):
                    raise _Doubt
                if selection.selection_set is not None:
                    below.setdefault(key, []).append((selection.selection_set, known.inner, around))
        for inner in below.values():
            self._selections(inner)

    def _fragment(self, node: Any, parent: Any, around: tuple[str, ...]) -> _Part:
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name in around or name not in self._fragments or node.arguments:
                raise _Doubt
            node, type_ = self._fragments[name]
            around = (*around, name)
            self._spread.add(name)
            self._compare(1)
        else:
            condition = node.type_condition
            type_ = parent if condition is None else self._schema.get_type(condition.name.value)
        if type_ is not parent and not (is_composite_type(type_) and do_types_overlap(self._schema, type_, parent)):
            raise _Doubt
        return node.selection_set, type_, around

    def _repeated(self, first: tuple[FieldNode, _Known], node: FieldNode, known: _Known) -> None:
        """One more field of a key, which has to be the same in every way that is looked at."""
        if node.name.value != first[0].name.value or node.arguments or first[0].arguments:
            raise _Doubt
        if not is_equal_type(known.type, first[1].type):
            raise _Doubt
        self._compare(1)

    def _compare(self, more: int) -> None:
        # At most so often all that is selected is compared with each that is spread or repeated.
        self._compared += more
        if 4 * self._compared * (self._steps + 10) > self._known.max_comparisons:
            raise _Doubt

    def _conditions(self, directives: Sequence[DirectiveNode]) -> None:
        names = set()
        for directive in directives:
            names.add(directive.name.value)
            arguments = directive.arguments or ()
            if len(arguments) != 1 or arguments[0].name.value != "if":
                raise _Doubt
            value = arguments[0].value
            if isinstance(value, VariableNode):
                self._variable(value.name.value, _CONDITION)
            elif not isinstance(value, BooleanValueNode):
                raise _Doubt
        if len(names) < len(directives) or not names <= {"skip", "include"}:
            raise _Doubt

    def _named(self, nodes: Iterable[Any], inputs: dict[str, _Input], required: frozenset[str]) -> None:
        """Arguments, or members of an input object."""
        given = set()
        for node in nodes:
            name = node.name.value
            if name not in inputs or name in given:
                raise _Doubt
            given.add(name)
            self._value(node.value, inputs[name])
        if not required <= given:
            raise _Doubt

    def _value(self, node: ValueNode, place: _Input) -> None:
        """A variable, or a literal in which variables may stand."""
        type_ = place.type.of_type if isinstance(place.type, GraphQLNonNull) else place.type
        if isinstance(node, VariableNode):
            self._variable(node.name.value, place)
        elif isinstance(type_, GraphQLList):
            items = node.values if isinstance(node, ListValueNode) else (node,)
            if len(items) > MAX_ITEMS:
                raise _Doubt
            for item in items:
                self._value(item, _Input(type_.of_type, has_default=False))
        elif isinstance(type_, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
            self._named(node.fields, *self._known.members(type_))
        # Not every place that may be null may be null for Strawberry.
        elif isinstance(node, _UNUSUAL) or coerce_input_literal(node, type_) is Undefined:
            raise _Doubt

    def _variable(self, name: str, place: _Input) -> None:
        type_, has_default = self._variables.get(name, (None, False))
        if type_ is None:
            raise _Doubt
        self._used.add(name)
        wanted = place.type
        if isinstance(wanted, GraphQLNonNull) and not isinstance(type_, GraphQLNonNull):
            if not has_default and not place.has_default:
                raise _Doubt
            wanted = wanted.of_type
        if not is_type_sub_type_of(self._schema, type_, wanted):
            raise _Doubt


def _add(found: dict[Any, Any], name: Any, value: Any) -> None:
    if name in found:
        raise _Doubt
    found[name] = value
