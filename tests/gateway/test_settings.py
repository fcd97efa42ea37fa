import re
from pathlib import Path

import pytest

from execution.documents.limits import DocumentLimits
from gateway.environment import load_settings, secret_settings, unknown_variables
from gateway.graphql import limits_of
from gateway.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CERTGATE_{name.upper()}", raising=False)


def test_defaults_are_safe() -> None:
    settings = load_settings()
    assert settings.host == "127.0.0.1"
    assert settings.port == 8000
    assert settings.database_url == "sqlite:///var/certgate.db"
    assert settings.problem_type_base == "https://closient.com/docs/errors/"
    assert settings.max_body_bytes == 1_048_576


def test_variables_win_over_defaults_and_the_command_line_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTGATE_PORT", "9001")
    monkeypatch.setenv("CERTGATE_PUBLIC_URL", "https://certgate.example.org/")
    monkeypatch.setenv("CERTGATE_LOG_LEVEL", "DEBUG")
    settings = load_settings(port=9002)
    assert settings.port == 9002
    assert settings.public_url == "https://certgate.example.org"
    assert settings.log_level == "debug"


def test_the_case_of_a_variable_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("certgate_port", "9001")
    assert load_settings().port == 9001


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTGATE_PORT", "")
    monkeypatch.setenv("CERTGATE_DATABASE_URL", "")
    assert load_settings().port == 8000
    assert load_settings().database_url == "sqlite:///var/certgate.db"


def test_what_is_asked_of_a_provider_is_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTGATE_OIDC_SCOPES", "email openid groups")
    assert load_settings().oidc_scopes == "email openid groups"


def test_an_empty_word_of_the_command_line_counts_as_not_set() -> None:
    assert load_settings(redis_url="", smtp_url="", oauth_issuer="", oidc_issuer="") == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("CERTGATE_PORT", "eighty", "default 8000"),
        ("CERTGATE_PORT", "65536", "less than or equal to 65535"),
        ("CERTGATE_DATABASE_URL", "mysql://user:hunter2@host/name", "postgresql://"),
        ("CERTGATE_DATABASE_URL", "hunter2.db", "sqlite:///"),
        ("CERTGATE_PUBLIC_URL", "certgate.example.org/hunter2", "https://certgate.example.org"),
        (
            "CERTGATE_PUBLIC_URL",
            "https://certgate.example.org/?token=hunter2",
            "https://certgate.example.org",
        ),
        ("CERTGATE_PUBLIC_URL", "https://user:hunter2@certgate.example.org", "https://certgate.example.org"),
        ("CERTGATE_PUBLIC_URL", "https://certgate.example.org\\hunter2", "https://certgate.example.org"),
        ("CERTGATE_PUBLIC_URL", "https://hunter2\tcertgate.example.org", "https://certgate.example.org"),
        ("CERTGATE_PROBLEM_TYPE_BASE", "https://example.org/hunter2", "ends with a slash"),
        ("CERTGATE_PROBLEM_TYPE_BASE", "https://example.org/%hunter2/", "ends with a slash"),
        ("CERTGATE_OAUTH_ISSUER", "https://user:hunter2@login.example.org", "https://login.example.org"),
        ("CERTGATE_OAUTH_JWKS_URL", "https://login.example.org\x07hunter2", "https://login.example.org"),
        ("CERTGATE_CORS_ORIGINS", "https://user:hunter2@example.org", "origins without path"),
        ("CERTGATE_CORS_ORIGINS", "https://example.org/hunter2", "origins without path"),
        ("CERTGATE_CORS_ORIGINS", "https://hunter2.example:443", "without the usual port"),
        ("CERTGATE_CORS_ORIGINS", "https://bücher-hunter2.example", "as browsers write them"),
        ("CERTGATE_CORS_ORIGINS", "https://*.hunter2.example", "origins without path"),
        ("CERTGATE_LOG_LEVEL", "hunter2", "'warning'"),
        ("CERTGATE_MAX_BODY_BYTES", "12", "greater than or equal to 1024"),
        ("CERTGATE_SESSION_HOURS", "0", "greater than or equal to 1"),
        ("CERTGATE_RATE_LIMIT_PER_MINUTE", "0", "default 300"),
        ("CERTGATE_RATE_LIMIT_PER_DAY", "hunter2", "default 10000"),
        ("CERTGATE_REDIS_URL", "http://:hunter2@localhost", "redis://localhost:6379/0"),
        ("CERTGATE_REDIS_URL", "redis://:hunter2@localhost:port/0", "redis://localhost:6379/0"),
        ("CERTGATE_REDIS_URL", "redis://", "redis://localhost:6379/0"),
        ("CERTGATE_REDIS_URL", "redis://user:6379/hunter2@localhost", "redis://localhost:6379/0"),
        ("CERTGATE_SMTP_URL", "https://hunter2.example.org", "smtp://user:password@mail.example.org:587"),
        ("CERTGATE_SMTP_URL", "smtp://:hunter2@mail.example.org:port", "smtp://user:password@mail.example.org:587"),
        ("CERTGATE_OIDC_SCOPES", "email hunter2", "should name openid, such as openid email"),
        ("CERTGATE_ACCESS_LOG", "hunter2", "boolean"),
        ("CERTGATE_ACCESS_LOG", "hunter2", "default false."),
        ("CERTGATE_OAUTH_ALGORITHMS", "hunter2", "default RS256 ES256 EdDSA."),
    ],
)
def test_a_wrong_value_is_one_sentence_with_the_variable_and_the_remedy_but_not_the_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, hint: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    sentence = str(caught.value)
    assert sentence.startswith(f"{variable} is wrong: ")
    assert hint in sentence
    assert "correct it, or unset it" in sentence
    assert "\n" not in sentence
    assert "hunter2" not in sentence


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTGATE_PORT", "x")
    monkeypatch.setenv("CERTGATE_SESSION_HOURS", "x")
    with pytest.raises(SettingsError, match=r"(?s)CERTGATE_PORT.*\nCERTGATE_SESSION_HOURS"):
        load_settings()


