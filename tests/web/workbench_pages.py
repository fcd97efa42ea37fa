"""Every page of the workbench on the demo's data: its address, and what is there once it is drawn."""

from domain.short_id import catalogue_id
from rest_compat.inputs import (
    EXAMPLE_CALENDAR,
    EXAMPLE_IMPORT,
    EXAMPLE_INVITATION,
    EXAMPLE_KEY,
    EXAMPLE_MEMBER,
    EXAMPLE_SESSION,
    EXAMPLE_VIEW,
    EXAMPLE_WEBHOOK,
)
from workbench import acting
from workbench.settings.acts import ROOT
from workbench.settings.pages import ACTS

PRODUCT = "/app/products/09520000000011"
CERTIFICATE = "/app/certificates/09520000000011/EU_ORGANIC"
CLAIM = "/app/claims/09520000000011/VEGAN"

PAGES = {
    "/": "main .cards",
    "/app": ".tiles",
    "/app/certificates?gtin=09520000000011": "tbody tr",
    "/app/claims?gtin=09520000000011": "tbody tr",
    "/app/claims?standing=upright&where=none": ".refused",
    "/app/products?search=coffee": "tbody tr",
    "/app/products?search=nothing+has+this": ".empty",
    "/app/certificates/09520000000042/FAIRTRADE/taken-on": "main h1",
    PRODUCT: ".holding",
    f"{PRODUCT}?as_of=2026-03-31": ".note.calm",
    f"{PRODUCT}?as_of=never&known_at=once": ".refused",
    "/app/bodies/FAIRTRADE_INTERNATIONAL": "#draft",
    "/app/certifications/FAIRTRADE": "#draft",
    "/app/certifications/FAIRTRADE?from=never": ".refused",
    "/app/import": "#file",
    f"/app/import/{EXAMPLE_IMPORT}": "main h1",
    "/app/nowhere": "main ul",
    "/app/products/12": "[role=alert]",
}
"""Those that are not the settings', nor forms of one thing each."""

SECTIONS = {
    ROOT: ".settings-cards",
    f"{ROOT}/people": ".things",
    f"{ROOT}/keys": ".things",
    f"{ROOT}/sessions": ".things",
    f"{ROOT}/views": ".things",
    f"{ROOT}/views/{EXAMPLE_VIEW}": ".addresses",
    f"{ROOT}/webhooks": ".things",
    f"{ROOT}/webhooks/{EXAMPLE_WEBHOOK}": ".deliveries",
    f"{ROOT}/reminders": ".things",
    f"{ROOT}/proof": ".addresses",
    f"{ROOT}/health": ".things",
}

_OF = {
    "user_id": EXAMPLE_MEMBER,
    "invitation_id": EXAMPLE_INVITATION,
    "key_id": EXAMPLE_KEY,
    "session_id": EXAMPLE_SESSION,
    "view_id": EXAMPLE_VIEW,
    "calendar_id": EXAMPLE_CALENDAR,
    "webhook_id": EXAMPLE_WEBHOOK,
    "for_certification": catalogue_id("certification", "FAIRTRADE"),
}
"""What there is to change, by the command's name for it."""

OWN_LEAD_TIMES = (f"{ROOT}/reminders/certification", {"for_certification": _OF["for_certification"], "days": "30"})
"""The form that has to be sent for there to be lead times of their own, and its fields."""

FORMS = {
    **dict.fromkeys((f"{PRODUCT}/{act}" for act in acting.ACTS["products"]), "form.fields"),
    **dict.fromkeys((f"{CERTIFICATE}/{act}" for act in acting.ACTS["certificates"]), "form.fields"),
    **dict.fromkeys((f"{CLAIM}/{act}" for act in acting.ACTS["claims"]), "form.fields"),
    **{
        f"{ROOT}/{section}/{_OF[act.of]}/{does}" if act.of else f"{ROOT}/{section}/{does}": "form.fields"
        for section, acts in ACTS.items()
        for does, act in acts.items()
    },
    f"{ROOT}/sessions/others": "form.fields",
}
"""Those that ask for what has to be known of one thing, all drawn in one way; for members."""
