"""Files as browsers get them: read once, served from memory to anybody, compressed, with an ETag."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.preconditions import is_known
from gateway.pages.header import filled
from gateway.paths import below, own_path

WEB = Path(__file__).resolve().parents[2] / "web"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
REVALIDATE = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"


def policy(styles: str = "'self'") -> str:
    """A Content-Security-Policy: this server's files, and the pictures and fonts inside the style sheets."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src {styles}",
            "connect-src 'self'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


@dataclass(frozen=True)
class Asset:
    """One file as it is served. `cache_control` is for ever only where the name carries the version."""

    content: bytes
    content_type: str
    cache_control: str = REVALIDATE
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def gzipped(self) -> bytes:
        """The content compressed, once, when it is first asked for."""
        return gzip.compress(self.content, mtime=0)

    @cached_property
    def digest(self) -> str:
        """What a strong ETag says of the content."""
        return hashlib.sha256(self.content).hexdigest()[:32]


def read_asset(file: Path, headers: Mapping[str, str], cache_control: str = REVALIDATE) -> Asset:
    """The file as an asset, its type by its suffix. Raises `OSError` when it is missing."""
    return Asset(file.read_bytes(), TYPES[file.suffix], cache_control, headers)


def served(path: str, asset: Asset) -> Route:
    """The asset at one path, for GET and HEAD."""
    # A plain function: Starlette runs it in a thread, where compressing a megabyte holds up nobody.
    return Route(path, lambda request: answer(request, asset))


def served_by_name(path: str, what: str, assets: Mapping[str, Asset]) -> Route:
    """The assets below a path by their names; `what` says what they are to who asks for another name."""

    def named(request: Request) -> Response:
        asset = assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404, f"There is no {what} {request.path_params['name']!r}; open {path} instead.")
        return answer(request, asset)

    return Route(f"{path}/{{name}}", named)


def page_routes(
    path: str, folder: Path, headers: Mapping[str, str], more: Mapping[str, Asset] | None = None
) -> list[Route]:
    """The page in a folder of `web` at that path; below it, its files, those of its manifest, the licences, and more.

    Reads every file at once; raises `OSError` when one is missing.
    """
    files = {name: read_asset(folder / name, headers) for name in ("app.js", "app.css", "favicon.svg")}
    for entry in json.loads((folder / "manifest.json").read_bytes())["files"]:
        file = folder / entry["file"]
        files[file.name] = read_asset(file, headers, FOR_EVER)
    files["licences.txt"] = read_asset(folder / "licences" / "THIRD_PARTY.txt", headers)
    page = (folder / "index.html").read_text(encoding="utf-8")
    return [
        served(path, Asset(filled(page, path[1:]).encode(), TYPES[".html"], headers=headers)),
        Route(f"{path}/", without_last_slash),
        served_by_name(path, f"file below {path}", {**files, **(more or {})}),
    ]


def without_last_slash(request: Request) -> Response:
    """To the page itself, whose addresses are relative to its own."""
    return RedirectResponse(below(request, own_path(request.scope).rstrip("/")), 308)


def answer(request: Request, asset: Asset) -> Response:
    """The asset, compressed where the client takes it; 304 where the client has it already."""
    zipped = accepts_gzip(request.headers.get("accept-encoding", ""))
    # A strong tag names the bytes sent, so each coding of a file has its own (RFC 9110, 8.8.3.3).
    tag = f"{asset.digest}-gzip" if zipped else asset.digest
    headers = {
        "etag": f'"{tag}"',
        "cache-control": asset.cache_control,
        "vary": "Accept-Encoding",
        **asset.headers,
    }
    if is_known(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    body = asset.content
    if zipped:
        body = asset.gzipped
        headers["content-encoding"] = "gzip"
    headers["content-type"] = asset.content_type
    headers["content-length"] = str(len(body))
    return Response(b"" if request.method == "HEAD" else body, headers=headers)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip, by name or as `*`, has a weight above zero (RFC 9110, 12.5.3)."""
    weights: dict[str, str] = {}
    for coding in accept_encoding.lower().split(","):
        name, _, parameter = coding.partition(";")
        weights[name.strip()] = parameter.strip().removeprefix("q=")
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0.") != "" or weight == ""
