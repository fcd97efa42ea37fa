"""schemathesis against the served documents: whatever they permit works, whatever they forbid is refused as they say.

The number of requests is `CERTGATE_TEST_CASES`, 300 where nothing is said; from 2,400 on, also those that schemathesis
makes for every boundary of every schema.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from gateway.demo import LAPSING_GTIN
from rest_compat.openapi import DOCUMENT_PATHS
from rest_compat.routes import ENDPOINTS
from tests.conftest import LiveServer

FUZZING = Path(__file__).parent / "fuzzing"
ROOT = FUZZING.parents[2]

CASES = int(os.environ.get("CERTGATE_TEST_CASES", "300"))
BOUNDARIES = 1200
"""About so many requests the boundaries alone take."""

THOROUGH = CASES >= 2 * BOUNDARIES


def known(server: LiveServer) -> dict[str, Any]:
    """What is there, so that not every answer is 404."""
    with httpx2.Client(base_url=server.url, headers={"X-API-Key": server.api_key}) as client:

        def listed(path: str, member: str, count: int) -> list[str]:
            return [item[member] for item in client.get(path, params={"page_size": count}).json()["data"]]

        definitions = ("claims", "certifications", "certification-bodies")
        me = client.get("/account/api/v1/whoami").json()
        gtins = listed("/products/api/v1/trade-items", "gtin", 6)
        held = {
            f"{gtin}/{each['id']}": [each["valid_from"], each["expiration_date"]]
            for gtin in {*gtins, LAPSING_GTIN}
            for each in client.get(f"/certifications/api/v1/products/{gtin}/certifications").json()
        }
        return {
            "gtins": gtins,
            "held": held,
            "ids": [id for name in definitions for id in listed(f"/certifications/api/v1/{name}", "id", 8)],
            "organization_id": me["organizations"][0]["id"],
            "key_id": me["api_key"]["id"],
        }


def fuzz(server: LiveServer, path: str, examples: int, folder: Path) -> dict[str, Any]:
    """Runs schemathesis on one document; its report. Fails with what it says where it finds anything."""
    phases = "examples,coverage,fuzzing,stateful" if THOROUGH else "examples,fuzzing,stateful"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(FUZZING / "schemathesis.toml")),
        *("run", server.url + path, "-H", f"X-API-Key: {server.api_key}", "--checks", "all", "--phases", phases),
        *("--max-examples", str(examples), "--continue-on-failure"),
        # The small run is the same each time, so that nobody's change waits for a chance find.
        *(() if THOROUGH else ("--seed", "1")),
        *("--report", "json", "--report-json-path", str(folder / "report.json")),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.contract.fuzzing.hooks",
        "CERTGATE_TEST_KNOWN": json.dumps(known(server)),
    }
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    assert report["operations"]["tested"] == report["operations"]["total"]
    return report


def test_nothing_is_answered_that_the_documents_do_not_say(live_server: LiveServer, tmp_path: Path) -> None:
    # Most endpoints get this many from fuzzing, and sequences of requests add about as many.
    examples = 1 + (CASES - BOUNDARIES * THOROUGH) // len(ENDPOINTS) // 2
    generated = {
        path: fuzz(live_server, path, examples, tmp_path)["test_cases"]["generated"] for path in DOCUMENT_PATHS
    }
    print(generated)
    assert sum(generated.values()) >= CASES
