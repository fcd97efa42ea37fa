"""The contracts with clients as they stand in the repository: GraphQL's SDL and the OpenAPI documents."""

import json
import subprocess

from gateway.failures import Failure
from gateway.pages.assets import WEB
from gateway.settings import Settings
from rest_compat import compatibility as rest
from rest_compat.openapi import DOCUMENT_PATHS, document_text
from schema import compatibility as graphql
from schema.schema import schema

ROOT = WEB.parent
SDL = "schema/schema.graphql"
DOCUMENTS = {f"rest_compat/{api}.openapi.json": api for api in DOCUMENT_PATHS.values()}
"""File of each OpenAPI document below the root -> its API."""


def sdl() -> str:
    """The GraphQL schema as text."""
    return schema.as_str().rstrip("\n") + "\n"


def generated() -> dict[str, str]:
    """File below the root -> what the code says is in it; the documents as a server with no settings serves them."""
    type_base = Settings.model_fields["problem_type_base"].default
    documents = {file: document_text(api, "/", type_base).decode() + "\n" for file, api in DOCUMENTS.items()}
    return {SDL: sdl(), **documents}


def kept(revision: str | None = None) -> dict[str, str]:
    """File below the root -> its text in the working tree, where it may be missing, or in a revision of git.

    Raises `Failure` for a revision that does not have them all.
    """
    files = (SDL, *DOCUMENTS)
    if revision is None:
        return {file: (ROOT / file).read_text("utf-8") for file in files if (ROOT / file).is_file()}
    return {file: _in_git(revision, file) for file in files}


def _in_git(revision: str, file: str) -> str:
    command = ["git", "show", "--end-of-options", f"{revision}:./{file}"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip()
        raise Failure(f"git does not show {file} of {revision} ({said}); name a revision that has it.") from error
    return done.stdout


def judge(before: dict[str, str], after: dict[str, str]) -> graphql.Findings:
    """What clients of the contracts `before` would notice of those `after`."""
    breaks, notes = graphql.compare(before[SDL], after[SDL]) if SDL in before else ([], [])
    for file in sorted(DOCUMENTS.keys() & before):
        breaks += rest.compare(json.loads(before[file]), json.loads(after[file]))
    return graphql.Findings(breaks, notes)
