"""Fetch what the pages use from npm again: `python web/renew.py` (needs npm and a network; nobody else does).

Writes `vendor/`, `licences/` and `manifest.json` of each page. How to move to another version: web/README.md.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable
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


@dataclass(frozen=True)
class Page:
    """What one page takes, and what has to be known of the code that is bundled inside it."""

    folder: str
    name: str
    files: tuple[Taken, ...]
    source_map: str = ""
    """Below `node_modules`: it names the packages that are bundled; none are where it is empty."""
    beside: tuple[str, ...] = ()
    """Installed too, because licences are read from them or from what they depend on."""
    unmapped: tuple[str, ...] = ()
    """Bundled without a source map."""
    fonts: tuple[tuple[str, str, str], ...] = ()
    """Inside a style sheet: the font, its licence, and a package that carries that licence's text."""
    notice: str = ""
    """Below `node_modules`: what goes before the licences."""


PAGES = (
    Page(
        "graphiql",
        "GraphiQL",
        (
            Taken("react", "18.3.1", "umd/react.production.min.js", "react-18.3.1.min.js"),
            Taken("react-dom", "18.3.1", "umd/react-dom.production.min.js", "react-dom-18.3.1.min.js"),
            Taken("graphiql", "4.1.2", "graphiql.min.js", "graphiql-4.1.2.min.js"),
            Taken("graphiql", "4.1.2", "graphiql.min.css", "graphiql-4.1.2.min.css"),
            Taken("@graphiql/plugin-explorer", "4.0.6", "dist/index.umd.js", "graphiql-plugin-explorer-4.0.6.min.js"),
            Taken("@graphiql/plugin-explorer", "4.0.6", "dist/style.css", "graphiql-plugin-explorer-4.0.6.css"),
        ),
        source_map="graphiql/graphiql.min.js.map",
        beside=("graphql@16", "@fontsource/fira-code", "@react-aria/utils"),
        unmapped=("graphiql-explorer",),
        fonts=(("Fira Code", "OFL-1.1", "@fontsource/fira-code"), ("Roboto", "Apache-2.0", "@react-aria/utils")),
    ),
    Page(
        "reference",
        "Swagger UI",
        (
            Taken("swagger-ui-dist", "5.35.0", "swagger-ui-bundle.js", "swagger-ui-bundle-5.35.0.js"),
            Taken("swagger-ui-dist", "5.35.0", "swagger-ui.css", "swagger-ui-5.35.0.css"),
        ),
        source_map="swagger-ui-dist/swagger-ui-bundle.js.map",
        # Not published in every version; its dependencies are those that are bundled, with licences.
        beside=("swagger-ui@5",),
        notice="swagger-ui-dist/NOTICE",
    ),
    Page("workbench", "the workbench", (Taken("htmx.org", "2.0.11", "dist/htmx.min.js", "htmx-2.0.11.min.js"),)),
)
# Packages that publish no licence file of their own: the repository they come from carries this package's.
SAME_REPOSITORY = {
    "@babel/runtime-corejs3": "@babel/runtime",
    "@graphiql/plugin-explorer": "graphiql",
    "@graphiql/plugin-doc-explorer": "graphiql",
    "@graphiql/plugin-history": "graphiql",
    "react-compiler-runtime": "react",
    "react-remove-scroll-bar": "react-remove-scroll",
}
SOURCE_MAP_COMMENT = re.compile(rb"\n?(?://|/\*)# sourceMappingURL=[^\n]*\n?")


def install(into: Path, wanted: Iterable[str]) -> None:
    """Install packages without running anybody's scripts."""
    quiet = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
    subprocess.run(["npm", "install", *quiet, "--prefix", str(into), *wanted], check=True)


def bundled_packages(page: Page, modules: Path) -> list[str]:
    """Names of the packages whose code the page takes; first the one whose notice goes before the licences."""
    names = {*page.unmapped, *(taken.package for taken in page.files)}
    mapped = json.loads((modules / page.source_map).read_text())["sources"] if page.source_map else []
    for source in mapped:
        if installed := re.findall(r"node_modules/((?:@[^/]+/)?[^/]+)/", source):
            names.add(installed[-1])
        elif sibling := re.match(r"\.\./\.\./(graphiql-)?([^/.]+)/", source):
            names.add(f"@graphiql/{sibling[2]}" if sibling[1] else sibling[2])
    return sorted(names, key=lambda name: (not page.notice.startswith(f"{name}/"), name))


def licence_of(modules: Path, package: str) -> tuple[str, str, str]:
    """The package's version, declared licence and licence text (its author where it ships no text)."""
    folder = modules / package
    declared = json.loads((folder / "package.json").read_text())
    # An old package says it in a list, or only in its text.
    licence = declared.get("license") or " or ".join(entry["type"] for entry in declared.get("licenses", ()))
    for candidate in (folder, modules / SAME_REPOSITORY.get(package, package)):
        for file in sorted(candidate.iterdir()):
            if file.is_file() and re.match(r"(licen[cs]e|copying)", file.name, re.IGNORECASE):
                return declared["version"], licence or "see below", file.read_text().strip()
    author = declared.get("author", "its contributors")
    name = author if isinstance(author, str) else author["name"]
    return declared["version"], licence, f"Copyright {name}. Published without a licence file."


def third_party_notice(page: Page, modules: Path) -> str:
    """Every licence text once, under the names it covers."""
    covered: dict[str, list[str]] = defaultdict(list)
    for package in bundled_packages(page, modules):
        version, licence, text = licence_of(modules, package)
        covered[text].append(f"{package} {version} ({licence})")
    for font, licence, package in page.fonts:
        covered[licence_of(modules, package)[2]].append(f"font {font} ({licence})")
    things, their = ("Software and fonts", "their") if page.fonts else ("Software", "its")
    parts = [f"{things} inside the files of {page.name} that certgate serves, and {their} licences.\n"]
    if page.notice:
        parts.append((modules / page.notice).read_text().strip() + "\n")
    for text, names in covered.items():
        parts.append("\n".join(["=" * 79, *names, "", text, ""]))
    return "\n".join(parts)


def renew(page: Page, scratch: Path) -> None:
    """Rewrite `vendor/`, `licences/` and `manifest.json` of a page."""
    here, modules = HERE / page.folder, scratch / "node_modules"
    for folder in (here / "vendor", here / "licences"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    install(scratch, [*sorted({f"{taken.package}@{taken.version}" for taken in page.files}), *page.beside])
    # What was bundled then may no longer be a dependency of what npm chooses today.
    if missing := [name for name in bundled_packages(page, modules) if not (modules / name).exists()]:
        install(scratch, missing)
    manifest: list[dict[str, str]] = []
    for taken in page.files:
        # A browser with its tools open would ask for the map, which is not here.
        content = SOURCE_MAP_COMMENT.sub(b"\n", (modules / taken.package / taken.path).read_bytes())
        (here / "vendor" / taken.as_name).write_bytes(content)
        _, licence, text = licence_of(modules, taken.package)
        licence_file = f"licences/{taken.package.removeprefix('@').replace('/', '-')}.txt"
        (here / licence_file).write_text(text + "\n")
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
    (here / "licences" / "THIRD_PARTY.txt").write_text(third_party_notice(page, modules))
    (here / "manifest.json").write_text(json.dumps({"files": manifest}, indent=2) + "\n")


if __name__ == "__main__":
    for each in PAGES:
        with tempfile.TemporaryDirectory() as temporary:
            renew(each, Path(temporary))
