"""What clients of one OpenAPI document would notice of the next one.

For documents that `rest_compat.openapi` makes: parameters stand at operations, alternatives in `anyOf`. Schemas are
compared in one way for both directions: every value of one side must fit the other. What is sent has fitted the old
schema and must fit the new one; what is answered fits the new one and must fit the old one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "minLength", "minItems", "minProperties")
_ALIKE = ("pattern", "format")
"""Which of two is the wider one is not told; any other than before counts as narrower and as wider."""

_PARTS = {"items": "[]", "additionalProperties": ".*", "propertyNames": " (names)"}
"""Keyword of a schema inside a schema -> how the place is written."""


def compare(before: Json, after: Json) -> list[str]:
    """One sentence for each change that would break clients of the document `before`."""
    return list(dict.fromkeys(_Comparison(before, after).breaks()))


class _Comparison:
    """Two documents, and what was found about the components that both have."""

    def __init__(self, before: Json, after: Json) -> None:
        self._before = before
        self._after = after
        self._components: dict[tuple[str, bool], list[str]] = {}

    def breaks(self) -> Iterator[str]:
        for path, operations in self._before["paths"].items():
            for method, old in operations.items():
                where = f"{method.upper()} {path}"
                new = self._after["paths"].get(path, {}).get(method)
                if new is None:
                    yield f"{where} was removed."
                else:
                    yield from self._operation(where, old, new)

    def _operation(self, where: str, old: Json, new: Json) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{where}: its operationId, after which generated clients name it, was {old['operationId']}."
        for credential in old["security"]:
            if credential not in new["security"]:
                yield f"{where}: {' with '.join(credential)} no longer suffices."
        yield from self._parameters(where, old, new)
        before, after = old.get("requestBody", {}), new.get("requestBody", {})
        if after.get("required") and not before.get("required"):
            yield f"{where}: a body is required now."
        yield from self._content(f"{where}: the body", before, after, True)
        yield from self._responses(where, old["responses"], new["responses"])

    def _parameters(self, where: str, old: Json, new: Json) -> Iterator[str]:
        olds, news = (
            {(parameter["in"], parameter["name"]): parameter for parameter in parameters}
            for parameters in (
                [_resolved(self._before, each) for each in old["parameters"]],
                [_resolved(self._after, each) for each in new["parameters"]],
            )
        )
        for place, name in sorted(olds.keys() - news.keys()):
            yield f"{where}: the {place} parameter {name} was removed."
        for (place, name), after in news.items():
            before = olds.get((place, name), {})
            if after.get("required") and not before.get("required"):
                yield f"{where}: the {place} parameter {name} is required now."
            if before:
                yield from self._schema(f"{where}: {name}", before["schema"], after["schema"], True)

    def _responses(self, where: str, old: Json, new: Json) -> Iterator[str]:
        for status in sorted(new.keys() - old.keys()):
            if status < "400":
                yield f"{where}: may now answer {status}."
        for status, response in old.items():
            if status not in new:
                yield f"{where}: no longer answers {status}."
                continue
            before, after = _resolved(self._before, response), _resolved(self._after, new[status])
            yield from self._content(f"{where}: the answer {status}", before, after, False)
            headers = after.get("headers", {})
            for name, header in before.get("headers", {}).items():
                if name not in headers:
                    yield f"{where}: the answer {status} no longer has the header {name}."
                    continue
                one, other = _resolved(self._before, header), _resolved(self._after, headers[name])
                yield from self._schema(f"The header {name}", one["schema"], other["schema"], False)

    def _content(self, where: str, old: Json, new: Json, sent: bool) -> Iterator[str]:
        before, after = old.get("content", {}), new.get("content", {})
        for media_type, content in before.items():
            if media_type in after:
                yield from self._schema(where, content["schema"], after[media_type]["schema"], sent)
            else:
                yield f"{where} is no longer {media_type}."

    def _schema(self, where: str, old: Json, new: Json, sent: bool) -> Iterator[str]:
        defaults = old.get("default"), new.get("default")
        if sent and defaults[0] != defaults[1]:
            yield _changed(where, "default", *defaults)
        olds, news = _alternatives(self._before, old), _alternatives(self._after, new)
        for value in olds if sent else news:
            pairs = [(value, other) if sent else (other, value) for other in (news if sent else olds)]
            fitting = [self._alternative(where, *pair, sent) for pair in pairs if _may_fit(*pair, sent)]
            if fitting:
                yield from min(fitting, key=len)
            else:
                kind = value.get("type", "anything")
                yield f"{where}: {kind} is no longer taken." if sent else f"{where}: may now be {kind}."

    def _alternative(self, where: str, old: Json, new: Json, sent: bool) -> list[str]:
        """What breaks between two schemas without alternatives; a component is looked at once a direction."""
        reference = old.get("$ref", "")
        if not reference or reference != new.get("$ref"):
            return list(self._rules(where, old, new, sent))
        key = reference, sent
        if key not in self._components:
            self._components[key] = []  # what it finds of itself inside itself
            self._components[key] = list(self._rules(reference.rpartition("/")[2], old, new, sent))
        return self._components[key]

    def _rules(self, where: str, old: Json, new: Json, sent: bool) -> Iterator[str]:
        wide, narrow = (old, new) if sent else (new, old)
        for keyword in (*_UPPER, *_LOWER, *_ALIKE):
            if _is_narrower(keyword, wide.get(keyword), narrow.get(keyword)):
                yield _changed(where, keyword, old.get(keyword), new.get(keyword))
        yield from _values(where, wide, narrow, sent)
        yield from self._members(where, old, new, sent)
        for keyword, place in _PARTS.items():
            if keyword in narrow and wide.get(keyword) is not False:
                yield from self._schema(where + place, _part(old, keyword), _part(new, keyword), sent)

    def _members(self, where: str, old: Json, new: Json, sent: bool) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name in after:
                yield from self._schema(f"{where}.{name}", schema, after[name], sent)
            else:
                yield f"{where}.{name} was removed."
        required, was_required = new.get("required", []), old.get("required", [])
        if sent:
            yield from (f"{where}.{name} is required now." for name in required if name not in was_required)
        else:
            missing = (name for name in was_required if name in after and name not in required)
            yield from (f"{where}.{name} may be missing now." for name in missing)


def _resolved(document: Json, node: Json) -> Json:
    """What a reference leads to, which still says where it was found; anything else as it is."""
    if "$ref" not in node:
        return node
    found: Any = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **node}


def _alternatives(document: Json, schema: Json) -> list[Json]:
    """The schemas without `anyOf` and with at most one type, of which a value fits one."""
    schema = _resolved(document, schema)
    if "anyOf" in schema:
        return [found for each in schema["anyOf"] for found in _alternatives(document, each)]
    return [schema]


def _part(schema: Json, keyword: str) -> Json:
    """The schema inside a schema, which may be missing or false."""
    found = schema.get(keyword, {})
    return {"type": "nothing"} if found is False else found


def _may_fit(old: Json, new: Json, sent: bool) -> bool:
    """Whether values of one schema can be of the other's type."""
    wide, narrow = (old.get("type"), new.get("type")) if sent else (new.get("type"), old.get("type"))
    return narrow in {None, wide} or (wide, narrow) == ("integer", "number")


def _is_narrower(keyword: str, wide: Any, narrow: Any) -> bool:
    """Whether the limit `narrow` forbids what `wide` permits."""
    if narrow is None or wide == narrow:
        return False
    if wide is None or keyword in _ALIKE:
        return True
    return bool(narrow < wide if keyword in _UPPER else narrow > wide)


def _values(where: str, wide: Json, narrow: Json, sent: bool) -> Iterator[str]:
    """What breaks where values are listed."""
    permitted, listed = (
        schema.get("enum", [schema["const"]] if "const" in schema else []) for schema in (wide, narrow)
    )
    if listed and not permitted:
        values = ", ".join(map(str, listed))
        yield f"{where}: only {values} is taken now." if sent else f"{where}: may now be other than {values}."
    elif listed:
        for value in permitted:
            if value not in listed:
                yield f"{where}: {value} is no longer taken." if sent else f"{where}: may now be {value}."


def _changed(where: str, what: str, old: Any, new: Any) -> str:
    was, now = ("none" if value is None else value for value in (old, new))
    return f"{where}: {what} was {was} and is {now}."
