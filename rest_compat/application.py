"""The REST face as one ASGI application: finds the endpoint of a path and answers, refusals included.

Starlette's router would try the pattern of one path after the other, inside three layers that wait for exceptions;
that took half as long as a small answer. The paths are a tree here, and all that is raised comes out in one place.
"""

from itertools import groupby

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from domain.problem import ErrorPages
from rest_compat.endpoint import Endpoint
from rest_compat.imports import Importing
from rest_compat.manners import options, respond
from rest_compat.problem import refusals
from rest_compat.routes import ENDPOINTS


class _Place:
    """A part of a path, with what may follow it."""

    __slots__ = ("any", "endpoints", "fixed", "names")

    def __init__(self) -> None:
        self.fixed: dict[str, _Place] = {}
        self.any: _Place | None = None
        """What follows whatever the next part is: a parameter."""
        self.endpoints: dict[str, Endpoint] = {}
        """By method, where a path ends here."""
        self.names: tuple[str, ...] = ()
        """The parameters of that path."""


def _tree() -> _Place:
    root = _Place()
    for path, endpoints in groupby(ENDPOINTS, key=lambda endpoint: endpoint.path):
        place, names = root, []
        for part in path.split("/"):
            if part.startswith("{"):
                names.append(part[1:-1])
                place.any = place.any or _Place()
                place = place.any
            else:
                place = place.fixed.setdefault(part, _Place())
        place.endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        place.names = tuple(names)
    return root


class Rest:
    """Answers the endpoints of the route table. The edge has put the operation's context into the scope's state."""

    def __init__(self, error_pages: ErrorPages, imports: Importing) -> None:
        self._root = _tree()
        self._imports = imports
        self._refusals = refusals(error_pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; what nobody foresaw is raised."""
        request = Request(scope, receive)
        try:
            place = self._find(scope)
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            endpoint = place.endpoints.get(method)
            if endpoint is not None:
                scope["state"]["operation"] = endpoint
                scope["state"]["imports"] = self._imports
                response = await respond(request, endpoint)
            elif method == "OPTIONS":
                response = options(place.endpoints)
            else:
                raise HTTPException(405, headers={"Allow": options(place.endpoints).headers["Allow"]})
        except tuple(self._refusals) as error:
            response = next(show(request, error) for kind, show in self._refusals.items() if isinstance(error, kind))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> _Place:
        """Where the path leads; its parameters are then in the scope. Raises `HTTPException`."""
        place = self._root
        values = []
        for part in scope["path"].split("/"):
            following = place.fixed.get(part)
            if following is None:
                following = place.any
                if following is None or not part:
                    raise HTTPException(404)
                values.append(part)
            place = following
        if not place.endpoints:
            raise HTTPException(404)
        scope["path_params"] = dict(zip(place.names, values, strict=True))
        return place
