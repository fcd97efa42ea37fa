"""What the README tells a person to paste works when it is pasted."""

import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path
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


_BLOCK = re.compile(r"^```sh\n(.*?)\n```$", re.DOTALL | re.MULTILINE)

SERVERS = {"./certgate demo": "Stop with", "./certgate serve": "answers on"}
"""The lines that go on until they are stopped, and what they say once they answer."""

ELSEWHERE = {"./certgate test"}
"""What is run by whoever runs this test."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that nobody has used, with an environment that is there already."""
    folder = tmp_path / "certgate"
    folder.mkdir()
    for name in ("db", "data", "docs", "domain", "execution", "gateway", "locks", "resolvers", "rest_compat", "schema"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("web", "pyproject.toml", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "certgate", folder)
    # What a code generator has left there.
    document = "query Whoever { __typename }"
    (folder / "build").mkdir()
    (folder / "build" / "persisted-documents.json").write_text(
        json.dumps({hashlib.sha256(document.encode()).hexdigest(): document})
    )
    return folder


def script_of(readme: str, port: int, postgresql_url: str) -> str:
    """The README's lines as one script: as they stand, but for what they say in place of a reader's own."""
    replaced = {
        "http://127.0.0.1:8000": f"http://127.0.0.1:{port}",
        "postgresql://certgate:secret@localhost/certgate": postgresql_url,
        "keys revoke ID": "keys revoke $(./certgate keys list --organization demo | tail -n 1 | cut -d ' ' -f 1)",
    }
    lines = ["set -eu", f"export CERTGATE_PORT={port}", "serving=", 'trap "kill \\$serving" EXIT']
    for block in _BLOCK.findall(readme):
        for line in block.replace("\\\n", " ").replace("-d '\n", "-d '").splitlines():
            for theirs, ours in replaced.items():
                line = line.replace(theirs, ours)  # noqa: PLW2901
            if line in ELSEWHERE:
                continue
            lines.append(f"echo {shlex.quote('$ ' + line)}")
            if line in SERVERS:
                lines += [
                    '[ -z "$serving" ] || { kill $serving; wait $serving || true; }',
                    f"{line} > said.txt 2>&1 & serving=$!",
                    f"until grep -q '{SERVERS[line]}' said.txt; do kill -0 $serving; sleep 0.05; done",
                    # "With KEY set to an API key (the demo prints one)"
                    'export KEY="$(grep -o -m 1 "csb_[A-Za-z0-9_]*" said.txt key.txt | tail -n 1 | cut -d : -f 2)"',
                ]
            elif "keys create" in line and "--quiet" in line:
                lines.append(f"{line} > key.txt")
            elif line.startswith("curl"):
                lines.append(f"{line.replace('curl -s', 'curl -sS --fail-with-body')}; echo")
            else:
                lines.append(line)
    return "\n".join(lines)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's lines need curl")
def test_every_line_runs_one_after_the_other(checkout: Path, empty_postgresql_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = script_of((ROOT / "README.md").read_text(encoding="utf-8"), port, empty_postgresql_url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CERTGATE_")}
    (checkout / "key.txt").touch()
    done = subprocess.run(
        ["bash", "-c", script], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr + (checkout / "said.txt").read_text()
    assert '"product_name":"Oat drink"' in done.stdout.replace('": "', '":"')
