"""The GraphiQL page and its files: read once, served from memory to anybody.

The page holds nothing secret. Whoever opens it has a session cookie or types an API key, and the GraphQL face
judges those.
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

GRAPHIQL = Path(__file__).resolve().parent.parent / "web" / "graphiql"

# The one style that GraphiQL writes into the page: react-remove-scroll's, while a dialog or a menu is open.
# Its text depends on the width of the page's scroll bar, and app.css permits none, so its hash is known.
# The browser test opens a dialog to see that it still holds.
_DIALOG_STYLE = "'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {_DIALOG_STYLE}",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""What the page may load: this server's files, and the pictures and fonts inside the style sheets."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_REVALIDATE = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file as it is served. `cache_control` is for ever only where the name carries the version."""

    content: bytes
    content_type: str
    cache_control: str = _REVALIDATE

    @cached_property
    def gzipped(self) -> bytes:
        """The content compressed, once, when it is first asked for."""
        return gzip.compress(self.content, mtime=0)

    @cached_property
    def digest(self) -> str:
        """What a strong ETag says of the content."""
        return hashlib.sha256(self.content).hexdigest()[:32]


class Example(msgspec.Struct, frozen=True):
    """An operation that the page opens with; `variables` is JSON text, laid out as a person would."""

    title: str
    description: str
    query: str
    variables: str


def read_examples(folder: Path = GRAPHIQL / "examples") -> list[Example]:
    """The operations of `folder` in the order of their file names.

    Each begins with comment lines: its title, then what it shows.
    """
    examples = []
    for file in sorted(folder.glob("*.graphql")):
        query = file.read_text(encoding="utf-8")
        comment = takewhile(lambda line: line.startswith("#"), query.splitlines())
        title, *description = (line.removeprefix("# ") for line in comment)
        variables = file.with_suffix(".variables.json").read_text(encoding="utf-8").strip()
        examples.append(Example(title, " ".join(description), query, variables))
    return examples


def graphiql_routes() -> list[BaseRoute]:
    """`/graphiql` and `/graphiql/{file}`, for GET and HEAD.

    Reads every file at once; raises `OSError` when one is missing.
    """
    page = _read(GRAPHIQL / "index.html")
    assets = {name: _read(GRAPHIQL / name) for name in ("app.js", "app.css", "favicon.svg")}
    for entry in json.loads((GRAPHIQL / "manifest.json").read_bytes())["files"]:
        file = GRAPHIQL / entry["file"]
        assets[file.name] = _read(file, _FOR_EVER)
    assets["examples.json"] = Asset(msgspec.json.encode(read_examples()), _TYPES[".json"])
    assets["licences.txt"] = _read(GRAPHIQL / "licences" / "THIRD_PARTY.txt")

    # Plain functions: Starlette runs them in a thread, where compressing a megabyte holds up nobody.
    def graphiql(request: Request) -> Response:
        return _answer(request, page)

    def graphiql_file(request: Request) -> Response:
        name = request.path_params["file"]
        if name not in assets:
            raise HTTPException(404, f"There is no file {name!r} below /graphiql; open /graphiql instead.")
        return _answer(request, assets[name])

    return [Route("/graphiql", graphiql), Route("/graphiql/{file}", graphiql_file)]


def _read(file: Path, cache_control: str = _REVALIDATE) -> Asset:
    return Asset(file.read_bytes(), _TYPES[file.suffix], cache_control)


def _answer(request: Request, asset: Asset) -> Response:
    zipped = _accepts_gzip(request.headers.get("accept-encoding", ""))
    # A strong tag names the bytes sent, so each coding of a file has its own (RFC 9110, 8.8.3.3).
    etag = f'"{asset.digest}-gzip"' if zipped else f'"{asset.digest}"'
    headers = {
        "etag": etag,
        "cache-control": asset.cache_control,
        "vary": "Accept-Encoding",
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "referrer-policy": "same-origin",  # a link to the page may carry an operation
    }
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    body = asset.content
    if zipped:
        body = asset.gzipped
        headers["content-encoding"] = "gzip"
    headers["content-type"] = asset.content_type
    headers["content-length"] = str(len(body))
    return Response(b"" if request.method == "HEAD" else body, headers=headers)


def _accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip, by name or as `*`, has a weight above zero (RFC 9110, 12.5.3)."""
    weights: dict[str, str] = {}
    for coding in accept_encoding.lower().split(","):
        name, _, parameter = coding.partition(";")
        weights[name.strip()] = parameter.strip().removeprefix("q=")
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0.") != "" or weight == ""


def _matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison against a list of tags or `*` (RFC 9110, 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]
