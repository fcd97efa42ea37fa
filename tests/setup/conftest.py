"""What tests of the pages for people have in common."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that nobody has used, with an environment that is there already."""
    folder = tmp_path / "certgate"
    folder.mkdir()
    for name in ("db", "data", "docs", "domain", "execution", "files", "gateway", "locks", "resolvers"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("rest_compat", "schema", "web", "workbench", "pyproject.toml", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "certgate", folder)
    # What a code generator has left there.
    document = "query Whoever { __typename }"
    (folder / "build").mkdir()
    (folder / "build" / "persisted-documents.json").write_text(
        json.dumps({hashlib.sha256(document.encode()).hexdigest(): document})
    )
    return folder
