"""The Node peers: which Node runs them, and their packages, installed by npm exactly as the lock says."""

import os
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

SOURCES = Path(__file__).with_name("node")
NEEDED = 22
"""PostGraphile 5 and better-sqlite3 13 ask for this version of Node or a newer one."""


class NoPeers(Exception):
    """The Node peers cannot be measured here; the text is one sentence that says why."""


def install(folder: Path) -> Path:
    """Brings the peers into `folder` and answers with the Node that runs them. Raises `NoPeers`.

    The lock brings a Node of its own for Linux; elsewhere the installed one must be new enough.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NoPeers("Node and npm are not installed, so the Node peers are left out.")
    locked = [SOURCES / name for name in ("package.json", "package-lock.json")]
    stamp = folder / "installed"
    wanted = sha256(b"".join(path.read_bytes() for path in locked)).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (*locked, SOURCES / ".npmrc"):
            shutil.copy(path, folder)
        print("Installing the Node peers, which takes a minute.", flush=True)
        # No package needs a script: better-sqlite3 brings its binaries.
        done = subprocess.run([npm, "ci", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
            raise NoPeers(f"npm could not install the Node peers ({' '.join(errors[:2])}), so they are left out.")
        stamp.write_text(wanted)
    for path in SOURCES.glob("*.js"):
        shutil.copy(path, folder)
    return _node(folder)


def version(node: Path) -> str:
    """What a Node says of itself, such as `v22.23.3`."""
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def package_version(folder: Path, package: str) -> str:
    """The installed version of a package."""
    found = re.search(r'"version": "([^"]+)"', (folder / "node_modules" / package / "package.json").read_text())
    return found[1] if found else ""


def _node(folder: Path) -> Path:
    brought = sorted((folder / "node_modules").glob("node-linux-*/bin/node"))
    for node in (*brought, Path(shutil.which("node") or "node")):
        if os.access(node, os.X_OK) and int(version(node).lstrip("v").partition(".")[0]) >= NEEDED:
            return node
    raise NoPeers(f"The Node peers need Node {NEEDED} or newer, so they are left out.")
