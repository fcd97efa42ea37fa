"""Known vulnerabilities of what is locked: `python -m tests.delivery.audit`. Says in a line what came of it.

One package is asked for first. Where the index does not answer that, the others are not asked for, and nothing fails.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LOCKS = Path(__file__).parents[2] / "locks"
SECONDS = 40
ASKED_FIRST = "starlette"


def main() -> int:
    """The exit code: 1 where something is known to be vulnerable."""
    pins = re.findall(r"(?m)^([a-z0-9._-]+==[^\s;\\]+)", (LOCKS / "check.txt").read_text(encoding="utf-8"))
    first = next(pin for pin in pins if pin.startswith(f"{ASKED_FIRST}=="))
    try:
        found = _asked([first])
        if _audited(found):
            found = _asked(pins)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"Not audited: the index could not be asked ({type(error).__name__}).")
        return 0
    return tell(found)


def tell(found: list[dict[str, Any]]) -> int:
    """Says what was found; the exit code."""
    audited = _audited(found)
    if not audited:
        print("Not audited: the index that is used here tells of no vulnerabilities.")
        return 0
    wrong = [(package, each) for package in audited for each in package["vulns"]]
    for package, each in wrong:
        mended = f"mended in {', '.join(each['fix_versions'])}" if each["fix_versions"] else "not mended yet"
        print(f"{package['name']} {package['version']}: {each['id']}, {mended}.")
    print(f"{len(audited)} packages were audited; {len(wrong)} vulnerabilities are known.")
    return 1 if wrong else 0


def _audited(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [package for package in found if "skip_reason" not in package]


def _asked(pins: list[str]) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins))
        file.flush()
        words = [
            "--requirement",
            file.name,
            "--disable-pip",
            "--no-deps",
            "--format",
            "json",
            "--progress-spinner",
            "off",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *words], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    return dependencies


if __name__ == "__main__":
    sys.exit(main())
