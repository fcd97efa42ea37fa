"""Fetch Swagger UI from npm again: `python web/reference/renew.py` (needs npm and a network; nobody else does).

Writes `vendor/`, `licences/` and `manifest.json` beside this file. How to move to another version: web/README.md.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent

PACKAGE = "swagger-ui-dist"
VERSION = "5.35.0"
FILES = {
    "swagger-ui-bundle.js": f"swagger-ui-bundle-{VERSION}.js",
    "swagger-ui.css": f"swagger-ui-{VERSION}.css",
}
"""Name in the package -> name here, which carries the version, so that a browser may keep it for ever."""

# Packages that publish no licence file of their own: the repository they come from carries this package's.
SAME_REPOSITORY = {"@babel/runtime-corejs3": "@babel/runtime"}
SOURCE_MAP_COMMENT = re.compile(rb"\n?(?://|/\*)# sourceMappingURL=[^\n]*\n?")


def install(into: Path, *wanted: str) -> Path:
    """Install packages without running anybody's scripts."""
    quiet = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
    subprocess.run(["npm", "install", *quiet, "--prefix", str(into), *wanted], check=True)
    return into / "node_modules"


def bundled_packages(modules: Path) -> list[str]:
    """Names of the packages whose code is inside the bundle, read from its own source map."""
    sources = json.loads((modules / PACKAGE / "swagger-ui-bundle.js.map").read_text())["sources"]
    found = {names[-1] for source in sources if (names := re.findall(r"node_modules/((?:@[^/]+/)?[^/]+)/", source))}
    return sorted(found)


def licence_of(modules: Path, package: str) -> tuple[str, str]:
    """The package with its version and declared licence, and the licence text (its author where it ships no text)."""
    folder = modules / package
    declared = json.loads((folder / "package.json").read_text())
    # An old package says it in a list, or only in its text.
    licence = declared.get("license") or " or ".join(entry["type"] for entry in declared.get("licenses", ()))
    name = f"{package} {declared['version']} ({licence or 'see below'})"
    for candidate in (folder, modules / SAME_REPOSITORY.get(package, package)):
        for file in sorted(candidate.iterdir()):
            if file.is_file() and re.match(r"(licen[cs]e|copying)", file.name, re.IGNORECASE):
                return name, file.read_text().strip()
    author = declared.get("author", "its contributors")
    author = author if isinstance(author, str) else author["name"]
    return name, f"Copyright {author}. Published without a licence file."


def third_party_notice(modules: Path) -> str:
    """Every licence text once, under the names it covers; first what Swagger UI says of itself."""
    covered: dict[str, list[str]] = defaultdict(list)
    for package in (PACKAGE, *bundled_packages(modules)):
        name, text = licence_of(modules, package)
        covered[text].append(name)
    parts = ["Software inside the files of Swagger UI that certgate serves, and its licences.\n"]
    parts.append((modules / PACKAGE / "NOTICE").read_text().strip() + "\n")
    for text, names in covered.items():
        parts.append("\n".join(["=" * 79, *names, "", text, ""]))
    return "\n".join(parts)


def main() -> None:
    """Rewrite `vendor/`, `licences/` and `manifest.json`."""
    vendor, licences = HERE / "vendor", HERE / "licences"
    for folder in (vendor, licences):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        # The second is not published in every version; its dependencies are those that are bundled, with licences.
        modules = install(Path(scratch), f"{PACKAGE}@{VERSION}", "swagger-ui@5")
        # What was bundled then may no longer be a dependency of what npm chooses today.
        if missing := [name for name in bundled_packages(modules) if not (modules / name).exists()]:
            install(Path(scratch), *missing)
        shutil.copyfile(modules / PACKAGE / "LICENSE", licences / f"{PACKAGE}.txt")
        manifest = []
        for path, as_name in FILES.items():
            # A browser with its tools open would ask for the map, which is not here.
            content = SOURCE_MAP_COMMENT.sub(b"\n", (modules / PACKAGE / path).read_bytes())
            (vendor / as_name).write_bytes(content)
            manifest.append(
                {
                    "file": f"vendor/{as_name}",
                    "package": PACKAGE,
                    "version": VERSION,
                    "path": path,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "licence": "Apache-2.0",
                    "licenceFile": f"licences/{PACKAGE}.txt",
                }
            )
        (licences / "THIRD_PARTY.txt").write_text(third_party_notice(modules))
    (HERE / "manifest.json").write_text(json.dumps({"files": manifest}, indent=2) + "\n")


if __name__ == "__main__":
    main()
