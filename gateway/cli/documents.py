"""Commands about GraphQL documents."""

from pathlib import Path
from typing import Any

import click

from gateway.cli.common import CallersPath, FailedCommand, on_database, print_table, read_settings


@click.group()
def documents() -> None:
    """Register GraphQL documents, so that clients can send their ids."""


@documents.command("register")
@click.argument("source", metavar="PATH", type=CallersPath(exists=True))
def register_documents(source: Path) -> None:
    """Register the documents in PATH, a file or a folder.

    They are .graphql files, and manifests (.json) of Apollo, graphql-codegen or Relay.
    Each is checked against the schema and the limits first; if one fails, none is registered.
    """
    from gateway.graphql import check_documents
    from gateway.trusted_documents import read_documents
    from resolvers import trusted_documents

    settings = read_settings()
    found = read_documents(source)
    check_documents(settings, found)

    added = on_database(settings, trusted_documents.register, found)
    print_table(("ID", "NAME"), ((f"sha256:{document.digest}", document.name) for document in found))
    print(f"Registered {added} new documents of {len(found)}.")


@documents.command("list")
def list_documents() -> None:
    """List the registered documents."""
    from resolvers import trusted_documents

    found = on_database(read_settings(), trusted_documents.every)
    rows = ((f"sha256:{item.digest}", f"{item.created_at:%Y-%m-%d}", item.name) for item in found)
    none = "No documents are registered; ./certgate documents register PATH does it."
    print_table(("ID", "REGISTERED", "NAME"), rows, none)


@documents.command("remove")
@click.argument("id")
def remove_document(id: str) -> None:
    """Forget the document of that ID, in every running server (see `keys revoke --help`)."""
    from resolvers import trusted_documents

    digest = id.removeprefix("sha256:")
    on_database(read_settings(), trusted_documents.remove, digest)
    print(f"The document sha256:{digest} is no longer registered.")


@click.command()
@click.argument("file", type=CallersPath(exists=True, dir_okay=False))
@click.option("--operation", metavar="NAME", help="Which operation of the document, if it has several.")
@click.option("--source", is_flag=True, help="Add the generated Python.")
@click.option(
    "--variables", metavar="JSON", help="Run the query with these, {} for none, and add the statements that it made."
)
@click.option("--organization", metavar="SLUG", default="demo", show_default=True, help="As whose reader it is run.")
def explain(file: Path, operation: str | None, source: bool, variables: str | None, organization: str) -> None:
    """Show how a GraphQL document would be run: its levels, batches and plain fields, its cost and its statements."""
    from execution.errors import RequestError
    from execution.executor import Executor
    from gateway.explained import statements
    from schema.schema import schema as graphql_schema

    # The plan that is told is that of an operation which comes again.
    executor = Executor(graphql_schema, run_uncompiled=-1)
    try:
        document = executor.prepare(file.read_text(encoding="utf-8"))
        chosen = document.select(operation)
        given = _variables(variables)
        conditions = {name: value for name, value in (given or {}).items() if isinstance(value, bool)}
        print(executor.explain(document, chosen, conditions, with_source=source))
        told = "with these variables" if given else "if no variable is given"
        print(f"\ncosts {chosen.cost.of(given or {}).cost} {told}:")
        for entry in chosen.cost.breakdown(given or {}):
            print(f"{entry['cost']:8}  {entry['path']}")
        if given is None:
            return
        made = on_database(read_settings(), statements, executor, document, chosen, given, organization)
    except RequestError as error:
        raise FailedCommand("\n".join(entry.message for entry in error.errors)) from error
    print(f"\nstatements: {len(made)}")
    for line in made:
        print(f"  {line}")


def _variables(text: str | None) -> dict[str, Any] | None:
    import json

    if text is None:
        return None
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise FailedCommand('--variables takes one JSON object, for example \'{"gtin": "00000080050698"}\'.')
    return given