def test_settings_are_immutable_documented_and_do_not_show_the_database_password() -> None:
    settings = Settings(database_url="postgresql://user:hunter2@host/name")
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_misspelt_variable_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTGATE_DATABSE_URL", "sqlite:///x.db")
    (sentence,) = unknown_variables()
    assert sentence == "CERTGATE_DATABSE_URL is not a setting and has no effect; did you mean CERTGATE_DATABASE_URL?"


@pytest.mark.parametrize("variable", ["CERTGATE_TYPO", "CERTGATE_"])
def test_what_resembles_no_setting_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "x")
    (sentence,) = unknown_variables()
    assert sentence == f"{variable} is not a setting and has no effect; docs/settings.md lists the settings."


def test_a_setting_that_another_one_needs_is_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTGATE_OAUTH_ISSUER", "https://login.example.org")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == (
        "CERTGATE_OAUTH_AUDIENCE is missing: it should name this server, since CERTGATE_OAUTH_ISSUER is set;"
        " set it, or CERTGATE_PUBLIC_URL."
    )


@pytest.mark.parametrize(
    ("variable", "least", "most"),
    [
        ("CERTGATE_PORT", 0, 65_535),
        ("CERTGATE_SESSION_HOURS", 1, 720),
        ("CERTGATE_SESSION_IDLE_MINUTES", 1, 43_200),
        ("CERTGATE_GRAPHQL_MAX_DEPTH", 1, 200),
        ("CERTGATE_GRAPHQL_MAX_ERRORS", 1, 1_000),
        ("CERTGATE_GRAPHQL_TIMEOUT_SECONDS", 1, 3_600),
    ],
)
def test_the_ends_of_a_range_are_in_it(monkeypatch: pytest.MonkeyPatch, variable: str, least: int, most: int) -> None:
    for value in (least, most):
        monkeypatch.setenv(variable, str(value))
        assert getattr(load_settings(), variable.removeprefix("CERTGATE_").lower()) == value
    for value in (least - 1, most + 1):
        monkeypatch.setenv(variable, str(value))
        with pytest.raises(SettingsError, match=variable):
            load_settings()


