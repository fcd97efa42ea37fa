"""Commands about what clients rely on: the GraphQL schema and the OpenAPI documents."""

from pathlib import Path

import click

from gateway.cli.common import CallersPath, FailedCommand


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["sdl", "json"]),
    help='sdl: the schema definition language; json: the result of introspection, {"__schema": ...}.'
    " Without it, json for an output that ends in .json and sdl otherwise.",
)
@click.option(
    "--output",
    type=CallersPath(dir_okay=False, writable=True),
    help="Write to this file instead of standard output.",
)
def schema(form: str | None, output: Path | None) -> None:
    """Print the GraphQL schema, for code generators and other tools."""
    import json

    from graphql import build_schema, introspection_from_schema

    from gateway.contracts import sdl

    text = sdl()
    if form == "json" or (form is None and output is not None and output.suffix.lower() == ".json"):
        # Of the text, so that both forms say the same.
        introspected = introspection_from_schema(build_schema(text), experimental_directive_deprecation=False)
        text = json.dumps(introspected, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")


@click.command()
@click.option("--check", is_flag=True, help="Write nothing, and fail if a file is not what the code says.")
@click.option(
    "--since",
    metavar="REVISION",
    help="Write nothing, compare with this revision of git, and fail if its clients would break.",
)
def contracts(check: bool, since: str | None) -> None:
    """Write the GraphQL schema and the OpenAPI documents of the repository, and say what clients would notice."""
    from gateway.contracts import ROOT, generated, judge, kept

    before, after = kept(since), generated()
    breaks, notes = judge(before, after)
    for sentence in [*(f"Breaks clients: {sentence}" for sentence in breaks), *notes]:
        print(sentence)
    stale = [file for file, text in after.items() if before.get(file) != text]
    if since is not None:
        if breaks:
            raise FailedCommand(f"Clients of {since} would break.")
    elif check and stale:
        raise FailedCommand(f"{', '.join(stale)}: not what the code says; write them anew with ./certgate contracts.")
    else:
        for file in stale:
            (ROOT / file).write_text(after[file], encoding="utf-8")
            print(f"Wrote {file}.")
