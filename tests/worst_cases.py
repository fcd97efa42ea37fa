"""Generates GraphQL requests that ask for as much as they may: valid documents, grown until a limit refuses them.

A request is a tree of fields, of which everything about it is drawn from the schema. `grown` changes one thing of it: a
field more, the same field again under an alias, a longer page, a larger filter, the children as a fragment.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    value_from_ast_untyped,
)

VALUES: dict[str, list[Any]] = {
    "Int": [0, 1, 25, 99, 100],
    "Boolean": [True, False],
    "String": ["a", "ä" * 40, "00012345678905", "US", ""],
    "ID": ["4PvT7omjSiHBwbg2L9QQRf", "x"],
    "Date": ["2026-11-22", "9999-12-31"],
    "DateTime": ["2026-11-22T12:00:00Z"],
}


@dataclass
class Asked:
    """A field of the request."""

    type: GraphQLObjectType
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    children: list["Asked"] = field(default_factory=list)
    spread: bool = False
    """Whether its children stand in a fragment."""
    conditional: bool = False
    """Whether a variable decides about it."""

    def copy(self) -> "Asked":
        """The same again, to be changed by itself."""
        return replace(self, children=[child.copy() for child in self.children])

    def all(self) -> list["Asked"]:
        """It and everything below it."""
        return [self, *(below for child in self.children for below in child.all())]


class Generator:
    """Makes requests and lets them grow."""

    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self._schema = schema
        self._random = random
        root = schema.query_type
        assert root is not None
        self._root = root

    def new(self) -> Asked:
        """A small request."""
        return Asked(self._root, "", {}, [self._field(self._root, 3)])

    def read(self, text: str) -> Asked:
        """The request of a document with one query."""
        [operation] = parse(text).definitions
        assert isinstance(operation, OperationDefinitionNode)
        return Asked(self._root, "", {}, list(self._read(operation.selection_set, self._root)))

    def _read(self, selections: SelectionSetNode, type_: GraphQLObjectType) -> Iterator[Asked]:
        for node in selections.selections:
            if isinstance(node, InlineFragmentNode):
                assert node.type_condition is not None
                concrete = self._schema.get_type(node.type_condition.name.value)
                assert isinstance(concrete, GraphQLObjectType)
                yield from self._read(node.selection_set, concrete)
            elif isinstance(node, FieldNode):
                arguments = {each.name.value: value_from_ast_untyped(each.value) for each in node.arguments or ()}
                asked = Asked(type_, node.name.value, arguments)
                below = self.result_type(asked)
                if node.selection_set is not None and below is not None:
                    asked.children = list(self._read(node.selection_set, below))
                yield asked

    def grown(self, request: Asked) -> Asked:
        """A copy, with some changes."""
        copied = request.copy()
        for _ in range(self._random.choice((1, 1, 2, 4, 8))):
            chosen = self._random.choice(copied.all())
            match self._random.randrange(7):
                case 0 | 1:
                    self._add(chosen)
                case 2 if chosen.children:
                    again = self._random.choice(chosen.children)
                    chosen.children += [again.copy() for _ in range(self._random.choice((1, 2, 5, 10)))]
                case 3 if chosen.children and len(chosen.children) > 1:
                    chosen.children.remove(self._random.choice(chosen.children))
                case 4 if chosen.name:
                    chosen.arguments = self._arguments(self._definition(chosen))
                case 5:
                    chosen.spread = not chosen.spread and bool(chosen.children)
                case 6 if chosen.name:
                    chosen.conditional = not chosen.conditional
        return copied

    def body(self, request: Asked) -> dict[str, Any]:
        """What is sent: input objects as variables or as literals."""
        writing = _Writing(self)
        text = writing.selections(request)
        declared = "".join(f" ${name}: {type_}" for name, type_ in writing.declared.items())
        text = f"query W{f'({declared})' if declared else ''} {text} {' '.join(writing.fragments.values())}"
        return {"query": text, "variables": writing.variables}

    def _definition(self, asked: Asked) -> GraphQLField:
        found = self._schema.get_field(asked.type, asked.name)
        assert found is not None
        return found

    def result_type(self, asked: Asked) -> GraphQLObjectType | None:
        """The object that a field gives; None for a scalar. Of an interface or a union one of its types."""
        if not asked.name:
            return self._root
        named = get_named_type(self._definition(asked).type)
        if is_leaf_type(named):
            return None
        if is_abstract_type(named):
            return asked.children[0].type if asked.children else self._schema.get_possible_types(named)[0]
        return named if isinstance(named, GraphQLObjectType) else None

    def condition(self, asked: Asked) -> str:
        """The type that the children of an abstract field are asked of."""
        named = get_named_type(self._definition(asked).type) if asked.name else self._root
        found = self.result_type(asked)
        return found.name if is_abstract_type(named) and found else ""

    def _add(self, asked: Asked) -> None:
        type_ = self.result_type(asked)
        if type_ is None:
            return
        if self._random.random() < 0.3:
            asked.children += [Asked(type_, name) for name, f in type_.fields.items() if self._is_plain(f)]
        asked.children.append(self._field(type_, self._random.choice((1, 2, 3))))

    def _is_plain(self, definition: GraphQLField) -> bool:
        return is_leaf_type(get_named_type(definition.type)) and not definition.args

    def _field(self, type_: GraphQLObjectType, depth: int) -> Asked:
        names = list(type_.fields)
        name = self._random.choice(names)
        if depth <= 0 and not self._is_plain(type_.fields[name]):
            name = next((each for each in names if self._is_plain(type_.fields[each])), name)
        made = Asked(type_, name, self._arguments(type_.fields[name]))
        below = get_named_type(type_.fields[name].type)
        if is_abstract_type(below):
            below = self._random.choice(self._schema.get_possible_types(below))
        if isinstance(below, GraphQLObjectType):
            made.children = [self._field(below, depth - 1) for _ in range(self._random.choice((1, 1, 2)))]
        return made

    def _arguments(self, definition: GraphQLField) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, argument in definition.args.items():
            if name in ("last", "before", "after"):
                continue
            if name == "first":
                given[name] = self._random.choice((1, 10, 25, 50, 75, 100))
            elif is_non_null_type(argument.type) or self._random.random() < 0.5:
                given[name] = self._value(argument.type, self._random.choice((0, 1, 2, 3)))
        return given

    def _value(self, type_: GraphQLInputType, depth: int) -> Any:
        inner: Any = type_.of_type if is_non_null_type(type_) else type_
        if is_list_type(inner):
            size = self._random.choice((1, 2, 10, 50, 100))
            one = self._value(inner.of_type, depth - 1)
            return [one] * size if self._random.random() < 0.5 else [self._value(inner.of_type, depth - 1)] * size
        if isinstance(inner, GraphQLEnumType):
            return self._random.choice(list(inner.values))
        if not isinstance(inner, GraphQLInputObjectType):
            return self._random.choice(VALUES.get(inner.name, ["a"]))
        names = [name for name, member in inner.fields.items() if is_non_null_type(member.type)]
        if depth > 0:
            names += self._random.sample(sorted(inner.fields), min(len(inner.fields), self._random.choice((1, 2, 4))))
        return {name: self._value(inner.fields[name].type, depth - 1) for name in dict.fromkeys(names)}


class _Writing:
    def __init__(self, generator: Generator) -> None:
        self.declared: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self.fragments: dict[str, str] = {}
        self._generator = generator

    def selections(self, asked: Asked) -> str:
        """The selection set of a field."""
        texts: dict[str, str] = {}
        for child in asked.children:
            text = self._field(child)
            # What is asked for twice in different ways needs a name of its own.
            key = child.name
            while texts.get(key, text) != text or (key in texts and child.children):
                key = f"{child.name}_{len(texts)}"
            texts[key] = text
        found = " ".join(text if key == self._name(text) else f"{key}: {text}" for key, text in texts.items())
        condition = self._generator.condition(asked)
        if asked.spread:
            type_ = self._generator.result_type(asked)
            assert type_ is not None
            for name, text in self.fragments.items():
                if text == f"fragment {name} on {type_.name} {{ {found} }}":
                    return f"{{ ...{name} }}"
            name = f"F{len(self.fragments)}"
            self.fragments[name] = f"fragment {name} on {type_.name} {{ {found} }}"
            return f"{{ ...{name} }}"
        return f"{{ ... on {condition} {{ {found} }} }}" if condition else f"{{ {found} }}"

    def _name(self, text: str) -> str:
        return text.split("(", maxsplit=1)[0].split(" ", maxsplit=1)[0]

    def _field(self, asked: Asked) -> str:
        given = "".join(f" {name}: {self._argument(asked, name, value)}" for name, value in asked.arguments.items())
        text = f"{asked.name}({given})" if given else asked.name
        if asked.conditional:
            self.declared["shown"], self.variables["shown"] = "Boolean!", True
            text += " @include(if: $shown)"
        return f"{text} {self.selections(asked)}" if asked.children else text

    def _argument(self, asked: Asked, name: str, value: Any) -> str:
        if not isinstance(value, dict | list):
            type_ = get_named_type(asked.type.fields[asked.name].args[name].type)
            return str(value) if is_enum_type(type_) else json.dumps(value, ensure_ascii=False)
        type_text = str(asked.type.fields[asked.name].args[name].type)
        for variable, known in self.variables.items():
            if known == value and self.declared[variable] == type_text:
                return f"${variable}"
        variable = f"v{len(self.variables)}"
        self.declared[variable], self.variables[variable] = type_text, value
        return f"${variable}"
