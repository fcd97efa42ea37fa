"""The API reference for people: the page at `/docs`, and one page for each kind of refusal. Served to anybody."""

import html
import json
import re
from collections.abc import Mapping

from starlette.routing import Route

from domain.problem import KINDS
from gateway.pages.assets import (
    TYPES,
    WEB,
    Asset,
    page_routes,
    policy,
    served,
    served_by_name,
    without_last_slash,
)
from gateway.pages.header import header, loads
from rest_compat.problem import example

REFERENCE = WEB / "reference"
ERRORS = WEB.parent / "docs" / "errors.md"

CONTENT_SECURITY_POLICY = policy()


def headers_at(server: str) -> dict[str, str]:
    """The headers of what is served to anybody at that public address; it may be empty."""
    catalogue = f'<{server}/.well-known/api-catalog>; rel="api-catalog"'
    return {"content-security-policy": CONTENT_SECURITY_POLICY, "link": catalogue}


_row = re.compile(r"^\| `(?P<code>\w+)` \| \d{3} \| (?:yes|no) \| (?P<text>.+) \|$", re.MULTILINE)


def explanations(document: str) -> dict[str, str]:
    """Error code -> what `docs/errors.md` says of it: Markdown with nothing but code spans."""
    return {row["code"]: row["text"] for row in _row.finditer(document)}


def reference_routes(server: str, type_base: str) -> list[Route]:
    """`/docs`, its files, `/docs/errors` and a page for each code. Raises `OSError` when a file is missing."""
    headers = headers_at(server)
    said = explanations(ERRORS.read_text(encoding="utf-8"))
    known = {code: said[code] for code in KINDS if code in said}
    errors = {code: _page(_error(code, text, type_base), headers) for code, text in known.items()}
    return [
        served("/docs/errors", _page(_index(known), headers)),
        Route("/docs/errors/", without_last_slash),
        served_by_name("/docs/errors", "error code", errors),
        *page_routes("/docs", REFERENCE, headers),
    ]


def _error(code: str, text: str, type_base: str) -> tuple[str, str, str]:
    kind = KINDS[code]
    again = "The same request can succeed later." if kind.retryable else "The same request will be refused again."
    shown = json.dumps(example(code, "…", type_base), indent=2, ensure_ascii=False)
    body = f"""<h1>{html.escape(kind.title)}</h1>
      <p><code>{code}</code>, HTTP status {kind.status}. {again}</p>
      <p>{_inline(text)}</p>
      <pre tabindex="0">{html.escape(shown)}</pre>
      <p>Every answer has an <code>X-Request-ID</code>: quote it when you report something.</p>
      <p><a href="../errors">All kinds of refusals</a></p>"""
    return kind.title, "../", body


def _index(known: Mapping[str, str]) -> tuple[str, str, str]:
    rows = "\n".join(
        f'        <tr><td><a href="errors/{code}"><code>{code}</code></a></td><td>{KINDS[code].status}</td>'
        f"<td>{_inline(text)}</td></tr>"
        for code, text in known.items()
    )
    body = f"""<h1>Refusals</h1>
      <p>A refusal is a document of type <code>application/problem+json</code> (RFC 9457). Programs branch on its
      <code>error_code</code>.</p>
      <table>
        <tr><th>code</th><th>status</th><th>what happened, and what to do</th></tr>
{rows}
      </table>"""
    return "Refusals", "", body


def _page(content: tuple[str, str, str], headers: Mapping[str, str]) -> Asset:
    title, up, body = content
    text = f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>{html.escape(title)} · certgate</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="{up}favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="{up}app.css">
    {loads(f"{up}../")}
  </head>
  <body class="text">
{header(f"{up}../", "docs")}
    <main>
      {body}
    </main>
  </body>
</html>
"""
    return Asset(text.encode(), TYPES[".html"], headers=headers)


def _inline(markdown: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(markdown))