@pytest.mark.parametrize("family", ["RS", "PS", "ES"])
def test_signatures_are_asymmetric_and_known(monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    known = f"{family}256 {family}384 {family}512 EdDSA"
    monkeypatch.setenv("CERTGATE_OAUTH_ALGORITHMS", known)
    assert load_settings().oauth_algorithms == known
    for name in ("HS256", "none", f"{family}257", ""):
        monkeypatch.setenv("CERTGATE_OAUTH_ALGORITHMS", f"{name} " if name else " ")
        with pytest.raises(SettingsError, match="CERTGATE_OAUTH_ALGORITHMS"):
            load_settings()


def test_what_kubernetes_sets_for_a_service_of_our_name_is_passed_over_with_one_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    injected = {
        "CERTGATE_PORT": "tcp://10.0.0.11:8000",
        "CERTGATE_PORT_8000_TCP": "tcp://10.0.0.11:8000",
        "CERTGATE_PORT_8000_TCP_ADDR": "10.0.0.11",
        "CERTGATE_PORT_8000_TCP_PORT": "8000",
        "CERTGATE_PORT_8000_TCP_PROTO": "tcp",
        "CERTGATE_SERVICE_HOST": "10.0.0.11",
        "CERTGATE_SERVICE_PORT": "8000",
        "CERTGATE_SERVICE_PORT_HTTP": "8000",
        # Of a Service named certgate-redis.
        "CERTGATE_REDIS_PORT": "tcp://10.0.0.12:6379",
        "CERTGATE_REDIS_SERVICE_HOST": "10.0.0.12",
    }
    for name, value in injected.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == Settings()
    (warning,) = unknown_variables()
    assert set(re.findall("CERTGATE_[A-Z0-9_]+", warning)) == injected.keys()
    assert "Kubernetes" in warning

    monkeypatch.setenv("CERTGATE_PORT", "9001")
    assert load_settings().port == 9001
    assert "CERTGATE_PORT," not in unknown_variables()[0]


def test_what_example_clients_export_is_not_called_misspelt(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = Path(__file__).resolve().parents[2] / "docs" / "examples"
    texts = [path.read_text() for path in examples.glob("dashboard/**/*.*") if path.suffix in {".md", ".ts", ".tsx"}]
    exported = set(re.findall("CERTGATE_[A-Z_]+[A-Z]", "".join(texts)))
    exported -= {f"CERTGATE_{name.upper()}" for name in Settings.model_fields}
    assert {"CERTGATE_KEY", "CERTGATE_URL"} <= exported
    for name in exported:
        monkeypatch.setenv(name, "x")
    assert unknown_variables() == []


def test_the_limits_of_graphql_are_settings_with_the_same_defaults() -> None:
    assert limits_of(load_settings()) == DocumentLimits()
    assert limits_of(load_settings(graphql_max_depth=3, graphql_limits="warn")) == DocumentLimits(
        max_depth=3, warn_only=True
    )


FREE = {
    "host",
    "import_folder",
    "oauth_audience",
    "oauth_organization_claim",
    "oidc_client_id",
    "oidc_client_secret",
    "oidc_name",
    "oidc_organization_claim",
}
"""What may be any text. An address that is none, and a folder that cannot be, show when they are used."""


@pytest.mark.parametrize("name", Settings.model_fields)
def test_garbage_in_any_setting_stops_the_start_with_a_sentence(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    variable = f"CERTGATE_{name.upper()}"
    said = {}
    for garbage in ("hunter2 ://%zz[", "-7", "nan", "1e999", "\u202e\u00e9", "[::1", "http://[", " ", "{}"):
        monkeypatch.setenv(variable, garbage)
        try:
            load_settings()
        except SettingsError as error:
            said[garbage] = str(error)
    for sentence in said.values():
        assert re.match(rf"{variable} is wrong: [^\n]+; correct it, or unset it for the default ", sentence)
        assert "hunter2" not in sentence
    assert ("hunter2 ://%zz[" in said) == (name not in FREE)


@pytest.mark.parametrize("name", secret_settings())
def test_what_may_hold_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    value = {"database_url": "sqlite:///other.db", "redis_url": "redis://:hunter2@cache/0"}.get(name)
    value = value or ("postgresql://a:hunter2@b/c" if name.endswith(("_url", "_urls")) else "hunter2-hunter2-hunter2")
    if name == "smtp_url":
        value = "smtp://a:hunter2@mail.example.org"
        monkeypatch.setenv("CERTGATE_SMTP_FROM", "certgate@example.org")
        monkeypatch.setenv("CERTGATE_PUBLIC_URL", "https://certgate.example.org")
    variable, file = f"CERTGATE_{name.upper()}", tmp_path / "secret"
    monkeypatch.setenv(f"{variable}_FILE", str(file))
    with pytest.raises(SettingsError, match=rf"^{variable}_FILE names a file that cannot be read \(No such file"):
        load_settings()
    file.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=rf"^{variable}_FILE names a file that cannot be read \(not UTF-8\)"):
        load_settings()
    file.write_text(" \n")
    with pytest.raises(SettingsError, match=rf"^{variable}_FILE names an empty file"):
        load_settings()
    file.write_text(f"{value}\n")
    assert getattr(load_settings(), name) == value
    assert unknown_variables() == []
    assert "hunter2" not in repr(load_settings())
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^{variable} and {variable}_FILE are both set: unset one of them.$"):
        load_settings()
