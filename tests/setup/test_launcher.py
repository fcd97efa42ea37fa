"""The launcher, run for real in copies of the checkout; nothing here needs a network."""

import ast
import base64
import fcntl
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]

Run = subprocess.CompletedProcess[str]

APPLICATION = """
import json, os, sys
try:
    import certgate_probe
except ImportError:
    certgate_probe = None
import domain
settings = [name for name in os.environ if name.startswith("CERTGATE_") and not name.startswith("CERTGATE_TEST_")]
answer = {"arguments": sys.argv[1:], "folder": os.getcwd(), "probe": bool(certgate_probe), "settings": settings}
answer["caller"] = os.environ["CERTGATE_CALLED_FROM"]
answer["umask"] = os.umask(0)
print(json.dumps(answer))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout of the launcher and a small application, at a path with a space in it."""
    tree = tmp_path / "a check out"
    for package in ("gateway", "domain"):
        (tree / package).mkdir(parents=True)
        (tree / package / "__init__.py").touch()
    (tree / "gateway" / "__main__.py").write_text(APPLICATION)
    shutil.copy(ROOT / "certgate", tree)
    shutil.copytree(ROOT / "locks", tree / "locks")
    return tree


def load(tree: Path) -> ModuleType:
    """Import the launcher of a tree, to ask it what it thinks of that tree."""
    loader = importlib.machinery.SourceFileLoader("certgate_launcher", str(tree / "certgate"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def executable(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def start(tree: Path, *words: str, cwd: Path | None = None, env: dict[str, str] | None = None, umask: int = -1) -> Run:
    command = [sys.executable, str(tree / "certgate"), *words]
    # The tests themselves may be started by a launcher, which says whence.
    environment = {name: value for name, value in os.environ.items() if name != "CERTGATE_CALLED_FROM"} | (env or {})
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, umask=umask)


def pretend_ready(tree: Path, level: str) -> ModuleType:
    """Give the tree an environment that is stamped as whole for this level."""
    launcher = load(tree)
    executable(Path(launcher.PYTHON), f'exec "{sys.executable}" "$@"')
    launcher.write_stamp(launcher.wanted_stamp(level))
    return launcher


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_needs_no_environment(tree: Path, words: list[str]) -> None:
    shutil.rmtree(tree / "locks")
    run = start(tree, *words)
    assert (run.returncode, run.stderr) == (0, "")
    for word in (
        "demo",
        "test",
        "install",
        "check",
        "coverage",
        "bench",
        "lock",
        "serve",
        "migrate",
        "keys create",
        "schema",
    ):
        assert f"\n  {word} " in run.stdout
    assert not (tree / ".venv").exists()


def test_the_version_needs_no_environment(tree: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tree)
    run = start(tree, "--version")
    assert (run.returncode, run.stderr) == (0, "")
    assert re.fullmatch(r"certgate \d+\.\d+\.\d+\n", run.stdout)
    assert not (tree / ".venv").exists()


@pytest.mark.parametrize("word", ["install", "check", "coverage", "lock"])
def test_asking_for_help_does_nothing_else(tree: Path, word: str) -> None:
    for flag in ("--help", "-h"):
        run = start(tree, word, flag)
        assert (run.returncode, run.stderr) == (0, "")
        usage, *lines = run.stdout.splitlines()
        assert usage == "usage: ./certgate"
        assert len(lines) == (3 if word == "install" else 1)
        assert all(line.startswith(f"  {word} ") for line in lines)
    assert not (tree / ".venv").exists()


@pytest.mark.parametrize("word", ["install", "check", "coverage"])
def test_an_argument_that_nobody_takes_is_refused(tree: Path, word: str) -> None:
    run = start(tree, word, "--fast")
    assert run.returncode == 2
    assert run.stderr == f"certgate: {word} takes no arguments, but was given '--fast': leave it out.\n"
    assert not (tree / ".venv").exists()


def test_help_lists_the_commands_of_the_application() -> None:
    command = [sys.executable, "-m", "gateway", "--help"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = {line.split()[0] for line in answer.partition("Commands:\n")[2].splitlines() if line[2:3].strip()}
    of_launcher = {"test", "coverage", "install", "check", "drills", "bench", "lock", "sbom"}
    listed = {line.split()[0] for line in load(ROOT).HELP.splitlines() if line.startswith("  ")}
    assert commands == listed - of_launcher


def old_python(tree: Path, path: str) -> Run:
    """Run `--help` in a process that takes itself for Python 3.10."""
    pretend = (
        "import runpy, sys; sys.version_info = (3, 10, 13); sys.version = '3.10.13 (main)'; "
        "sys.argv = ['certgate', '--help']; runpy.run_path(sys.orig_argv[-1], run_name='__main__')"
    )
    command = [sys.executable, "-c", pretend, str(tree / "certgate")]
    return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)


def test_an_old_python_is_told_what_to_install(tree: Path, tmp_path: Path) -> None:
    run = old_python(tree, str(tmp_path))
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.startswith("certgate needs Python 3.11 or newer, but this is 3.10.13 (")
    assert run.stderr.count("\n") == 1


def test_an_old_python_hands_over_to_a_newer_one_that_works(tree: Path, tmp_path: Path) -> None:
    executable(tmp_path / "shims" / "python3.11", "exit 127")
    executable(tmp_path / "bin" / "python3.12", f'echo handed over >&2; exec "{sys.executable}" "$@"')
    run = old_python(tree, f"{tmp_path / 'shims'}:{tmp_path / 'bin'}")
    assert run.returncode == 0
    assert run.stdout.startswith("usage: ./certgate")
    assert "handed over" in run.stderr


def test_an_old_python_can_read_the_launcher() -> None:
    ast.parse((ROOT / "certgate").read_text(), feature_version=(3, 7))


@pytest.mark.parametrize("level", ["run", "test", "check"])
def test_a_matching_stamp_starts_the_application_at_once(tree: Path, tmp_path: Path, level: str) -> None:
    pretend_ready(tree, level)
    cruel = {"PYTHONSAFEPATH": "1", "PYTHONPATH": "/nowhere"}
    run = start(tree, "serve", "--port", "9 9", cwd=tmp_path, env=cruel)
    assert (run.returncode, run.stderr) == (0, "")
    answer = json.loads(run.stdout)
    assert answer["arguments"] == ["serve", "--port", "9 9"]
    assert Path(answer["folder"]).samefile(tree)
    assert Path(answer["caller"]).samefile(tmp_path)
    assert not (tree / ".venv" / "setup.log").exists()


def test_the_benchmark_runs_in_the_environment_of_the_tests(tree: Path) -> None:
    (tree / "bench").mkdir()
    shutil.copy(tree / "gateway" / "__main__.py", tree / "bench")
    pretend_ready(tree, "test")
    run = start(tree, "bench", "--quick")
    assert json.loads(run.stdout)["arguments"] == ["--quick"]


def test_all_tests_share_the_cores_and_chosen_ones_run_in_one_process(tree: Path) -> None:
    shutil.copy(tree / "gateway" / "__main__.py", tree / "pytest.py")
    pretend_ready(tree, "test")
    assert json.loads(start(tree, "test").stdout)["arguments"] == load(tree).ALL_TESTS
    chosen = ["tests/domain", "-k", "gtin"]
    assert json.loads(start(tree, "test", *chosen).stdout)["arguments"] == chosen


def test_coverage_runs_all_tests_measured_and_stops_at_what_fails(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Or Python would import what stands in its place here before it begins, where this test is measured itself.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    pretend_ready(tree, "test")
    said = "import sys; print(*sys.argv[1:]); sys.exit(sys.argv[1] == {!r})"
    (tree / "coverage.py").write_text(said.format("report"))
    run = start(tree, "coverage")
    assert run.returncode == 1
    erase, measure, combine, report = run.stdout.splitlines()
    assert (erase, combine, report) == ("erase", "combine -q", "report")
    assert measure == " ".join(["run -m pytest", *load(tree).ALL_TESTS])
    (tree / "coverage.py").write_text(said.format("run"))
    assert len(start(tree, "coverage").stdout.splitlines()) == 2


def test_a_link_to_the_launcher_finds_its_checkout(tree: Path, tmp_path: Path) -> None:
    pretend_ready(tree, "run")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "certgate").symlink_to(tree / "certgate")
    run = start(tmp_path / "bin", "serve")
    assert Path(json.loads(run.stdout)["folder"]).samefile(tree)


def test_the_application_may_cache_bytecode(tree: Path) -> None:
    pretend_ready(tree, "run")
    start(tree, "serve", env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert list((tree / "domain" / "__pycache__").glob("__init__.*.pyc"))


def test_a_smaller_environment_does_not_serve_a_bigger_wish(tree: Path) -> None:
    launcher = pretend_ready(tree, "test")
    assert [launcher.is_ready(level) for level in ("run", "test", "check")] == [True, True, False]


def test_an_environment_is_not_ready_when_something_has_changed(tree: Path) -> None:
    launcher = pretend_ready(tree, "run")
    assert launcher.is_ready("run")
    lock = tree / "locks" / "run.txt"
    content = lock.read_text()
    lock.write_text(content + "\n")
    assert not launcher.is_ready("run")
    lock.write_text(content)
    launcher.write_stamp(launcher.UNFINISHED)
    assert not launcher.is_ready("run")
    launcher.write_stamp(launcher.wanted_stamp("run"))
    Path(launcher.PYTHON).unlink()
    assert not launcher.is_ready("run")


def test_a_second_launcher_waits_and_finds_the_work_done(tree: Path) -> None:
    with (tree / "certgate").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        command = [sys.executable, str(tree / "certgate"), "serve"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            assert second.stderr.readline() == "certgate: waiting for another certgate to finish its installation\n"
            pretend_ready(tree, "run")
            fcntl.flock(file, fcntl.LOCK_UN)
            output, errors = second.communicate()
    assert (second.returncode, errors) == (0, "")
    assert json.loads(output)["arguments"] == ["serve"]


def test_a_missing_lock_is_named(tree: Path) -> None:
    (tree / "locks" / "run.txt").unlink()
    run = start(tree, "install")
    assert run.returncode == 1
    assert run.stderr == "certgate: locks/run.txt is missing: restore it with `git checkout -- locks`.\n"


def make_wheel(folder: Path) -> str:
    """Write a wheel of one empty module and return its SHA-256."""
    folder.mkdir()
    wheel = folder / "certgate_probe-1.0-py3-none-any.whl"
    info = "certgate_probe-1.0.dist-info"
    files = {
        "certgate_probe.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: certgate-probe\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text)}\n"
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_an_installation_from_nothing(tree: Path, tmp_path: Path) -> None:
    """A wrong hash is refused and named; with the right one the environment stands, and stays.

    The index is a folder that holds no uv, so this is also the way of a machine for which there is none.
    """
    digest = make_wheel(tmp_path / "wheels")
    lock = tree / "locks" / "run.txt"
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
    # No uv from PATH either.
    offline["PATH"] = str(tmp_path)

    lock.write_text(f"certgate-probe==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    run = start(tree, "install", env=offline)
    assert run.returncode == 1
    assert "DO NOT MATCH THE HASHES" in run.stderr
    assert run.stderr.splitlines()[-1].startswith(f"certgate: the packages of {lock} could not be installed")
    launcher = load(tree)
    assert launcher.read_stamp() == launcher.UNFINISHED

    lock.write_text(f"certgate-probe==1.0 \\\n    --hash=sha256:{digest}\n")
    shutil.rmtree(tree / ".venv")
    run = start(tree, "serve", env=offline, umask=0o077)
    assert run.returncode == 0, run.stderr
    assert "certgate: installing 1 packages with pip" in run.stderr
    assert json.loads(run.stdout)["probe"] is True
    # What is installed is read by the user of a service, too, but for what an index may have said; what the command
    # makes is its caller's business.
    assert json.loads(run.stdout)["umask"] == 0o077
    installed = [path for path in (tree / ".venv").rglob("*") if not path.is_symlink() and path.name != "setup.log"]
    assert [path for path in installed if path.stat().st_mode & 0o004 == 0] == []
    assert launcher.read_stamp() == launcher.wanted_stamp("run")

    run = start(tree, "serve", env=offline)
    assert (run.returncode, run.stderr) == (0, "")

    # What was asked for once stays when the locks are renewed.
    more = tree / "locks" / "parquet.txt"
    shutil.copy(lock, more)
    run = start(tree, "install", "parquet", env=offline)
    assert (run.returncode, launcher.read_stamp()) == (0, launcher.wanted_stamp("parquet"))
    for each in (lock, more):
        each.write_text(f"{each.read_text()}# renewed\n")
    run = start(tree, "serve", env=offline)
    assert (run.returncode, launcher.read_stamp()) == (0, launcher.wanted_stamp("parquet"))


@pytest.mark.parametrize("asked", [{}, {"UV_NO_BINARY": "1"}])
def test_a_source_is_never_built(tree: Path, tmp_path: Path, asked: dict[str, str]) -> None:
    """An index with the very source that the lock names, but no wheel of it: building would run its build backend."""
    index, source = tmp_path / "index", tmp_path / "certgate_probe-1.0"
    index.mkdir()
    source.mkdir()
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: certgate-probe\nVersion: 1.0\n")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (source / "backend.py").write_text(f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n")
    archive = index / "certgate_probe-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(source, arcname=source.name)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (tree / "locks" / "run.txt").write_text(f"certgate-probe==1.0 \\\n    --hash=sha256:{digest}\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").symlink_to(ROOT / ".venv" / "bin" / "uv")
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    run = start(tree, "install", env={**offline, **asked, "PATH": str(tmp_path / "bin"), "UV_NO_CACHE": "1"})
    assert run.returncode == 1
    assert "installing 1 packages ..." in run.stderr
    assert "installing 1 packages with pip" in run.stderr
    assert not (tmp_path / "ran").exists()


def test_the_settings_of_pip_reach_uv(tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://index.example/simple\nextra-index-url =\n"
        "    https://one.example/simple\n    https://two.example/simple\n"
    )
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_FIND_LINKS", "/a /b")
    launcher = load(tree)
    tools = launcher.Tools([])
    env = launcher.uv_environment(tools.pip_settings([tools.base, "-m", "pip"]))
    assert env["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert env["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert env["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert env["UV_FIND_LINKS"] == "/a,/b"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/simple")
    assert launcher.uv_environment({"index-url": "x"})["UV_DEFAULT_INDEX"] == "https://own.example/simple"


OFFICIAL = "'--enable-optimizations' '--with-lto'"
DEBIAN = "'--enable-shared' '--with-wheel-pkg-dir=/usr/share/python-wheels/'"
PLAIN = "'--prefix=/root/.pyenv/versions/3.11.7'"


def configured(folder: Path, arguments: str, flags: str = "") -> dict[str, str]:
    """Variables under which Python takes itself for one that was compiled so."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "told.py").write_text(f"build_time_vars = {{'CONFIG_ARGS': {arguments!r}, 'PY_CORE_CFLAGS': {flags!r}}}")
    return {"_PYTHON_SYSCONFIGDATA_NAME": "told", "PYTHONPATH": str(folder)}


def python_of(path: Path, arguments: str, before: str = "") -> None:
    """An interpreter that takes itself for one that was compiled so; it is that of the tests."""
    told = " ".join(f"{name}='{value}'" for name, value in configured(path.parent / "told", arguments).items())
    executable(path, f'{before}\n{told} exec "{sys.executable}" "$@"')


@pytest.mark.parametrize(
    ("arguments", "flags", "profiled"),
    [(OFFICIAL, "", True), (DEBIAN, "", True), (PLAIN, "-O3 -fprofile-use", True), (PLAIN, "-O3 -Wall", False)],
)
def test_what_a_python_tells_of_how_it_was_compiled(
    tree: Path, tmp_path: Path, arguments: str, flags: str, profiled: bool
) -> None:
    ask = [sys.executable, "-c", "import runpy, sys; print(runpy.run_path(sys.argv[1])['is_profiled']())"]
    env = {**os.environ, **configured(tmp_path / "told", arguments, flags)}
    answer = subprocess.run([*ask, str(tree / "certgate")], env=env, capture_output=True, text=True, check=True)
    assert answer.stdout == f"{profiled}\n"


def chosen(tree: Path, monkeypatch: pytest.MonkeyPatch, *folders: Path, profiled: bool) -> str:
    """What an environment would be made with where PATH has these folders, and systems have no Python."""
    launcher = load(tree)
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    monkeypatch.setattr(launcher, "STANDARD_FOLDERS", ())
    monkeypatch.setattr(launcher, "is_profiled", lambda: profiled)
    return str(launcher.Tools([]).choose_python())


def test_an_environment_is_made_with_a_python_that_was_built_with_profiles(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = sys.version.split()[0]
    own, base = f"Python {version}", getattr(sys, "_base_executable", sys.executable)
    shims, plain, other, good = (tmp_path / name for name in ("shims", "plain", "other", "good"))
    executable(shims / "python3", "exit 127")
    python_of(plain / "python3", PLAIN)
    executable(other / "python3", "echo 3.99.0 /a/python3 warning; exit 1")
    python_of(good / f"python3.{sys.version_info[1]}", OFFICIAL)
    assert chosen(tree, monkeypatch, shims, plain, other, profiled=False) == own
    assert chosen(tree, monkeypatch, shims, plain, other, good, profiled=True) == own
    better = f"{own} of {base}, built with profiles (CERTGATE_PYTHON names another)"
    assert chosen(tree, monkeypatch, shims, plain, other, good, profiled=False) == better
    monkeypatch.setenv("CERTGATE_PYTHON", "/a/python3")
    assert chosen(tree, monkeypatch, good, profiled=False) == "/a/python3 of CERTGATE_PYTHON"


@pytest.mark.parametrize("missing", ["venv", "pip ensurepip"])
def test_a_python_that_could_make_no_environment_is_passed_over(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """As Debian's, whose parts are packages of their own."""
    python_of(tmp_path / "bin" / "python3", OFFICIAL)
    assert "built with profiles" in chosen(tree, monkeypatch, tmp_path / "bin", profiled=False)
    hide = "".join(f"sys.modules[{name!r}] = None\n" for name in missing.split())
    (tmp_path / "bin" / "told" / "sitecustomize.py").write_text(f"import sys\n{hide}")
    assert "built with profiles" not in chosen(tree, monkeypatch, tmp_path / "bin", profiled=False)


def test_the_python_that_is_asked_for_makes_the_environment(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    executable(tmp_path / "python", f'echo "$@" >>"{tmp_path}/asked"; exec "{sys.executable}" "$@"')
    monkeypatch.setenv("CERTGATE_PYTHON", str(tmp_path / "python"))
    launcher = load(tree)
    launcher.Tools([]).make_environment()
    assert f"making .venv with {tmp_path / 'python'} of CERTGATE_PYTHON ... " in capsys.readouterr().err
    assert (tmp_path / "asked").read_text().startswith("-m venv ")
    assert launcher.Tools([]).is_usable()


def test_the_server_does_not_take_what_the_launcher_reads_for_a_setting(tree: Path) -> None:
    pretend_ready(tree, "run")
    assert json.loads(start(tree, "serve", env={"CERTGATE_PYTHON": "python3"}).stdout)["settings"] == [
        "CERTGATE_CALLED_FROM"
    ]


def test_check_runs_every_step_and_compares_the_contracts(tree: Path) -> None:
    pretend_ready(tree, "check")
    run = start(tree, "check")
    # There is nothing to check in this tree; what counts is that no step is left out after another has failed.
    assert run.returncode == 1
    assert [line for line in run.stdout.splitlines() if line.startswith("$ ")] == [
        "$ ruff format --check .",
        "$ ruff check .",
        f"$ mypy {' '.join(load(tree).packages())} tests certgate",
        "$ pytest -q --noconftest tests/architecture tests/delivery/test_lint.py",
        "$ gateway contracts --check",
        "$ tests.delivery.audit",
    ]
    assert '"arguments": ["contracts", "--check"]' in run.stdout
