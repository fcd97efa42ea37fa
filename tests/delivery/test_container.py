"""What the Containerfile puts into the image is all that is needed, and nothing has to be written beside it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx2

from tests.processes import PATIENCE, ROOT, environment

TEXT = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")


def copied(folder: Path) -> Path:
    """What the image has, put together in a folder."""
    image = folder / "image"
    for sources, target in re.findall(r"(?m)^COPY (?!--from)(.+) (\S+)$", TEXT):
        for source in sources.split():
            into = image / (target if target.endswith("/") and source.endswith("/") else source).lstrip("/")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, into)
    return image


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_image_has_what_is_needed_and_is_not_written_to(tmp_path: Path) -> None:
    image = copied(tmp_path)
    before = files(image)
    kept = {"CERTGATE_DATABASE_URL": f"sqlite:///{tmp_path}/kept.db", "CERTGATE_IMPORT_FOLDER": f"{tmp_path}/imports"}
    own = environment(PYTHONDONTWRITEBYTECODE="1", **kept)
    entry = [sys.executable, *re.findall(r'"([^"]+)"', TEXT.partition("\nENTRYPOINT ")[2].partition("\n")[0])[1:]]

    def ran(*words: str) -> str:
        command = [*entry, *words]
        done = subprocess.run(
            command, cwd=image, env=own, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert re.fullmatch(r"certgate \d+\.\d+\.\d+\n", ran("--version"))
    ran("migrate")
    ran("seed", "demo")
    with subprocess.Popen([*entry, "serve", "--port", "0"], cwd=image, env=own, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            (address,) = re.findall(rb"http://\S+(?=;)", server.stdout.readline())
            with httpx2.Client(base_url=address.decode()) as client:
                for path in ("/healthz", "/readyz", "/graphiql", "/docs", "/docs/errors", "/schema.graphql"):
                    assert client.get(path).status_code == 200, path
        finally:
            server.terminate()
    assert files(image) == before


def test_it_is_not_run_as_root_and_is_asked_for_its_health() -> None:
    assert re.search(r"(?m)^USER 1\d{4}:1\d{4}$", TEXT)
    check = TEXT.partition("HEALTHCHECK")[2].partition("ENTRYPOINT")[0]
    code = re.findall(r'"([^"]*)"', check)[-1]
    compile(code, "HEALTHCHECK", "exec")
    assert "/healthz" in code
    # What is set there is a setting.
    assert set(re.findall(r"CERTGATE_\w+", TEXT)) == {"CERTGATE_HOST"}
    assert os.path.commonpath(["/srv/certgate", *re.findall(r"(?m)^VOLUME (\S+)$", TEXT)]) == "/srv/certgate"
