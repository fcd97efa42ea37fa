"""The settings of one process: environment variables with the prefix `CERTGATE_`, read once, immutable.

pydantic-settings costs a tenth of a second to import, so commands import this module when they need it.
"""

import os
import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CERTGATE_"
DATABASE_SCHEMES = ("sqlite", "postgresql", "postgres")

_WEB_ADDRESS = re.compile(r"https?://[^\s?#]+")


class SettingsError(Exception):
    """A setting is wrong; the text is one sentence for each: the variable and the remedy, never its value."""


def _database_url(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.partition("+")[0] not in DATABASE_SCHEMES:
        raise PydanticCustomError(
            "database_url",
            "should look like sqlite:///var/certgate.db or postgresql://user:password@host/name",
        )
    return url


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _public_url(url: str) -> str:
    if url and not _WEB_ADDRESS.fullmatch(url):
        raise PydanticCustomError("public_url", "should look like https://certgate.example.org")
    return url.rstrip("/")


def _problem_type_base(url: str) -> str:
    if not (_WEB_ADDRESS.fullmatch(url) and url.endswith("/")):
        raise PydanticCustomError("problem_type_base", "should be an http or https URL that ends with a slash")
    return url


class Settings(BaseSettings):
    """Every setting. Each is the variable `CERTGATE_<NAME>`; one that is empty counts as not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    # Kept out of the representation: it may hold a password.
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///var/certgate.db",
        repr=False,
        description="The database: sqlite:///FILE, relative to the working directory, or"
        " postgresql://USER:PASSWORD@HOST:PORT/NAME.",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen on. The default is reached from this machine only; 0.0.0.0 opens"
        " the server to the network.",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="The TCP port to listen on; 0 takes any free one.")
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        default="",
        description="The address under which others reach the server, such as https://certgate.example.org:"
        " printed links start with it, and https makes the session cookie secure. Empty: where it listens.",
    )
    problem_type_base: Annotated[str, AfterValidator(_problem_type_base)] = Field(
        default="https://closient.com/docs/errors/",
        description="What the `type` of every problem document starts with; the error code follows it. It"
        " ends with a slash.",
    )
    session_hours: int = Field(
        default=12,
        ge=1,
        le=24 * 30,
        description="How many hours a browser stays signed in after it opened a sign-in link.",
    )
    max_body_bytes: int = Field(
        default=1024 * 1024,
        ge=1024,
        description="The largest request body in bytes; a larger one is refused with 413.",
    )
    shutdown_seconds: int = Field(
        default=20,
        ge=0,
        description="How many seconds requests under way may take to finish once the server is to stop.",
    )
    log_level: Annotated[Literal["critical", "error", "warning", "info", "debug"], BeforeValidator(_lower)] = Field(
        default="info", description="What is logged: critical, error, warning, info or debug."
    )
    access_log: bool = Field(
        default=False,
        description="Whether every request is logged; it costs a small request half of its time again.",
    )


def load_settings(**overrides: Any) -> Settings:
    """The settings of the environment; those given here come first. Raises `SettingsError`."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        # Without the input: a wrong value may hold a secret.
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise SettingsError("\n".join(_sentence(str(entry["loc"][0]), entry["msg"]) for entry in problems)) from None


def unknown_variables() -> list[str]:
    """One sentence for each variable that has our prefix but is no setting: most likely misspelt."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    sentences = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known and not name.startswith(PREFIX + "TEST_"):
            close = get_close_matches(name.upper(), known, 1)
            hint = f"; did you mean {close[0]}?" if close else "; README.md lists the settings."
            sentences.append(f"{name} is not a setting and has no effect{hint}")
    return sentences


def _sentence(name: str, message: str) -> str:
    default = Settings.model_fields[name].default
    return (
        f"{PREFIX}{name.upper()} is wrong: {message[0].lower()}{message[1:]};"
        f" correct it, or unset it for the default {str(default).lower() if default != '' else '(none)'}."
    )
