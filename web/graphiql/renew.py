"""Fetch GraphiQL from npm again: `python web/graphiql/renew.py` (needs npm and a network; nobody else does).

Writes `vendor/`, `licences/` and `manifest.json` beside this file. How to move to another version: web/README.md.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Taken:
    """One file of one npm package; `as_name` carries the version, so that a browser may keep it for ever."""

    package: str
    version: str
    path: str
    as_name: str


PACKAGES = (
    Taken("react", "18.3.1", "umd/react.production.min.js", "react-18.3.1.min.js"),
    Taken("react-dom", "18.3.1", "umd/react-dom.production.min.js", "react-dom-18.3.1.min.js"),
    Taken("graphiql", "4.1.2", "graphiql.min.js", "graphiql-4.1.2.min.js"),
    Taken("graphiql", "4.1.2", "graphiql.min.css", "graphiql-4.1.2.min.css"),
    Taken("@graphiql/plugin-explorer", "4.0.6", "dist/index.umd.js", "graphiql-plugin-explorer-4.0.6.min.js"),
    Taken("@graphiql/plugin-explorer", "4.0.6", "dist/style.css", "graphiql-plugin-explorer-4.0.6.css"),
)
# Inside the explorer, which ships no source map.
UNMAPPED = ("graphiql-explorer",)
# Inside the style sheet: the font, its licence, and a package that carries that licence's text.
FONTS = (("Fira Code", "OFL-1.1", "@fontsource/fira-code"), ("Roboto", "Apache-2.0", "@react-aria/utils"))
# Packages that publish no licence file of their own: the repository they come from carries this package's.
SAME_REPOSITORY = {
    "@graphiql/plugin-explorer": "graphiql",
    "@graphiql/plugin-doc-explorer": "graphiql",
    "@graphiql/plugin-history": "graphiql",
    "react-compiler-runtime": "react",
    "react-remove-scroll-bar": "react-remove-scroll",
}
SOURCE_MAP_COMMENT = re.compile(rb"\n?(?://|/\*)# sourceMappingURL=[^\n]*\n?")


def install(into: Path) -> Path:
    """Install the wanted versions, and what licences are read from, without running anybody's scripts."""
    modules = into / "node_modules"
    quiet = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
    command = ["npm", "install", *quiet, "--prefix", str(into)]
    wanted = sorted({f"{taken.package}@{taken.version}" for taken in PACKAGES})
    subprocess.run([*command, *wanted, "graphql@16", *(package for _, _, package in FONTS)], check=True)
    # What was bundled then may no longer be a dependency of what npm chooses today.
    if missing := sorted(name for name in bundled_packages(modules) if not (modules / name).exists()):
        subprocess.run([*command, *missing], check=True)
    return modules


def bundled_packages(modules: Path) -> set[str]:
    """Names of the packages whose code is inside the ready-made GraphiQL, read from its own source map."""
    sources = json.loads((modules / "graphiql" / "graphiql.min.js.map").read_text())["sources"]
    names = set(UNMAPPED)
    for source in sources:
        if installed := re.findall(r"node_modules/((?:@[^/]+/)?[^/]+)/", source):
            names.add(installed[-1])
        elif sibling := re.match(r"\.\./\.\./(graphiql-)?([^/.]+)/", source):
            names.add(f"@graphiql/{sibling[2]}" if sibling[1] else sibling[2])
    return names | {taken.package for taken in PACKAGES}


def licence_of(modules: Path, package: str) -> tuple[str, str, str]:
    """The package's version, declared licence and licence text (its author where it ships no text)."""
    folder = modules / package
    declared = json.loads((folder / "package.json").read_text())
    for candidate in (folder, modules / SAME_REPOSITORY.get(package, package)):
        for file in sorted(candidate.iterdir()):
            if file.is_file() and re.match(r"licen[cs]e", file.name, re.IGNORECASE):
                return declared["version"], declared["license"], file.read_text().strip()
    author = declared.get("author", "its contributors")
    name = author if isinstance(author, str) else author["name"]
    return declared["version"], declared["license"], f"Copyright {name}. Published without a licence file."


def third_party_notice(modules: Path) -> str:
    """Every licence text once, under the names it covers."""
    covered: dict[str, list[str]] = defaultdict(list)
    for package in sorted(bundled_packages(modules)):
        version, licence, text = licence_of(modules, package)
        covered[text].append(f"{package} {version} ({licence})")
    for font, licence, package in FONTS:
        covered[licence_of(modules, package)[2]].append(f"font {font} ({licence})")
    parts = ["Software and fonts inside the files of GraphiQL that certgate serves, and their licences.\n"]
    for text, names in covered.items():
        parts.append("\n".join(["=" * 79, *names, "", text, ""]))
    return "\n".join(parts)


def main() -> None:
    """Rewrite `vendor/`, `licences/` and `manifest.json`."""
    vendor, licences = HERE / "vendor", HERE / "licences"
    for folder in (vendor, licences):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    manifest: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as scratch:
        modules = install(Path(scratch))
        for taken in PACKAGES:
            # A browser with its tools open would ask for the map, which is not here.
            content = SOURCE_MAP_COMMENT.sub(b"\n", (modules / taken.package / taken.path).read_bytes())
            (vendor / taken.as_name).write_bytes(content)
            _, licence, text = licence_of(modules, taken.package)
            licence_file = f"licences/{taken.package.removeprefix('@').replace('/', '-')}.txt"
            (HERE / licence_file).write_text(text + "\n")
            manifest.append(
                {
                    "file": f"vendor/{taken.as_name}",
                    "package": taken.package,
                    "version": taken.version,
                    "path": taken.path,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "licence": licence,
                    "licenceFile": licence_file,
                }
            )
        (licences / "THIRD_PARTY.txt").write_text(third_party_notice(modules))
    (HERE / "manifest.json").write_text(json.dumps({"files": manifest}, indent=2) + "\n")


if __name__ == "__main__":
    main()
