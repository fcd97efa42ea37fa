"""The GraphQL schema as clients see it: its committed text, and that everything in it is explained."""

from collections.abc import Iterator
from pathlib import Path

import graphql

from schema.schema import schema

FILE = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"


def test_the_committed_text_is_the_schema() -> None:
    # After a wanted change: ./certgate contracts
    assert FILE.read_text(encoding="utf-8").strip() == schema.as_str().strip()


def test_the_committed_text_is_a_schema_of_its_own() -> None:
    built = graphql.build_schema(FILE.read_text(encoding="utf-8"))
    assert graphql.validate_schema(built) == []
    assert built.query_type is not None
    assert built.mutation_type is not None


def unexplained() -> Iterator[str]:
    """What has no description."""
    built = schema._schema
    for name, kind in built.type_map.items():
        if name.startswith("__") or graphql.is_specified_scalar_type(kind):
            continue
        if not kind.description:
            yield name
        if isinstance(kind, graphql.GraphQLEnumType):
            yield from (f"{name}.{value}" for value, entry in kind.values.items() if not entry.description)
        if isinstance(kind, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType | graphql.GraphQLInputObjectType):
            for field, definition in kind.fields.items():
                if not definition.description:
                    yield f"{name}.{field}"
                if isinstance(definition, graphql.GraphQLField):
                    yield from (
                        f"{name}.{field}({argument})"
                        for argument, entry in definition.args.items()
                        if not entry.description
                    )


def test_everything_is_explained() -> None:
    assert list(unexplained()) == []


def test_every_problem_shows_the_problem_document() -> None:
    built = schema._schema
    problem = built.type_map["Problem"]
    assert isinstance(problem, graphql.GraphQLInterfaceType)
    assert {name: str(field.type) for name, field in problem.fields.items()} == {
        "type": "String!",
        "help": "String!",
        "title": "String!",
        "status": "Int!",
        "detail": "String!",
        "errorCode": "String!",
        "retryable": "Boolean!",
        "timestamp": "DateTime!",
    }


def test_the_result_of_every_mutation_is_a_union_of_one_success_and_problems() -> None:
    built = schema._schema
    assert built.mutation_type is not None
    problem = built.type_map["Problem"]
    assert isinstance(problem, graphql.GraphQLInterfaceType)
    for name, field in built.mutation_type.fields.items():
        result = graphql.get_named_type(field.type)
        assert isinstance(result, graphql.GraphQLUnionType), name
        assert [name for name in field.args if name != "policy"] == ["input", "dryRun"]
        refusals = {member.name for member in result.types if problem in member.interfaces}
        assert len(result.types) - len(refusals) == 1, name
        assert {"ForbiddenProblem", "ValidationProblem"} <= refusals, name


def test_what_members_of_inputs_have_in_common_is_read_once() -> None:
    # Reading it for each of them is a twentieth of a start.
    inputs = [kind for kind in schema._schema.type_map.values() if isinstance(kind, graphql.GraphQLInputObjectType)]
    fields = [field.extensions["strawberry-definition"] for kind in inputs for field in kind.fields.values()]
    read = {id(field.type_annotation): field.type_annotation.raw_annotation for field in fields}
    assert len(fields) > 2 * len(read)
    assert len(read) == len(set(read.values()))
    assert not any(field.repr or field.compare for field in fields)
