"""The settings as the environment has them: variables that start with `CERTGATE_`, and those that nobody reads."""

import os
import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.settings import Settings, SettingsError

PREFIX = "CERTGATE_"


def load_settings(**overrides: Any) -> Settings:
    """The settings of the environment; those given here come first. Raises `SettingsError`."""
    variables = {name.upper(): value for name, value in os.environ.items() if value and not _is_injected(name, value)}
    read = {name: variables[_variable(name)] for name in Settings.model_fields if _variable(name) in variables}
    read |= _from_files(variables)
    try:
        return Settings(**{**read, **overrides})
    except ValidationError as error:
        # Without the input: a wrong value may hold a secret.
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        given = read.keys() | overrides
        raise SettingsError(
            "\n".join(_sentence(str(each["loc"][0]), each["msg"], given) for each in problems)
        ) from None


def secret_settings() -> list[str]:
    """The names of the settings that may hold a secret, each of which a file may have instead of the environment."""
    return [name for name, field in Settings.model_fields.items() if not field.repr]


def _from_files(variables: Mapping[str, str]) -> dict[str, str]:
    """What files have that `CERTGATE_<NAME>_FILE` names: one value each, without the blanks around it."""
    read = {}
    for name in secret_settings():
        variable, file = _variable(name), variables.get(f"{_variable(name)}_FILE")
        if file is None:
            continue
        if variable in variables:
            raise SettingsError(f"{variable} and {variable}_FILE are both set: unset one of them.")
        try:
            read[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise SettingsError(
                f"{variable}_FILE names a file that cannot be read ({why}): correct it, or the rights of the file."
            ) from None
        if not read[name]:
            raise SettingsError(f"{variable}_FILE names an empty file: write the value into it, or unset it.")
    return read


def unknown_variables() -> list[str]:
    """One sentence for each variable that has our prefix but is no setting: most likely misspelt.

    What Kubernetes sets for a Service named like us has one sentence for all of it.
    """
    known = {_variable(name) for name in Settings.model_fields}
    known |= {f"{_variable(name)}_FILE" for name in secret_settings()}
    sentences = []
    injected = []
    for name, value in sorted(os.environ.items()):
        if _is_injected(name, value):
            injected.append(name)
        elif name.upper().startswith(PREFIX) and name.upper() not in known and not _is_anothers(name):
            from difflib import get_close_matches

            # The prefix, which all have, would make everything alike.
            close = get_close_matches(name[len(PREFIX) :].lower(), Settings.model_fields, 1)
            hint = f"; did you mean {_variable(close[0])}?" if close else "; docs/settings.md lists the settings."
            sentences.append(f"{name} is not a setting and has no effect{hint}")
    if injected:
        sentences.append(
            f"{', '.join(injected)} come from a Kubernetes Service of that name and have no effect;"
            " enableServiceLinks: false in the pod's specification keeps them away."
        )
    return sentences


def _is_anothers(name: str) -> bool:
    """Whether the variable is our tests' or the launcher's, or of the example clients, exported beside a server."""
    return name.startswith("CERTGATE_TEST_") or name in {
        "CERTGATE_CALLED_FROM",
        "CERTGATE_KEY",
        "CERTGATE_URL",
        "CERTGATE_SDL",
        "CERTGATE_TRUSTED",
    }


# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_service_link = re.compile(
    r"CERTGATE_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


def _is_injected(name: str, value: str) -> bool:
    """Whether Kubernetes set the variable for a Service; `CERTGATE_PORT` is ours too, but never an address."""
    if not _service_link.fullmatch(name):
        return False
    return name != _variable("port") or value.startswith(("tcp://", "udp://", "sctp://"))


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _sentence(name: str, message: str, given: Container[str]) -> str:
    message = f"{message[0].lower()}{message[1:]}"
    if name not in given:  # needed because of another setting
        return f"{_variable(name)} is missing: {message}."
    default = Settings.model_fields[name].default
    shown = str(default).lower() if isinstance(default, bool) else default if default != "" else "(none)"
    return f"{_variable(name)} is wrong: {message}; correct it, or unset it for the default {shown}."
