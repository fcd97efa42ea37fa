"""docs/settings.md is made of the settings. To make it: `.venv/bin/python -m tests.setup.test_settings_page`."""

from gateway.environment import PREFIX, secret_settings
from gateway.settings import Settings
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "settings.md"
BEFORE = """\
# Settings

Environment variables, read once when the process starts; all have working defaults. A wrong value stops the start with
a sentence that names the variable. A variable with this prefix that is no setting is named in the log.

| variable | default | meaning |
| --- | --- | --- |
"""
AFTER = """
What may hold a secret may stand in a file instead, which the same name with `_FILE` behind it names: {files}.

This page is made of `gateway/settings.py`; [CONTRIBUTING.md](../CONTRIBUTING.md) says how. Behind a proxy on another
machine, uvicorn's own `FORWARDED_ALLOW_IPS` names that proxy, so that addresses are those of the clients.
"""


def page() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    files = ", ".join(f"`{PREFIX}{name.upper()}_FILE`" for name in secret_settings())
    return BEFORE + "".join(rows) + AFTER.format(files=files)


def _default(value: object) -> str:
    if value == "":
        return "(none)"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_the_page_says_what_the_settings_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make it anew, as the first line of this file says"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
