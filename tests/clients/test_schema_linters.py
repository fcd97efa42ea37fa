"""Two independent linters look at the schema: graphql-schema-linter and graphql-eslint.

A finding is fixed in the schema, or its rule is switched off in the configuration with a reason beside it:
`.graphql-schema-linterrc.yaml` and `eslint.config.mjs` in this folder.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type

from tests.npm import run

SCHEMA = Path(__file__).parents[2] / "schema" / "schema.graphql"

DEFECT = '''
"""An entity that nobody can keep in a cache."""
type Defect {
  """Its name."""
  theName: String!
  """Its list."""
  others(first: Int, after: String): DefectConnection!
}

type DefectConnection {
  """Not what the specification calls it."""
  items: [Defect!]!
}

extend type Query {
  """It."""
  getDefect: Defect!
}
'''

Finding = tuple[str, str]


def schema_linter(folder: Path) -> list[Finding]:
    """The rule and message of what graphql-schema-linter finds in the folder's schema."""
    linted = run(folder, "graphql-schema-linter", "--format", "json", "schema.graphql")
    assert linted.returncode in (0, 1), linted.stdout + linted.stderr
    return [(found["rule"], found["message"]) for found in json.loads(linted.stdout)["errors"]]


def eslint(folder: Path) -> list[Finding]:
    """The rule and message of what graphql-eslint finds in the folder's schema."""
    linted = run(folder, "eslint", "--format", "json", "schema.graphql")
    assert linted.returncode in (0, 1), linted.stdout + linted.stderr
    (file,) = json.loads(linted.stdout)
    return [(found["ruleId"], found["message"]) for found in file["messages"]]


@pytest.mark.parametrize("linter", [schema_linter, eslint])
def test_linter_finds_nothing(linter: Callable[[Path], list[Finding]], tools: Path) -> None:
    assert linter(tools) == []


def test_what_edges_lead_to_are_nodes_but_for_changes_of_the_past() -> None:
    types = build_schema(SCHEMA.read_text()).type_map
    edges = [each for name, each in types.items() if name.endswith("Edge") and isinstance(each, GraphQLObjectType)]
    led_to = [cast("GraphQLObjectType", get_named_type(edge.fields["node"].type)) for edge in edges]
    assert len(led_to) > 5
    plain = {each.name for each in led_to if "Node" not in {interface.name for interface in each.interfaces}}
    assert plain == {"PastChange"}


def test_linters_would_find_defects(tools: Path) -> None:
    with (tools / "schema.graphql").open("a") as schema:
        schema.write(DEFECT)
    assert {rule for rule, _ in schema_linter(tools)} >= {"types-have-descriptions", "relay-connection-types-spec"}
    assert {rule.partition("/")[2] for rule, _ in eslint(tools)} >= {
        "naming-convention",
        "relay-connection-types",
        "require-description",
        "strict-id-in-types",
    }
