"""Random documents for a schema: every kind of selection, in all positions.

Most are valid. A response key stands for one field with one set of arguments throughout a document, so that fields
of one key can be merged, with different selections below.
"""

from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

CONDITIONS = ("yes", "no", "unsaid", "said")


class DocumentMaker:
    """Makes one document and the variables for it."""

    def __init__(self, schema: GraphQLSchema, random: Random, *, max_depth: int = 5, size: int = 45) -> None:
        self._schema = schema
        self._random = random
        self._max_depth = max_depth
        self._left = random.randrange(3, size)
        self._keys: dict[str, str] = {}
        self._fragments: dict[str, tuple[str, str]] = {}
        self._definitions: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self._composites = [
            type_
            for name, type_ in schema.type_map.items()
            if not name.startswith("__")
            and (is_object_type(type_) or is_abstract_type(type_))
            and type_ not in (schema.query_type, schema.mutation_type)
        ]

    def make(self) -> str:
        random = self._random
        kind = "mutation" if random.random() < 0.15 else "query"
        root = self._schema.mutation_type if kind == "mutation" else self._schema.query_type
        body = self._selection(root, 0)
        fragments = "".join(f"\nfragment {name} on {on} {text}" for name, (on, text) in self._fragments.items())
        head = f"({', '.join(self._definitions.values())})" if self._definitions else ""
        return f"{kind} Asked{head} {body}{fragments}"

    def _selection(self, type_: Any, depth: int) -> str:
        random = self._random
        parts = [self._part(type_, depth) for _ in range(random.choice([1, 2, 3, 4, 6] if self._left > 0 else [1]))]
        return "{ " + " ".join(parts) + " }"

    def _part(self, type_: Any, depth: int) -> str:
        random = self._random
        self._left -= 1
        if self._left < 0 or depth >= self._max_depth:
            return self._field(type_, self._max_depth)
        chance = random.random()
        if chance < 0.1:
            return f"... {self._directives()} {self._selection(type_, depth)}"
        if chance < 0.25:
            on = self._overlapping(type_)
            return f"... on {on} {self._directives()} {self._selection(on, depth)}"
        if chance < 0.4 and type_ in self._composites:
            return f"...{self._fragment(type_, depth)} {self._directives()}"
        return self._field(type_, depth)

    def _field(self, type_: Any, depth: int) -> str:
        random = self._random
        fields: dict[str, GraphQLField] = getattr(type_, "fields", {})
        deep = depth >= self._max_depth
        names = [name for name, field in fields.items() if not deep or is_leaf_type(get_named_type(field.type))]
        if not names or random.random() < 0.1:
            return random.choice(["__typename", "kind: __typename"])
        name = random.choice(names)
        field = fields[name]
        key = name if random.random() < 0.7 else f"{name}{random.randrange(3)}"
        if key not in self._keys:
            self._keys[key] = self._arguments(field)
        text = name if key == name else f"{key}: {name}"
        text += f"{self._keys[key]} {self._directives()}"
        inner = get_named_type(field.type)
        return text if is_leaf_type(inner) else f"{text} {self._selection(inner, depth + 1)}"

    def _overlapping(self, type_: Any) -> Any:
        """A type that some objects of this type also have."""
        own = set(self._objects(type_))
        candidates = [each for each in self._composites if own & set(self._objects(each))] or [type_]
        return self._random.choice(candidates)

    def _objects(self, type_: Any) -> list[Any]:
        return list(self._schema.get_possible_types(type_)) if is_abstract_type(type_) else [type_]

    def _fragment(self, type_: Any, depth: int) -> str:
        random = self._random
        own = set(self._objects(type_))
        usable = [
            name
            for name, (on, text) in self._fragments.items()
            if text and own & set(self._objects(self._schema.type_map[on]))
        ]
        if usable and (random.random() < 0.6 or len(self._fragments) > 4):
            return random.choice(usable)
        name = f"F{len(self._fragments)}"
        on = self._overlapping(type_)
        # Not usable inside itself.
        self._fragments[name] = (str(on), "")
        self._fragments[name] = (str(on), self._selection(on, max(depth, self._max_depth - 2)))
        return name

    def _directives(self) -> str:
        random = self._random
        if random.random() < 0.8:
            return ""
        return " ".join(
            f"@{name}(if: {self._condition()})" for name in random.choice([["skip"], ["include"], ["include", "skip"]])
        )

    def _condition(self) -> str:
        choice = self._random.choice(["true", "false", *CONDITIONS])
        if choice in CONDITIONS:
            self._definitions[choice] = {
                "yes": "$yes: Boolean!",
                "no": "$no: Boolean!",
                "unsaid": f"$unsaid: Boolean = {self._random.choice(['true', 'false'])}",
                "said": "$said: Boolean! = false",
            }[choice]
            values = {"yes": True, "no": False, "said": True}
            if choice in values:
                self.variables[choice] = values[choice]
            elif self._random.random() < 0.05:
                self.variables[choice] = None
            return f"${choice}"
        return choice

    def _arguments(self, field: GraphQLField) -> str:
        given = [
            f"{name}: {self._value(argument.type, argument)}"
            for name, argument in field.args.items()
            if (is_non_null_type(argument.type) and not argument.default) or self._random.random() < 0.5
        ]
        return f"({', '.join(given)})" if given else ""

    def _value(self, type_: Any, argument: GraphQLArgument | None = None, depth: int = 0) -> str:
        random = self._random
        if argument is not None and random.random() < 0.4:
            return self._variable(type_)
        if is_non_null_type(type_):
            return self._literal(type_.of_type, depth)
        if random.random() < 0.1:
            return "null"
        return self._literal(type_, depth)

    def _literal(self, type_: Any, depth: int) -> str:
        random = self._random
        if is_non_null_type(type_):
            return self._literal(type_.of_type, depth)
        if is_list_type(type_):
            return "[" + ", ".join(self._value(type_.of_type, None, depth) for _ in range(random.randrange(3))) + "]"
        if is_enum_type(type_):
            return str(random.choice(list(type_.values)))
        if is_input_object_type(type_):
            members = [
                f"{name}: {self._value(field.type, None, depth + 1)}"
                for name, field in type_.fields.items()
                if random.random() < 0.5 and depth < 3
            ]
            # A member may be a variable too.
            return "{" + ", ".join(members) + "}"
        literals: dict[str, str] = {
            "Int": str(random.randrange(-3, 9)),
            "Boolean": random.choice(["true", "false"]),
            "String": random.choice(['"text"', '""', '"""block"""']),
            "ID": random.choice(['"id"', "12"]),
            "Date": '"2024-02-29"',
        }
        return literals.get(type_.name) or random.choice(["1", '"x"', "[1, {a: null}]"])

    def _variable(self, type_: Any) -> str:
        random = self._random
        name = f"v{len(self._definitions)}"
        named = str(type_).rstrip("!") if random.random() < 0.3 else str(type_)
        default = ""
        if random.random() < 0.5 or named != str(type_):
            default = f" = {self._literal(type_, 2)}"
        self._definitions[name] = f"${name}: {named}{default}"
        if not default or random.random() < 0.4:
            value = self._json(type_)
            if named != str(type_) and random.random() < 0.2:
                value = None
            self.variables[name] = value
        return f"${name}"

    def _json(self, type_: Any, depth: int = 0) -> Any:
        random = self._random
        if is_non_null_type(type_):
            return self._json_value(type_.of_type, depth)
        return None if random.random() < 0.15 else self._json_value(type_, depth)

    def _json_value(self, type_: Any, depth: int) -> Any:
        random = self._random
        if is_list_type(type_):
            return [self._json(type_.of_type, depth) for _ in range(random.randrange(3))]
        if is_enum_type(type_):
            return random.choice(list(type_.values))
        if is_input_object_type(type_):
            return {
                name: self._json(field.type, depth + 1)
                for name, field in type_.fields.items()
                if random.random() < 0.5 and depth < 3
            }
        return {
            "Int": random.randrange(-3, 9),
            "Boolean": random.random() < 0.5,
            "String": random.choice(["text", ""]),
            "ID": random.choice(["id", 12]),
            "Date": "2024-02-29",
        }.get(type_.name, random.choice([1, "x", [1, {"a": None}]]))
