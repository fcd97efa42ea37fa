"""The benchmark in small: it really starts the servers, compares, asks and shows, so that it does not rot."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from bench import report, results

ROOT = Path(__file__).parents[2]


def test_a_quick_run_measures_and_shows(tmp_path: Path) -> None:
    file, picture, document = tmp_path / "run.json", tmp_path / "picture.svg", tmp_path / "document.md"
    document.write_text(f"Before.\n\n{report.BEGIN}\n\nOld.\n\n{report.END}\n\nAfter.\n")
    command = [sys.executable, "-m", "bench", "--quick", "--json", str(file), "--picture", str(picture)]
    command += ["--document", str(document)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    run = results.read(file)
    measured = {(result.workload, result.server) for result in run.results}
    ours = {(key, "certgate, SQLite") for key in ("Q1", "Q2", "M1", "R1", "R2", "R3")}
    assert measured == ours | {("H", "hello")}
    for result in run.results:
        assert [sample.requests > 0 for sample in result.samples] == [True]
        assert (result.samples[0].group >= 1) == (result.workload in ("M1", "R2"))
    assert run.compared == 70
    assert [(put.what, put.way, put.rows) for put in run.put_in] == [
        ("products", "import", 100),
        ("products", "mutations of 100", 10),
        ("certificates", "import", 300),
        ("certificates", "mutations of 100", 30),
    ]
    assert [noticed.server for noticed in run.noticed] == ["certgate, SQLite"]
    assert [(told.server, told.deliveries) for told in run.delivered] == [("certgate, SQLite", 400)]
    assert re.fullmatch(r"3\.\d+\.\w+ with(out)? profiles", run.versions["Python"])
    assert {rest.server for rest in run.rest} == {"hello", "certgate, SQLite"}
    assert all(rest.resident > 0 and len(rest.start_seconds) == 1 for rest in run.rest)

    assert done.stdout == report.markdown(run)
    assert document.read_text() == f"Before.\n\n{report.BEGIN}\n\n{done.stdout}\n{report.END}\n\nAfter.\n"
    assert "### Putting in" in done.stdout
    assert "### Telling webhooks" in done.stdout
    assert "### M1 GraphQL: assignClaim, 16 connections" in done.stdout
    bars = ET.parse(picture).getroot().iter("{http://www.w3.org/2000/svg}rect")
    assert [bar.get("class") for bar in bars] == ["ground", "ours", "ours", "ours"]
