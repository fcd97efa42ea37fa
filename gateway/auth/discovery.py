"""What an authorization server says of itself (RFC 8414, OpenID Connect Discovery), fetched within bounds."""

import json
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT_SECONDS = 5

FETCH_ERRORS = (OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What urllib, JSON and unexpected documents raise."""

_MAX_BYTES = 1024 * 1024
# RFC 8414 puts the well-known name before the issuer's path, OpenID Connect behind it.
_PLACES = ("{issuer}/.well-known/openid-configuration", "{origin}/.well-known/oauth-authorization-server{path}")


def metadata_of(issuer: str) -> dict[str, Any]:
    """The metadata of an issuer, with https addresses where its own is. Raises `FETCH_ERRORS`; runs in a thread."""
    parts = urlsplit(issuer)
    words = {"issuer": issuer.rstrip("/"), "origin": f"{parts.scheme}://{parts.netloc}", "path": parts.path.rstrip("/")}
    failure: Exception = LookupError("no metadata")
    for template in _PLACES:
        try:
            metadata: dict[str, Any] = fetch_json(template.format(**words))
        except (OSError, HTTPException, ValueError) as error:
            failure = error
            continue
        if metadata["issuer"] != issuer:
            raise ValueError(f"its metadata are those of {metadata['issuer']!r}")
        for name in ("jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint"):
            if parts.scheme == "https" and not str(metadata.get(name, "https://")).startswith("https://"):
                raise ValueError(f"its {name} is without https")
        return metadata
    raise failure


class _NoRedirects(HTTPRedirectHandler):
    """A redirect could lead from https to http, or to another host."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follows none: the answer is an error like any other."""


def fetch_json(url: str) -> Any:
    """The JSON at an address. Raises `FETCH_ERRORS`; runs in a thread."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("their address is not one of the web")
    request = Request(url, headers={"Accept": "application/json"})  # noqa: S310 - judged above
    with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_SECONDS) as answer:
        return json.loads(answer.read(_MAX_BYTES))
