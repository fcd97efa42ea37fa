"""What the README tells a person to paste works when it is pasted."""

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from gateway.settings import PREFIX, Settings
from tests.conftest import ROOT, LiveServer

_EXAMPLE = re.compile(r"<!-- example: (\w+) -->\n```sh\n(.*?)\n```", re.DOTALL)
EXAMPLES = dict(_EXAMPLE.findall((ROOT / "README.md").read_text(encoding="utf-8")))


def paste(example: str, server: LiveServer) -> Any:
    """The answer to an example, typed into a shell."""
    command = EXAMPLES[example].replace("http://127.0.0.1:8000", server.url)
    environment = {**os.environ, "KEY": server.api_key}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_examples_are_found() -> None:
    assert set(EXAMPLES) == {"graphql", "rest"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's examples need curl")
def test_the_examples_answer_with_the_same_facts(live_server: LiveServer) -> None:
    product = paste("graphql", live_server)["data"]["product"]
    assert product["name"] == "Nutella"
    held = paste("rest", live_server)
    assert [item["label"] for item in held] == [item["certification"]["label"] for item in product["certifications"]]
    assert [item["is_active"] for item in held] == [item["isActive"] for item in product["certifications"]]


def test_the_table_of_settings_is_theirs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `(CERTGATE_\w+)` \| (.*) \|$", readme, re.MULTILINE))
    expected = {
        f"{PREFIX}{name.upper()}": f"{_default(field.default)} | {field.description}"
        for name, field in Settings.model_fields.items()
    }
    assert table == expected


def _default(value: object) -> str:
    if value == "":
        return "(none)"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
