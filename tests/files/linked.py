"""What other people's libraries make of our JSON-LD, without a network."""

import json
import warnings
from pathlib import Path
from typing import Any

import pyshacl
from pyld import jsonld
from rdflib import RDF, Graph, URIRef

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
GS1 = json.loads((VECTORS / "gs1_vocabulary.json").read_text("utf-8"))
SCHEMA = json.loads((VECTORS / "schema_org_vocabulary.json").read_text("utf-8"))
SHAPES = VECTORS / "certification_shapes.ttl"

GS1_US = "https://gs1.org/voc/x/"
"""The namespace of the terms that GS1 US proposes, which no vocabulary holds yet."""


def _refuse(url: str, options: Any) -> Any:
    raise AssertionError(f"{url} was asked for")


def graph_of(document: Any) -> Graph:
    """The triples of a document as it was sent."""
    triples = jsonld.to_rdf(json.loads(document), {"documentLoader": _refuse, "format": "application/n-quads"})
    return Graph().parse(data=triples, format="nt")


def expanded(document: Any) -> Any:
    """The document without its context."""
    return jsonld.expand(json.loads(document), {"documentLoader": _refuse})


def values(graph: Graph, subject: str, name: str) -> list[Any]:
    """What a subject has of a property, `gs1:...` or `schema:...`."""
    return sorted(graph.objects(URIRef(subject), URIRef(_iri(name))))


def _iri(name: str) -> str:
    prefix, _, local = name.partition(":")
    return str({"gs1": GS1, "schema": SCHEMA}[prefix]["namespace"]) + local


def judge(graph: Graph) -> None:
    """Fails unless every name is one of a vocabulary, where it may stand, and everything has its shape."""
    assert len(graph) > 0
    for vocabulary in (GS1, SCHEMA):
        misused = _misused(graph, vocabulary)
        assert not misused, misused
    strange = {
        predicate
        for predicate in map(str, graph.predicates())
        if predicate != str(RDF.type) and not predicate.startswith((GS1["namespace"], SCHEMA["namespace"], GS1_US))
    }
    assert not strange, strange
    with warnings.catch_warnings():
        # Of a name that pyshacl still uses of rdflib.
        warnings.simplefilter("ignore", DeprecationWarning)
        fits, _, said = pyshacl.validate(graph, shacl_graph=str(SHAPES), shacl_graph_format="turtle")
    assert fits, said


def _misused(graph: Graph, vocabulary: Any) -> list[str]:
    """Each name that the vocabulary does not have, and each property on what is of none of its domains."""
    base, found = vocabulary["namespace"], []
    codes = {code for members in vocabulary["codes"].values() for code in members}
    for subject, property, object in graph:
        predicate, value = str(property), str(object)
        if property == RDF.type:
            if value.startswith(base) and value[len(base) :] not in vocabulary["classes"]:
                found.append(f"no class: {value}")
            continue
        if isinstance(object, URIRef) and value.startswith(base) and value[len(base) :] not in codes:
            found.append(f"no code: {value}")
        if not predicate.startswith(base):
            continue
        said = vocabulary["properties"].get(predicate[len(base) :])
        if said is None:
            found.append(f"no property: {predicate}")
        elif not set(said["domain"]) & (FOOD | _classes(graph, subject, vocabulary)):
            found.append(f"{predicate} on {subject}")
        elif isinstance(object, URIRef) and value[len(base) :] in codes:
            lists = {name for name, members in vocabulary["codes"].items() if value[len(base) :] in members}
            if not lists & set(said["range"]):
                found.append(f"{predicate} of {value}")
    return found


FOOD = {"FoodBeverageTobaccoProduct"}
"""Where GS1 puts what packs say of diets and allergens. Which products are food is not recorded."""


def _classes(graph: Graph, subject: Any, vocabulary: Any) -> set[str]:
    base = vocabulary["namespace"]
    kinds = map(str, graph.objects(subject, RDF.type))
    found = {kind[len(base) :] for kind in kinds if kind.startswith(base)}
    while above := {name for own in found for name in vocabulary["classes"].get(own, ())} - found:
        found |= above
    return found
