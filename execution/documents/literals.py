"""Documents that differ only in their numbers and texts share what was made of one of them.

Clients that paste values into a document make each one new. So a document is split into its shape, which is all but its
numbers and texts, and those literals. Of the first document of a shape, once another one comes, a template is made: it
has a variable of ours in the place of each literal that is a scalar of a field's argument. Another document
of the shape then needs its literals coerced, as graphql-core does it, and runs the programs of the template.

Nothing is refused here: whatever is not as it should be is read by itself, from its own text.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from graphql import (
    SKIP,
    DocumentNode,
    FloatValueNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    IntValueNode,
    NameNode,
    Source,
    StringValueNode,
    TokenKind,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    VariableNode,
    Visitor,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    parse_value,
    visit,
)
from graphql.utilities import coerce_input_literal

# A comment, a block string, a string, a number. Strings without an end are matched too, so that each character is
# looked at once. In the first text of a shape these are tokens of graphql-core's lexer (see `with_variables`). It then
# finds the same tokens in every other one: literals of the same kinds, none of which can run into what follows.
_LITERAL = re.compile(
    r"(#[^\n\r]*"
    r'|"""[^"\\]*+(?:(?:\\(?:""")?|"(?!""))[^"\\]*+)*+(?:""")?'
    r'|"[^"\\\n\r]*+(?:\\.[^"\\\n\r]*+)*+"?'
    r"|(?<![0-9A-Za-z_.])-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
)
_plain = re.compile(r'"[^"\\\n\r\ud800-\udfff]*"').fullmatch
"""A string that is what stands between its quotes."""

_KINDS = {TokenKind.INT, TokenKind.FLOAT, TokenKind.STRING, TokenKind.BLOCK_STRING}

Literals = Sequence[tuple[str, str]]
"""The kind and the value of each number and text, in the order of the document."""


class Split(NamedTuple):
    """A document's text, split."""

    shape: tuple[Any, ...]
    """Equal for documents that differ only in literals, and have equal ones in the same places: rules compare them."""
    literals: Literals


def split(source: str) -> Split | None:
    """The shape and the literals of a text; None if it has no literals, or one that cannot be read."""
    parts = _LITERAL.split(source)
    kinds = parts[1::2]
    literals: list[tuple[str, str]] = []
    for place, text in enumerate(kinds):
        if text[0] == "#":
            continue
        try:
            found = _read(text)
        except GraphQLSyntaxError:
            return None
        kinds[place] = found[0]
        literals.append(found)
    if not literals:
        return None
    first: dict[tuple[str, str], int] = {}
    equal = [first.setdefault(literal, place) for place, literal in enumerate(literals)]
    shape = (*parts[::2], *kinds, *(equal if len(first) < len(literals) else ()))
    return Split(shape, literals)


def _read(text: str) -> tuple[str, str]:
    if text[0] != '"':
        return ("int" if text.lstrip("-").isdigit() else "float"), text
    if _plain(text):
        return "string", text[1:-1]
    node: Any = parse_value(text)
    return ("block" if node.block else "string"), node.value


def _node(kind: str, value: str) -> IntValueNode | FloatValueNode | StringValueNode:
    if kind == "int":
        return IntValueNode(value=value)
    return FloatValueNode(value=value) if kind == "float" else StringValueNode(value=value, block=kind == "block")


class Slots(NamedTuple):
    """Where the literals of a template's documents go."""

    variables: Sequence[tuple[int, str, Any]]
    """Those that are variables: the number of the literal, the name of the variable and its type."""
    fixed: Sequence[tuple[int, tuple[str, str]]]
    """Those that have to be what they are in the template."""

    def values(self, literals: Literals) -> dict[str, Any] | None:
        """The values of the variables for another document; None if it has to be read by itself."""
        if not self.variables or any(literals[number] != literal for number, literal in self.fixed):
            return None
        values: dict[str, Any] = {}
        for number, name, type_ in self.variables:
            value = coerce_input_literal(_node(*literals[number]), type_)
            # A scalar that makes null of a text: a variable would be treated as if it were not given.
            if value is Undefined or value is None:
                return None
            values[name] = value
        return values


def with_variables(schema: GraphQLSchema, ast: DocumentNode, source: str) -> tuple[DocumentNode, Slots]:
    """The template of a valid document; without variables if its literals cannot be told apart from all else."""
    parts = split(source)
    tokens = []
    token = ast.loc and ast.loc.start_token
    while token:
        if token.kind in _KINDS:
            tokens.append((token.start, token.end))
        token = token.next
    if parts is None or tokens != spans(source):
        return ast, Slots((), ())
    type_info = TypeInfo(schema)
    places = _Places(type_info, {start: number for number, (start, _) in enumerate(tokens)})
    replaced: DocumentNode = visit(ast, TypeInfoVisitor(type_info, places))
    fixed = [(number, literal) for number, literal in enumerate(parts.literals) if number not in places.found]
    return replaced, Slots([(number, str(number), type_) for number, type_ in places.found.items()], fixed)


def spans(source: str) -> list[tuple[int, int]]:
    """Where the numbers and texts of a text stand."""
    return [match.span() for match in _LITERAL.finditer(source) if match[0][0] != "#"]


class _Places(Visitor):
    """Puts variables in the place of the scalars in the arguments of fields."""

    def __init__(self, type_info: TypeInfo, numbers: Mapping[int, int]) -> None:
        super().__init__()
        self._type_info = type_info
        self._numbers = numbers
        self.found: dict[int, Any] = {}
        """The types of those that were replaced, by their numbers."""

    def enter_variable_definition(self, *_: Any) -> Any:
        return SKIP

    def enter_directive(self, *_: Any) -> Any:
        return SKIP

    def _literal(self, node: Any, _key: Any, parent: Any, *_: Any) -> Any:
        type_ = self._type_info.get_input_type()
        if not is_leaf_type(get_nullable_type(type_)):
            return None
        # Within a list that is a scalar by itself, the type is that of the list.
        if isinstance(parent, list | tuple) and not is_list_type(
            get_nullable_type(self._type_info.get_parent_input_type())
        ):
            return None
        number = self._numbers[node.loc.start]
        self.found[number] = type_
        return VariableNode(name=NameNode(value=str(number)), loc=node.loc)

    enter_int_value = enter_float_value = enter_string_value = _literal


def placed(errors: Sequence[GraphQLError], template: str, source: str) -> list[GraphQLError]:
    """The errors of a template's run with the places that they have in another text of its shape."""
    ends, own = ([end for _, end in spans(text)] for text in (template, source))
    text = Source(source)

    def moved(position: int) -> int:
        before = bisect_right(ends, position)
        return position + own[before - 1] - ends[before - 1] if before else position

    return [
        GraphQLError(
            error.message,
            error.nodes,
            text,
            [moved(position) for position in error.positions or ()],
            error.path,
            error.original_error,
            error.extensions,
        )
        for error in errors
    ]
