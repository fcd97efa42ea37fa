"""From the bytes of a GraphQL request to its members."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from domain.strict_json import (
    MAX_PARTS,
    NamedTwice,
    NestedTooDeeply,
    NotJson,
    TooMuch,
    count_names,
    decode,
    is_too_much,
    names_in,
)

MEMBERS = ("query", "documentId", "operationName", "variables", "extensions")
_MAPS = ("variables", "extensions")


class NotGraphQL(Exception):
    """The request is refused before any GraphQL was looked at."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}


class GraphQLRequest(msgspec.Struct, rename={"document_id": "documentId", "operation_name": "operationName"}):
    """The members of a well-formed request: a text, or the id of one that was registered; never both.

    With neither, `extensions` holds a persisted query.
    """

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


class _Variables(msgspec.Struct, forbid_unknown_fields=True):
    variables: dict[str, Any]


_decode_members = msgspec.json.Decoder(GraphQLRequest).decode
_decode_variables = msgspec.json.Decoder(_Variables).decode


def read_body(body: bytes) -> GraphQLRequest:
    """The request in a POST body; null is the same as absent, unknown members are ignored.

    It may be that of others, too, whose bodies were the same, and is not to be changed.
    """
    return _read_small(body) if len(body) <= _SMALL else _read(body)


def _read(body: bytes) -> GraphQLRequest:
    return _known_request(body) or _plain_request(body) or _any_request(body)


_SMALL = 1_024
_read_small = lru_cache(maxsize=256)(_read)


def _known_request(body: bytes) -> GraphQLRequest | None:
    """The request, if what stands in front of its variables came before: the document, which need not be read again.

    What is an object with a brace behind one part of a text, and one with a brace in front of the other, is the object
    of both; where the first says nothing of variables and the second of nothing else, no name is given twice.
    """
    at = body.find(b'"variables"')
    # What is longer is looked at as a whole, and not kept.
    if at < 0 or len(body) > MAX_PARTS:
        return None
    known = _before_variables(body[:at])
    if known is None:
        return None
    rest = b"{" + body[at:]
    try:
        variables = _decode_variables(rest).variables
        is_plain = names_in(rest) == 1 + count_names(variables)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return GraphQLRequest(known.query, None, known.operation_name, variables) if is_plain else None


@lru_cache(maxsize=256)
def _before_variables(text: bytes) -> GraphQLRequest | None:
    """The request of an object that goes on behind this text; None if it needs a look as a whole."""
    members, comma, blanks = text.rpartition(b",")
    request = _plain_request(members + b"}") if comma and not blanks.strip(b" \t\r\n") else None
    return None if request is None or request.variables is not None or request.extensions is not None else request


def _plain_request(body: bytes) -> GraphQLRequest | None:
    """The request, if nothing about its body needs a second look."""
    if len(body) > MAX_PARTS and is_too_much(body):
        return None
    try:
        request = _decode_members(body)
        names = (request.query is not None) + (request.operation_name is not None)
        for member in (request.variables, request.extensions):
            if member is not None:
                names += 1 + count_names(member)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    # Fewer are known here than stand in the text when one is given twice, is null, or has no meaning.
    is_plain = request.query is not None and request.document_id is None and names == names_in(body)
    return request if is_plain else None


def _any_request(body: bytes) -> GraphQLRequest:
    if not body:
        raise _bad_request("The body is empty; send a JSON object with the member query.")
    members = _decode(body, "The body")
    if type(members) is not dict:
        raise _bad_request("The body must be one JSON object with the member query; batches are not supported.")
    return _request(members)


def read_query_string(query_string: bytes) -> GraphQLRequest:
    """The request in a URL, where an empty string is the same as absent and maps are JSON texts."""
    members: dict[str, Any] = {}
    for name, text in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        if name not in MEMBERS or not text:
            continue
        if name in members:
            raise _bad_request(f"The parameter {name} is given twice; give it once.")
        members[name] = _decode(text.encode(), f"The parameter {name}") if name in _MAPS else text
    return _request(members)


def _request(members: dict[str, Any]) -> GraphQLRequest:
    query, document_id, extensions = members.get("query"), members.get("documentId"), members.get("extensions")
    if query is None and document_id is None and persisted_query(extensions) is None:
        raise _bad_request("The member query is missing; put the GraphQL document into it.")
    if type(query) is not str and query is not None:
        raise _bad_request("The member query must be a string, the GraphQL document.")
    if document_id is not None:
        if not isinstance(document_id, str):
            raise _bad_request("The member documentId must be a string, the id of a registered document.")
        if query is not None:
            raise _bad_request("The members query and documentId both name a document; send one of them.")
    name = members.get("operationName")
    if type(name) is not str and name is not None:
        raise _bad_request("The member operationName must be a string; leave it out if there is one operation.")
    variables = members.get("variables")
    for member, value in (("variables", variables), ("extensions", extensions)):
        if type(value) is not dict and value is not None:
            raise _bad_request(f"The member {member} must be a JSON object; leave it out if there are none.")
    return GraphQLRequest(query, document_id, name, variables, extensions)


def persisted_query(extensions: Any) -> str | None:
    """The id of a document in `extensions: {persistedQuery: {version: 1, sha256Hash: "..."}}`.

    Apollo's and urql's own links send hashes in this way.
    """
    entry = extensions.get("persistedQuery") if type(extensions) is dict else None
    digest = entry.get("sha256Hash") if type(entry) is dict else None
    return f"sha256:{digest}" if type(digest) is str else None


def _decode(text: bytes, what: str) -> Any:
    try:
        return decode(text)
    except TooMuch:
        detail = f"{what} has more than {MAX_PARTS} names, lists and objects; send less in one request."
        raise _bad_request(detail) from None
    except NamedTwice as error:
        raise _bad_request(f"{what} has the name {error.name} twice in one object; give it once.") from None
    except NestedTooDeeply:
        raise _bad_request(f"{what} is nested too deeply; nest fewer levels.") from None
    except NotJson:
        raise _bad_request(f"{what} is not valid JSON in UTF-8; check its quotes, commas and encoding.") from None


def _bad_request(detail: str) -> NotGraphQL:
    return NotGraphQL(400, "bad_request", detail)
