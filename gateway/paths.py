"""Paths below a path: behind a proxy that strips a part of them, or mounted in another ASGI application."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.types import Scope


def own_path(scope: Scope) -> str:
    """The path as our routes know it, without ASGI's `root_path`, below which something else has put us."""
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return path.removeprefix(root) if root else path


def below(request: Request, path: str) -> str:
    """Where a browser finds one of our paths. The edge has put what a proxy strips into `root_path`."""
    return quote(request.scope.get("root_path", "")) + path
