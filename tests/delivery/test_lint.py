"""What an installation is made of passes the linters of those who run such files, which `./certgate check` installs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
YAML = "{extends: default, rules: {line-length: {max: 120}, document-start: disable, braces: {max-spaces-inside: 0}}}"


def tool(name: str) -> str:
    """A program of the environment; where it is not installed the test is left out."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"The test needs {name}, which ./certgate check installs")
    return found


def passes(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_containerfile() -> None:
    passes(tool("hadolint"), str(DEPLOY / "Containerfile"))


def test_yaml_is_tidy() -> None:
    files = [*DEPLOY.glob("*.yaml"), *(ROOT / "docs" / "operations").glob("*.yaml")]
    assert len(files) == 3
    assert passes(tool("yamllint"), "-s", "-d", YAML, *map(str, files)) == ""


def test_what_kubernetes_is_given_is_what_it_knows() -> None:
    said = passes(tool("kubernetes-validate"), "--strict", str(DEPLOY / "kubernetes.yaml"))
    assert said.count(" passed for resource ") == (DEPLOY / "kubernetes.yaml").read_text().count("\nkind: ") == 7


def test_what_compose_is_given_is_what_its_specification_has() -> None:
    compose = pytest.importorskip("compose_spec", reason="The test needs compose-spec, which ./certgate check installs")
    found = compose.PyOptions(apply_merge=True).from_yaml((DEPLOY / "compose.yaml").read_text())
    found.validate()
    services = found.to_dict()["services"]
    assert services.keys() == {"certgate", "migrate", "postgresql", "valkey"}
    for name in ("certgate", "migrate", "valkey"):
        assert (services[name]["read_only"], services[name]["cap_drop"]) == (True, ["ALL"])
        assert services[name]["user"].partition(":")[0] not in ("", "0", "root")


def test_the_service_is_as_closed_as_systemd_can_tell(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("The test needs systemd-analyze; on Debian: apt-get install systemd")
    # Its programs are elsewhere here.
    units = [tmp_path / name for name in ("certgate.service", "certgate-backup.service", "certgate-backup.timer")]
    for unit in units:
        text = (DEPLOY / unit.name).read_text()
        unit.write_text(re.sub(r"(?m)^(Exec\w+)=/opt/certgate/\.venv/bin/python ", rf"\1={sys.executable} ", text))
    for unit in units:
        assert passes(program, "verify", "--man=no", str(unit)) == ""
        if unit.suffix == ".service":
            passes(program, "security", "--offline=yes", "--no-pager", "--threshold=20", str(unit))


def test_the_backup_is_as_closed_as_the_service_and_of_the_same_files() -> None:
    served, backup = ((DEPLOY / name).read_text() for name in ("certgate.service", "certgate-backup.service"))
    closed = served[served.index("UMask=") : served.index("[Install]")].strip()
    assert backup.endswith(f"{closed}\n")
    for line in ("DynamicUser=yes", "User=certgate", "Environment=CERTGATE_IMPORT_FOLDER=/var/lib/certgate/imports"):
        assert f"\n{line}\n" in served
        assert f"\n{line}\n" in backup


def test_what_the_examples_set_are_settings() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    known = set(re.findall(r"`(CERTGATE_\w+)`", page))
    files = [file for file in DEPLOY.rglob("*") if file.is_file() and file.suffix != ".md"]
    asked = {name for file in files for name in re.findall(r"\bCERTGATE_\w+", file.read_text())}
    assert {"CERTGATE_DATABASE_URL_FILE", "CERTGATE_WORKERS", "CERTGATE_PUBLIC_URL"} <= asked
    assert asked - known == set()


def test_the_service_is_handed_the_files_that_its_settings_name() -> None:
    unit, settings = ((DEPLOY / f"certgate.{kind}").read_text() for kind in ("service", "env"))
    (folder,) = re.findall(r"(?m)^LoadCredential=(\w+):/etc/certgate/secrets$", unit)
    named = re.findall(r"(?m)^CERTGATE_\w+_FILE=/run/credentials/certgate\.service/(\w+?)_([\w-]+)$", settings)
    assert [(folder, "database-url"), (folder, "metrics-token")] == named
    assert "EnvironmentFile=/etc/certgate/certgate.env" in unit
