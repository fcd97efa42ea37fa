"""The members that a column can be, under every name that people give them.

Names are compared without case, accents, blanks and signs: `Country of Origin` is `country_of_origin`. A record's own
names count as well, so that what we export is read back.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple

from domain.certificates import HALTING
from domain.members import RecordMember, given_to, members_of
from domain.records import CertificationAssignment, ClaimAssignment, Product, Record

Part = Literal["product", "certification", "claim", "row"]

RECORDS: Mapping[str, type[Record]] = {
    "product": Product,
    "certification": CertificationAssignment,
    "claim": ClaimAssignment,
}

KEPT = (
    *("id", "organization_id", "data_source", "created_at", "updated_at", "version", "archived_at"),
    "acknowledgements",
    "earlier_certificates",
    "halted_days",
)
"""What our exports have besides, and nobody sends."""

BY_OWN_NAME = ("metadata", "valid_from", "expiration_date")
"""Members of several records: of which, the rest of the columns says."""


REASON = "reason"
"""The column that a report adds to refused rows: left out when they come back, unless somebody says otherwise."""


class ColumnTarget(NamedTuple):
    """What a column is: a member of a part of the row, under the name that commands have for it.

    Of the whole `row`: `gtin`, `certifications`, `claims` and `labels` (lists of definitions), `nothing` for what is
    left out, `shared` members whose part follows from the other columns, and what is `kept`.
    """

    part: Part
    member: str
    key: str = ""
    """Of metadata, the key under which the cell goes."""

    @property
    def shown(self) -> str:
        """As `map` takes it."""
        name = f"{self.member}.{self.key}" if self.key else self.member
        return name if self.part == "row" else f"{self.part}.{name}"


NOTHING = ColumnTarget("row", "nothing")
GTIN = ColumnTarget("row", "gtin")

_SYNONYMS: Mapping[ColumnTarget, str] = {
    GTIN: "gtin gtin8 gtin12 gtin13 gtin14 ean ean8 ean13 eancode eanupc upc upca upcode upccode barcode barcodegtin"
    " productbarcode variantbarcode globaltradeitemnumber strichcode codebarre codebarres codigodebarras codiceabarre",
    ColumnTarget("product", "product_name"): "productname name title item itemname producttitle produktname artikelname"
    " artikelbezeichnung produktbezeichnung bezeichnung nomduproduit nombre nombredelproducto nomeprodotto",
    ColumnTarget("product", "brand"): "brand brands brandname marke marque marca vendor",
    ColumnTarget(
        "product", "manufacturer"
    ): "manufacturer manufacturedby producer maker hersteller fabricant fabricante produttore",
    ColumnTarget("product", "description"): "description productdescription beschreibung descripcion descrizione",
    ColumnTarget("product", "country_of_origin"): "countryoforigin origincountry origin madein herkunft herkunftsland"
    " ursprungsland paysdorigine paisdeorigen paesediorigine",
    ColumnTarget(
        "product", "net_content"
    ): "netcontent netcontents netquantity quantity packsize size fuellmenge inhalt nettoinhalt contenance contenido",
    ColumnTarget(
        "product", "ingredients"
    ): "ingredients ingredientlist ingredientstext zutaten ingredientes ingredienti",
    ColumnTarget("product", "image_url"): "imageurl image imagelink imagesrc picture pictureurl bild photo",
    ColumnTarget("certification", "code"): "certification certificationcode certificationid certificationlabel"
    " certificationname certificationscheme scheme programme program zertifizierung zertifikat certificat"
    " certificado certificato certificazione certificacion",
    ColumnTarget(
        "row", "certifications"
    ): "certifications certificates certs seals zertifizierungen zertifikate siegel certificats"
    " certificados certificati certificazioni certificaciones",
    ColumnTarget("certification", "certificate_number"): "certificatenumber certificateno certificatenr certificateid"
    " certnumber certno certificationnumber licencenumber licensenumber zertifikatsnummer zertifikatnummer zertifikatnr"
    " zertifikatsnr numerodecertificat numeroducertificat numerodecertificado numerocertificato numerodicertificato",
    ColumnTarget("certification", "issuing_body"): "issuingbody issuer issuedby certifier certifiedby certifyingbody"
    " certificationbody controlbody zertifizierer zertifizierungsstelle kontrollstelle aussteller"
    " organismecertificateur entidadcertificadora entecertificatore",
    ColumnTarget(
        "row", "valid_from"
    ): "validfrom startdate validsince issuedate issuedon dateissued effectivedate gueltigab gueltigvon"
    " ausgestelltam valableapartirdu valabledu validodesde validodal",
    ColumnTarget("row", "expiration_date"): "expirationdate validuntil validto validthrough validtill enddate expires"
    " expireson gueltigbis ablaufdatum laeuftab valablejusquau valablejusqua datedexpiration validohasta"
    " fechadecaducidad validofinoal datadiscadenza scadenza",
    ColumnTarget("certification", "expiry_date"): "expirydate expiryoncertificate printedexpiry",
    ColumnTarget("certification", "verification_url"): "verificationurl verificationlink registryurl certificateurl",
    ColumnTarget("certification", "verification_status"): "verificationstatus verified",
    ColumnTarget("certification", "scope"): "scope certificatescope certificationscope geltungsbereich",
    ColumnTarget("certification", "certification_value"): "certificationvalue certificationlevel grade level",
    ColumnTarget("certification", "audit_date"): "auditdate dateofaudit auditedon lastaudit auditdatum letztesaudit",
    ColumnTarget(
        "certification", "initial_certification_date"
    ): "initialcertificationdate firstcertified certifiedsince",
    ColumnTarget("certification", "certificate_countries"): "certificatecountries validin",
    ColumnTarget("claim", "code"): "claim claimcode claimid claimlabel claimname",
    ColumnTarget("row", "claims"): "claims claimcodes",
    ColumnTarget("claim", "source"): "source claimsource",
    ColumnTarget("claim", "evidence_url"): "evidenceurl evidence evidencelink",
    ColumnTarget("claim", "evidence_note"): "evidencenote evidencenotes",
    ColumnTarget("row", "metadata"): "metadata",
    NOTHING: f"{REASON} nothing ignore",
}

_signs = re.compile(r"[^a-z0-9]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def plain(name: str) -> str:
    """A name as it is compared."""
    text = unicodedata.normalize("NFKD", name.lower().translate(_UMLAUTS))
    return _signs.sub("", text.encode("ascii", "ignore").decode())


def taken(record: type[Record]) -> list[RecordMember]:
    """The members that files bring: what clients send, and what operations of their own write of a certificate."""
    every = members_of(record)
    return [*given_to(record), *(every[name] for name in HALTING if name in every)]


@cache
def by_name() -> Mapping[str, tuple[ColumnTarget, str]]:
    """Every name, as `plain` has it, with the target and how it was recognised: as a `name` or a `synonym`."""
    found = {name: (target, "synonym") for target, names in _SYNONYMS.items() for name in names.split()}
    for part, record in RECORDS.items():
        for member in taken(record):
            target = _target(part, member)
            for name in {member.name, member.sent_as}:
                found[plain(name)] = (ColumnTarget("row", member.name) if name in BY_OWN_NAME else target, "name")
                found[plain(f"{part}.{name}")] = (target, "name")
        if part != "product":
            for name in ("id", "code", "label"):
                found[plain(f"{part}.{name}")] = (ColumnTarget(part, name), "name")  # type: ignore[arg-type]
    found |= {plain(name): (ColumnTarget("row", name), "name") for name in KEPT}
    found["gtin"] = (GTIN, "name")
    return found


@cache
def every_target() -> list[str]:
    """Each of what somebody may say a column is, as `map` takes it: of the whole row first, then part by part."""
    found = dict.fromkeys(target.shown for target, _ in by_name().values() if target.member not in KEPT)
    parts = ("", *RECORDS)
    members = {f"{part}.{name}" for part in RECORDS for name in BY_OWN_NAME if (part, name) in members_sent()}
    every = {*found, *members} - set(BY_OWN_NAME) | {"metadata"}
    return sorted(every, key=lambda each: (parts.index(each.rpartition(".")[0]), each))


def _target(part: str, member: RecordMember) -> ColumnTarget:
    return ColumnTarget(part, member.sent_as)  # type: ignore[arg-type]


@cache
def members_sent() -> Mapping[tuple[str, str], RecordMember]:
    """Each member that can be sent, by its part and the name under which it is."""
    return {(part, member.sent_as): member for part, record in RECORDS.items() for member in taken(record)}
