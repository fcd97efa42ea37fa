"""All pages of the settings, by their paths."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from workbench.settings import health, keys, overview, people, proof, reminders, sessions, views, webhooks
from workbench.settings.acts import ROOT, SettingsAct, acting
from workbench.settings.sections import section

ACTS: Mapping[str, Mapping[str, SettingsAct]] = {
    "people": people.ACTS,
    "keys": keys.ACTS,
    "sessions": sessions.ACTS,
    "views": views.ACTS,
    "webhooks": webhooks.ACTS,
    "reminders": reminders.ACTS,
    "proof": proof.ACTS,
}
"""What can be done, by section and by its name in the address."""


class SettingsPage(NamedTuple):
    """One page."""

    path: str
    answer: Callable[[Request], Awaitable[Response]]
    writes: bool = False


SETTINGS = (
    SettingsPage(ROOT, section("overview", overview.overview)),
    SettingsPage(f"{ROOT}/people", section("people", people.members)),
    SettingsPage(f"{ROOT}/keys", section("keys", keys.keys)),
    SettingsPage(f"{ROOT}/sessions", section("sessions", sessions.sessions)),
    SettingsPage(views.PATH, section("views", views.views)),
    SettingsPage(webhooks.PATH, section("webhooks", webhooks.all_webhooks)),
    SettingsPage(f"{ROOT}/reminders", section("reminders", reminders.reminders)),
    SettingsPage(f"{ROOT}/proof", section("proof", proof.proof)),
    SettingsPage(f"{ROOT}/health", section("health", health.health)),
    *(
        SettingsPage(
            f"{ROOT}/{name}/{{id}}/{does}" if act.of else f"{ROOT}/{name}/{does}", acting(name, does, act), True
        )
        for name, acts in ACTS.items()
        for does, act in acts.items()
    ),
    SettingsPage(sessions.OTHERS, sessions.others, True),
    # Behind what makes something: its name stands where an id does.
    SettingsPage(f"{views.PATH}/{{id}}", section("views", views.one, "view")),
    SettingsPage(f"{webhooks.PATH}/{{id}}", section("webhooks", webhooks.one, "webhook")),
)
