"""Whether all servers say the same. What differs by nature is put in one form first: order, case, ids."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from bench.questions import WORKLOADS
from bench.servers import Server

ROUNDS = 10
"""How many different questions of each kind are compared."""


class Different(Exception):
    """Two servers answered the same question differently; the text shows both answers."""


def compare(servers: Sequence[Server], workloads: Sequence[str]) -> int:
    """Asks every server that understands them the same questions; how many answers were compared.

    Raises `Different`. Servers with different numbers of products are not compared with each other.
    """
    compared = 0
    for key in workloads:
        workload = WORKLOADS[key]
        group = [server for server in servers if server.dialect in workload.dialects]
        for round_ in range(ROUNDS):
            answers: dict[int, tuple[Server, str]] = {}
            number = max((server.next_pair for server in group), default=0)
            for server in group:
                server.next_pair = number + workload.uses_pairs
                answer = server.ask(workload.write(server.asker(round_), number))
                seen = json.dumps(normal(key, answer), sort_keys=True, indent=1)
                other, expected = answers.setdefault(server.products, (server, seen))
                if seen != expected:
                    raise Different(f"{other.name} and {server.name} differ on {key}: {_difference(expected, seen)}")
                compared += 1
    return compared


def normal(workload: str, answer: Any) -> Any:
    """An answer in the form in which all servers must agree. Raises `ValueError` for one without facts."""
    by_workload: dict[str, Callable[[Any], Any]] = {
        "Q1": lambda answer: _product(answer["data"]["product"]),
        "U1": lambda answer: _product(answer["data"]["product"]),
        "U2": lambda answer: _product(answer["data"]["product"]),
        "Q2": lambda answer: _page(answer["data"]["products"]),
        "P0": lambda answer: _page(answer["data"]["products"]),
        "P9": lambda answer: _page(answer["data"]["products"]),
        "M1": lambda answer: _assignment(answer["data"]["assignClaim"]["assignment"]),
        "R1": lambda answer: sorted(answer, key=lambda held: str(held["id"])),
        "R2": _written,
        "R3": _written,
    }
    try:
        return by_workload.get(workload, lambda answer: answer)(answer)
    except (KeyError, TypeError) as error:
        raise ValueError(f"An answer to {workload} has no facts: {json.dumps(answer)[:500]}") from error


def _product(product: dict[str, Any]) -> dict[str, Any]:
    certifications = [
        {**held, "verificationStatus": held["verificationStatus"].upper()} for held in product["certifications"]
    ]
    # PostGraphile has its own order.
    return {
        **product,
        "certifications": sorted(certifications, key=lambda held: str(held["id"])),
        "claims": sorted(product["claims"], key=lambda made: str(made["id"])),
    }


def _page(page: dict[str, Any]) -> dict[str, Any]:
    nodes = [_product(node) for node in page["nodes"]]
    if not nodes:
        raise KeyError("nodes")
    return {"nodes": nodes, "more": page["pageInfo"]["hasNextPage"]}


def _assignment(assignment: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in assignment.items() if name != "id"}


def _written(answer: dict[str, Any]) -> dict[str, Any]:
    """What was written, without what each server makes up: ids and moments."""
    return {name: value for name, value in answer.items() if name not in {"id", "created_at", "updated_at"}}


def _difference(first: str, second: str) -> str:
    pairs = zip(first.splitlines(), second.splitlines(), strict=False)
    one, other = next(((a, b) for a, b in pairs if a != b), (first[-80:], second[-80:]))
    return f"{one.strip()} against {other.strip()}"
