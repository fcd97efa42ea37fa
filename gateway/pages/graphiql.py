"""The GraphiQL page and its files: read once, served from memory to anybody.

The page holds nothing secret. Whoever opens it has a session cookie or types an API key, and the GraphQL face
judges those.
"""

import re
from itertools import takewhile
from pathlib import Path

import msgspec
from starlette.routing import Route

from gateway.pages.assets import TYPES, WEB, Asset, page_routes, policy, read_asset, served

GRAPHIQL = WEB / "graphiql"

# The one style that GraphiQL writes into the page: react-remove-scroll's, while a dialog or a menu is open.
# Its text depends on the width of the page's scroll bar, and app.css permits none, so its hash is known.
# The browser test opens a dialog to see that it still holds.
_DIALOG_STYLE = "'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='"

CONTENT_SECURITY_POLICY = policy(styles=f"'self' {_DIALOG_STYLE}")
"""What the page may load: this server's files, and the pictures and fonts inside the style sheets."""


class Example(msgspec.Struct, frozen=True):
    """An operation that the page offers; `variables` is JSON text, laid out as a person would."""

    title: str
    description: str
    query: str
    variables: str
    changes: bool
    """Whether it changes data."""


def read_examples(folder: Path = GRAPHIQL / "examples") -> list[Example]:
    """The operations of `folder` in the order of their file names.

    Each begins with comment lines: its title, then what it shows. Variables stand beside it, where it has any.
    """
    examples = []
    for file in sorted(folder.glob("*.graphql")):
        query = file.read_text(encoding="utf-8")
        comment = takewhile(lambda line: line.startswith("#"), query.splitlines())
        title, *description = (line.removeprefix("# ") for line in comment)
        values = file.with_suffix(".variables.json")
        variables = values.read_text(encoding="utf-8").strip() if values.exists() else ""
        changes = re.search(r"^mutation\b", query, re.MULTILINE) is not None
        examples.append(Example(title, " ".join(description), query, variables, changes))
    return examples


def graphiql_routes() -> list[Route]:
    """`/graphiql`, its files, and the icon that browsers ask for unasked. Raises `OSError` when a file is missing."""
    headers = {
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "referrer-policy": "same-origin",  # a link to the page may carry an operation
    }
    examples = Asset(msgspec.json.encode(read_examples()), TYPES[".json"], headers=headers)
    return [
        *page_routes("/graphiql", GRAPHIQL, headers, {"examples.json": examples}),
        served("/favicon.ico", read_asset(GRAPHIQL / "favicon.svg", headers)),
    ]
