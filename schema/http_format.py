"""In which form a GraphQL request is answered: by its method, and by what it says it sends and takes."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from execution.errors import Refusal
from schema.http_request import NotGraphQL

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
ALLOW = "GET, HEAD, OPTIONS, POST"


class Format(NamedTuple):
    """How to answer: the media type, and whether the client is one that expects 200 for refused documents."""

    media_type: str
    legacy: bool


# Clients send few different values; judging them takes longer than the rest of this module.
@lru_cache(maxsize=64)
def answer_format(method: str, accept: bytes, content_type: bytes) -> Format | None:
    """How to answer; None to a question about methods. Raises `NotGraphQL` for what cannot be read or answered."""
    if method not in ("GET", "HEAD", "POST"):
        if method == "OPTIONS":
            return None
        raise NotGraphQL(405, "method_not_allowed", "GraphQL is asked by GET or POST; use POST.", {"Allow": ALLOW})
    chosen = negotiate(accept.decode("latin-1"))
    if chosen is None:
        detail = f"The answer is {GRAPHQL_RESPONSE} or {JSON}; name one of them in the Accept header."
        raise NotGraphQL(406, "not_acceptable", detail)
    if method == "POST":
        _require_json(content_type.decode("latin-1"))
    return chosen


def status_of(refusal: Refusal, form: Format) -> int:
    """The HTTP status of a request that was not run, or not to its end."""
    if refusal is Refusal.TIMEOUT:
        return 504
    if refusal is Refusal.UNAVAILABLE:
        return 503
    if refusal is Refusal.LIMIT:
        return 400
    return 200 if form.legacy else 400


def negotiate(accept: str) -> Format | None:
    """The format that an Accept header asks for (RFC 9110 section 12.5.1); None when it takes neither.

    Without a preference the answer is `application/json`, as the audit suite wants, but with true statuses.
    """
    if not accept.strip():
        return Format(JSON, legacy=False)
    ranges = list(_ranges(accept))
    best: tuple[float, int, bool] = (0, 0, False)
    chosen: Format | None = None
    for media_type in (GRAPHQL_RESPONSE, JSON):
        precisions = {media_type: 3, "application/*": 2, "*/*": 1}
        # How precisely the best matching range names it, and that range's quality.
        matches = [(precisions[name], quality) for name, quality in ranges if name in precisions]
        precision, quality = max(matches, default=(0, 0))
        named = precision == 3
        rank = (quality, precision, (media_type == GRAPHQL_RESPONSE) is named)
        if quality > 0 and rank > best:
            best, chosen = rank, Format(media_type, legacy=named and media_type == JSON)
    return chosen


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """The media ranges that can be read, with the quality of each."""
    for media_range in accept.split(","):
        name, parameters = _parse_header(media_range)
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            continue
        if 0 <= quality <= 1 and parameters.get("charset", "utf-8").lower() == "utf-8":
            yield name, quality


def _parse_header(value: str) -> tuple[str, dict[str, str]]:
    """A media type or range and its parameters, names in lower case; quoted separators are not expected."""
    name, *rest = value.split(";")
    pairs = (parameter.partition("=") for parameter in rest)
    return name.strip().lower(), {key.strip().lower(): text.strip().strip('"') for key, _, text in pairs}


def _require_json(content_type: str) -> None:
    name, parameters = _parse_header(content_type)
    refused = ""
    if name != JSON:
        refused = f"The body must be JSON; send it with the header Content-Type: {JSON}."
    elif parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        refused = "The body must be encoded in UTF-8; send it without a charset or with charset=utf-8."
    if refused:
        raise NotGraphQL(415, "unsupported_media_type", refused, {"Accept-Post": JSON})
