"""Exports of Open Food Facts in their layouts: which columns say something here, and what their labels stand for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from files.columns.members import GTIN, NOTHING, ColumnTarget

MAP = Path(__file__).resolve().parents[2] / "data" / "catalogue" / "off_label_map.json"

OPEN_FOOD_FACTS = "Open Food Facts"
"""How their columns were recognised."""

_COLUMNS = {
    "code": GTIN,
    "url": ColumnTarget("row", "url"),
    "lc": ColumnTarget("row", "language"),
    "brands": ColumnTarget("product", "brand"),
    "quantity": ColumnTarget("product", "net_content"),
    "generic_name": ColumnTarget("product", "description"),
    "ingredients_text": ColumnTarget("product", "ingredients"),
    "image_url": ColumnTarget("product", "image_url"),
    "labels_tags": ColumnTarget("row", "labels"),
}
_NAMES = re.compile(r"product_name(_[a-z]{2})?\Z")


def is_export(names: Iterable[str]) -> bool:
    """Whether the columns are those of an export of Open Food Facts."""
    return {"code", "labels_tags", "brands"} <= set(names)


def target_of(name: str) -> ColumnTarget:
    """What a column of theirs is; most of the two to four hundred are nothing here."""
    return ColumnTarget("product", "product_name") if _NAMES.match(name) else _COLUMNS.get(name, NOTHING)


def language_of(name: str) -> str:
    """The language in which a column has names of products, "" for another column."""
    found = _NAMES.match(name)
    return (found[1] or "")[1:] if found else ""


def how_of(name: str, names: Iterable[str]) -> str:
    """How a column was recognised, and what becomes of it where several of these say the same."""
    if _NAMES.match(name) and sum(_NAMES.match(each) is not None for each in names) > 1:
        return f"{OPEN_FOOD_FACTS}; the name in the product's own language counts, else the first"
    return OPEN_FOOD_FACTS


class _MapsTo(msgspec.Struct):
    type: str
    code: str
    value: str = ""


class _Tag(msgspec.Struct):
    tag: str
    maps_to: list[_MapsTo]


class _Rule(msgspec.Struct):
    pattern: str
    code: str
    id: str
    number: str = ""
    value: str = ""


class _Map(msgspec.Struct):
    redundant_when_specific_present: dict[str, list[str]]
    rules: list[_Rule]
    tags: list[_Tag]


class Labelled(NamedTuple):
    """What labels say: the members of each certification and claim by its code, and the tags that say nothing here."""

    certifications: Mapping[str, dict[str, Any]]
    claims: Mapping[str, dict[str, Any]]
    unknown: Sequence[str]


@cache
def _map() -> tuple[list[tuple[re.Pattern[str], _Rule]], dict[str, list[_MapsTo]], dict[str, list[str]]]:
    found = msgspec.json.decode(MAP.read_bytes(), type=_Map)
    rules = [(re.compile(rule.pattern), rule) for rule in found.rules]
    return rules, {tag.tag: tag.maps_to for tag in found.tags}, found.redundant_when_specific_present


def labelled(tags: Sequence[str]) -> Labelled:
    """What the tags of a product's labels say, by the catalogue's map; what a more specific one says goes without."""
    _, mapped, redundant = _map()
    found: dict[str, dict[str, dict[str, Any]]] = {"certification": {}, "claim": {}}
    unknown = []
    for tag in tags:
        ruled = _ruled(tag)
        if ruled is not None:
            code, members = ruled
            found["certification"].setdefault(code, {}).update(members)
        elif tag in mapped:
            for each in mapped[tag]:
                members = found[each.type].setdefault(each.code, {})
                if each.value and each.type == "certification":
                    members.setdefault("certification_value", each.value)
        else:
            unknown.append(tag)
    for codes in found.values():
        for code, specific in redundant.items():
            if code in codes and any(other in codes for other in specific):
                del codes[code]
    return Labelled(found["certification"], found["claim"], unknown)


def _ruled(tag: str) -> tuple[str, dict[str, Any]] | None:
    """The certification that a rule reads from a tag, and what it says of the certificate."""
    for pattern, rule in _map()[0]:
        match = pattern.match(tag)
        if match is not None:
            groups = {name: value or "" for name, value in match.groupdict().items()}
            members: dict[str, Any] = {}
            if rule.number:
                members["certificate_number"] = _filled(rule.number, groups)
            if rule.value:
                members["certification_value"] = _filled(rule.value, groups)
            if rule.id == "eu-organic-control-code":
                # Of the control body and not of the certificate.
                members["metadata"] = {"control_code": _control_code(**groups)}
            return rule.code, members
    return None


_MEDALS = {"d-or": "Gold", "d-argent": "Silver", "de-bronze": "Bronze"}
_place = re.compile(r"\{(.+?)\}")


def _filled(template: str, groups: Mapping[str, str]) -> str:
    """A template of the map with what its rule has found: `{CC}` in capitals, `{Medal}` capitalised."""

    def value(place: re.Match[str]) -> str:
        name = place[1].partition(" ")[0]
        if "|" in name:
            return _MEDALS[groups["medal"]]
        found = groups[name.lower()]
        if " with - as ." in place[1]:
            return found.replace("-", ".")
        return found.upper() if name.isupper() else found.capitalize() if name.istitle() else found

    return _place.sub(value, template).strip()


_BODIES = {"DE": "ÖKO", "EE": "ÖKO", "HU": "ÖKO", "AT": "BIO", "DK": "ØKO", "NO": "ØKO"}


def _control_code(cc: str, kind: str, num: str, sub: str) -> str:
    country = cc.upper()
    return "-".join(part for part in (country, _BODIES.get(country, kind.upper()), num, sub.upper()) if part)
