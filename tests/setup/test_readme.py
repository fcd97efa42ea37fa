"""What the README, and the pages that go on from it, tell a person to paste works when it is pasted."""

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

from tests.conftest import ROOT, LiveServer

PAGES = ("README.md", "docs/rest.md", "docs/access.md", "docs/serve.md")
"""In the order in which their lines are run: each page goes on where the one before it ended."""

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


_BLOCK = re.compile(r"^```sh\n(.*?)\n```$", re.DOTALL | re.MULTILINE)

SERVERS = {
    "./certgate demo": "Stop with",
    "./certgate serve": "answers on",
    "./certgate serve --workers 4": "answers on",
}
"""The lines that go on until they are stopped, and what they say once they answer."""

ELSEWHERE = {"./certgate test"}
"""What is run by whoever runs this test."""


def script_of(text: str, port: int, postgresql_url: str) -> str:
    """The lines of a text as one script: as they stand, but for what they say in place of a reader's own."""
    replaced = {
        "http://127.0.0.1:8000": f"http://127.0.0.1:{port}",
        "postgresql://certgate:secret@localhost/certgate": postgresql_url,
        "keys revoke ID": "keys revoke $(./certgate keys list --organization acme | tail -n 1 | cut -d ' ' -f 1)",
    }
    lines = ["set -eu", f"export CERTGATE_PORT={port}", "serving=", 'trap "kill \\$serving" EXIT']
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").replace("-d '\n", "-d '").splitlines():
            for theirs, ours in replaced.items():
                line = line.replace(theirs, ours)  # noqa: PLW2901
            if line in ELSEWHERE:
                continue
            lines.append(f"echo {shlex.quote('$ ' + line)}")
            if line in SERVERS:
                lines += [
                    '[ -z "$serving" ] || { kill $serving; wait $serving || true; }',
                    ": > said.txt",
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
    text = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    script = script_of(text, port, empty_postgresql_url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CERTGATE_")}
    (checkout / "key.txt").touch()
    done = subprocess.run(
        ["bash", "-c", script], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr + (checkout / "said.txt").read_text()
    assert '"product_name":"Oat drink"' in done.stdout.replace('": "', '":"')
